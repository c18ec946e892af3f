from __future__ import annotations

import numpy as np

from atpdsl.binding.nodeset import NodeSet
from atpdsl.planning.outcome import Outcome
from atpdsl.results.assemble import describe_positions, ranges, versions
from tests.engine import token_pair
from tests.results.samples import HEADS, WORDS, outcome, pairs, result


def test_positions_are_described_by_the_pairs():
    nodes = NodeSet(kind="mlp", layers=(0,), indices=(0,), positions=("1", "2", "S2", "9"))
    one, two, second, nine = describe_positions([nodes], pairs().pairs, WORDS.__getitem__)

    assert (one.index, one.token, one.same_token) == (1, " When", True)
    assert (two.index, two.token, two.same_token) == (2, " Mary", False)
    assert (second.index, second.same_index, second.pairs) == (4, False, 3)
    assert (nine.index, nine.token, nine.pairs) == (None, None, 0)


def test_a_position_without_a_partner_is_not_counted():
    """Aligned at the end, the corrupted prompt has nothing for the clean token 1."""
    shifted = token_pair([0, 1, 2, 3], [0, 5, 3], partner=[0, -1, 1, 2])
    straight = token_pair([0, 4, 2, 3], [0, 4, 5, 3])
    nodes = NodeSet(kind="mlp", layers=(0,), indices=(0,), positions=("1", "2"))
    one, two = describe_positions([nodes], [shifted, straight], WORDS.__getitem__)

    assert (one.pairs, one.token) == (1, WORDS[4])
    assert two.pairs == 2


def test_numbers_are_kept_as_runs():
    assert ranges((0, 1, 2, 5, 7, 8)) == ((0, 2), (5, 5), (7, 8))
    assert ranges(()) == ()


def test_versions_name_what_makes_the_numbers():
    assert {"python", "atpdsl", "torch", "transformers", "transformer_lens"} <= set(versions())


def test_methods_say_their_conventions():
    (method,) = result().record.methods

    assert (method.base, method.donor, method.direction) == ("clean", "corrupted", "noising")
    assert "minus metric of the unpatched run" in method.sign
    assert method.absolute.startswith("`signed` is the mean over pairs of the signed values")
    assert method.formula


def test_warnings_keep_their_line():
    (warning,) = result().record.warnings

    assert (warning.code, warning.line) == ("ATP422", 2)


def test_a_metric_that_is_no_number_is_null():
    computed = outcome(verified=())
    broken = Outcome(
        methods=computed.methods,
        verified=(),
        clean_metric=np.array([1.0, np.nan, 2.0]),
        corrupted_metric=computed.corrupted_metric,
        stages=(),
    )
    record = result(broken).record

    assert record.metric.clean is None
    assert record.pairs[1].clean.metric is None
    assert record.pairs[1].gap is None
    assert record.pairs[0].gap == 4.0


def test_the_parts_of_the_cost_add_up():
    record = result().record

    assert record.passes.forward_sequences == 6
    assert [stage.name for stage in record.stages] == ["activations", "gradients"]
    assert dict(record.host.stages) == {"activations": 0.5, "gradients": 0.25}


def test_node_sets_are_described_once_for_all_methods():
    record = result(outcome(exact=True)).record

    assert [(n.kind, n.nodes) for n in record.nodes] == [
        ("heads.z", len(HEADS)),
        ("heads.k", 4),
        ("mlp", 4),
    ]
