"""Misspelled names of values are recognised where a bare word is wrong."""

from __future__ import annotations

from pathlib import Path

from atpdsl.checking import check_source
from atpdsl.problems import Source

SPEC = """\
atp 1
model "tiny"
let people = ["Mary", "John", "Tom"]
param pairs = 4
prompts {
  template "When {IO} and {S} went to the store, {S as S2} gave a drink to"
  slot IO, S in poeple
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = piars
}
metric logit_diff at last
nodes { heads.z at S2 }
method atp
verify { top = something }
"""


def test_a_misspelled_name_of_a_value_is_told():
    study = check_source(Source("spec.atp", SPEC), Path())
    helps = {
        SPEC[p.at.span.start : p.at.span.end]: p.help for p in study.errors if p.at is not None
    }

    assert helps["poeple"] == "did you mean `people`?"
    assert helps["piars"] == "did you mean `pairs`?"
    assert "did you mean" not in helps["something"]


def test_it_can_be_mended():
    study = check_source(Source("spec.atp", SPEC), Path())
    fixes = {p.fix.text for p in study.errors if p.fix is not None}

    assert fixes == {"people", "pairs"}
