"""Which methods a comparison has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from atpdsl.binding.nodeset import NodeSet
from atpdsl.methods.compared import USUAL, compared_methods
from atpdsl.problems import Source, SpecError
from atpdsl.semantics.experiment import Direction, MethodCall
from tests.engine import NOWHERE, experiment, make_plan, token_pair

SOURCE = Source("test.atp", "")
QUERIES = NodeSet(kind="heads.q", layers=(0, 1), indices=(0,), positions=("last",))
USUAL_LABELS = [one.label for one in USUAL]


def chosen(
    *calls: MethodCall,
    named: Iterable[str] = (),
    metric: str = "logit_diff",
    nodes: NodeSet = QUERIES,
) -> tuple[list[MethodCall], str]:
    asked = experiment(metric=metric)
    pairs = [token_pair([0, 2, 3], [0, 4, 5], 6, 7)]
    bound = make_plan(pairs, (nodes,), asked).bound
    bound = replace(bound, experiment=replace(asked, methods=calls))
    found, left_out = compared_methods(bound, named, SOURCE)
    return list(found), left_out


def call(label: str, method: str = "", direction: str = "noising", **settings) -> MethodCall:
    defaults = {"qk_fix": False, "grad_drop": "off"} if (method or label) == "atp" else {}
    return MethodCall(
        label=label,
        method=method or label,
        direction=Direction(direction),
        settings={**defaults, **settings},
        span=NOWHERE,
    )


def labels(calls: Iterable[MethodCall]) -> list[str]:
    return [one.label for one in calls]


def refused(*calls: MethodCall, named: Iterable[str], metric: str = "logit_diff"):
    with pytest.raises(SpecError) as caught:
        chosen(*calls, named=named, metric=metric)
    return caught.value.problems


def test_two_estimates_of_the_spec_are_what_is_compared():
    found, _ = chosen(call("atp"), call("truth", "ap"), call("mine", "atp", qk_fix=True))

    assert labels(found) == ["atp", "mine", "truth"]


def test_the_usual_set_is_compared_where_the_spec_has_one_estimate():
    found, left_out = chosen(call("atp"))

    assert labels(found) == [*USUAL_LABELS, "ap"]
    assert left_out == ""
    settings = {one.label: one.settings for one in found}
    assert settings["atp"] == {"qk_fix": False, "grad_drop": "off"}
    assert settings["atp_qk"] == {"qk_fix": True, "grad_drop": "off"}
    assert settings["star"] == {"qk_fix": True, "grad_drop": "every_layer"}
    assert settings["subsampling"]["samples"] == 1000
    assert settings["subsampling"]["inclusion"] == 0.03


def test_an_estimate_of_the_spec_that_is_not_usual_comes_first():
    assert labels(chosen(call("mine", "atp", grad_drop="first_reader"))[0]) == [
        *("mine", *USUAL_LABELS, "ap")
    ]
    # Under the label of a usual one it takes its place.
    found, _ = chosen(call("star", "atp*", qk_fix=False))
    assert labels(found)[:2] == ["star", "atp"]
    assert labels(found).count("star") == 1
    assert found[0].settings == {"qk_fix": False}
    # What is settled is the usual AtP*, under the label of the spec.
    found, _ = chosen(call("atp*", qk_fix=True, grad_drop="on"))
    assert labels(found) == ["atp*", *(one for one in USUAL_LABELS if one != "star"), "ap"]


def test_methods_can_be_named_by_label_and_by_method():
    named = ("mine", "atp_qk", "atp*", "blocks", "mine")
    found, _ = chosen(call("mine", "atp"), named=named)

    assert [(one.label, one.method) for one in found] == [
        ("mine", "atp"),
        ("atp_qk", "atp"),
        ("atp*", "atp*"),
        ("blocks", "blocks"),
        ("ap", "ap"),
    ]


def test_the_direction_is_that_of_the_spec():
    found, _ = chosen(call("atp", direction="denoising"), named=["random"])

    assert {one.direction for one in found} == {Direction.DENOISING}


def test_each_direction_has_its_own_truth():
    found, _ = chosen(
        call("atp"), call("ap", "atp", direction="denoising"), call("exact", "ap")
    )

    assert [(one.label, one.direction.value) for one in found[2:]] == [
        ("exact", "noising"),
        # `ap` is the label of an estimate.
        ("ap_denoising", "denoising"),
    ]


def test_unknown_names_are_all_told_with_what_was_meant():
    problems = refused(call("mine", "atp"), named=["subsample", "xyzzy", "mine"])

    assert [p.code for p in problems] == ["ATP111", "ATP111"]
    assert problems[0].help == "did you mean `subsampling`?"
    assert "`mine`" in problems[1].help
    assert "`star`" in problems[1].help


def test_an_exact_method_is_the_truth_and_is_not_compared():
    assert [p.code for p in refused(call("mine", "ap"), named=["mine"])] == ["ATP116"]
    assert [p.code for p in refused(call("atp"), named=["ap"])] == ["ATP116"]


def test_methods_with_gradients_are_left_out_where_there_is_none():
    # The distance from the clean run is flat there.
    found, left_out = chosen(call("truth", "ap"), metric="kl")

    assert labels(found) == [
        *("subsampling", "blocks", "hierarchical", "iterative", "random", "truth")
    ]
    assert left_out == "`atp`, `atp_qk`, `star`: the metric has no gradient to use"
    assert [p.code for p in refused(call("ap"), named=["atp", "random"], metric="kl")] == [
        "ATP421"
    ]
    back, _ = chosen(call("ap", direction="denoising"), metric="kl")
    assert labels(back) == [*USUAL_LABELS, "ap"]


def test_the_fix_alone_is_left_out_where_it_is_atp():
    mlps = NodeSet(kind="mlp", layers=(0,), indices=(0,), positions=("last",))
    found, left_out = chosen(call("atp"), nodes=mlps)

    assert labels(found) == [*(one for one in USUAL_LABELS if one != "atp_qk"), "ap"]
    assert left_out == "`atp_qk`: without queries and keys it is `atp`"
    assert "atp_qk" in labels(chosen(call("atp"), nodes=mlps, named=["atp_qk"])[0])
