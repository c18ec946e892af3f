"""Specs for the command line's tests."""

from __future__ import annotations

GOOD = """\
atp 1

model "tiny"

prompts ioi {
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  slot IO, S   in ["Mary", "John", "Tom", "Anna"]
  slot place   in ["store", "garden"]
  slot object  in ["drink", "ring"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 4
}

metric logit_diff at last
nodes { heads.z at every }
method atp
verify { top = 5; random = 5 }
export "ioi.graphml"
"""
BAD = GOOD.replace("metric logit_diff", "metrc logit_diff")
