"""What must hold of any spec that says how far its estimates can be trusted."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from atpdsl.checking import Access, check_source
from atpdsl.problems import Source
from atpdsl.semantics.diagnosis import FLAG_QUANTITIES, Flag
from atpdsl.semantics.experiment import Experiment
from tests.fuzz.trust import write_trust
from tests.semantics.words import complete, experiment_of

SPECS = 300
PROMPTS = """\
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in ["Mary", "John", "Tom"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 2
}
"""
EVERYTHING = "nodes { heads.q at every }\nverify { }\n"


@pytest.fixture(scope="module")
def bound() -> list[Experiment]:
    """The experiments of those specs that have a meaning, with their nodes counted."""
    found = []
    for seed in range(SPECS):
        text = complete(f"{PROMPTS}{write_trust(Random(seed))}")
        study = check_source(Source("a.atp", text), Path(), Access(offline=True))
        found += [point.bound.experiment for point in study.points if point.bound]
    return found


def flags(experiment: Experiment) -> list[tuple[str, Flag]]:
    asked = experiment.diagnosis
    parts = ((part, getattr(asked, part)) for part in FLAG_QUANTITIES)
    return [(part, one.flag) for part, one in parts if one is not None]


def test_many_of_the_specs_have_a_meaning(bound):
    assert len(bound) > SPECS / 5
    assert sum(one.verify is not None and one.verify.stop is not None for one in bound) > 5
    assert sum(bool(one.expectations) for one in bound) > 5


def test_the_text_of_a_flag_says_what_the_flag_is(bound):
    texts = {(part, flag.text): flag for one in bound for part, flag in flags(one)}

    assert len(texts) > 30
    for (part, text), flag in texts.items():
        body = f"diagnose {{ {part} {{ flag = {text} }} }}"
        again = getattr(experiment_of(f"{EVERYTHING}{body}").diagnosis, part)
        assert again.flag == flag


def test_counted_experiments_have_no_shares_of_nodes_left(bound):
    for one in bound:
        assert all(call.node_shares == () for call in one.methods)
        if one.verify is not None and one.verify.stop is not None:
            assert one.verify.top >= one.verify.stop.top
            assert one.diagnosis.subset_sampling is not None
            assert one.verify.most is not None or one.verify.most_share is None
