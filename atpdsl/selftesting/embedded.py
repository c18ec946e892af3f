"""The spec that a self-test without one uses: the embedded model, nodes of every kind."""

from __future__ import annotations

from pathlib import Path

from atpdsl.checked import Planned
from atpdsl.checking import check_source
from atpdsl.methods.lower import lower
from atpdsl.passes import optimize
from atpdsl.problems import Source, SpecError

NAME = "selftest.atp"
SPEC = """\
atp 1

model "tiny"

prompts {
  # Of two lengths, so that the shorter ones are padded where they run together.
  template "When {IO} and {S} went to the {place}, {S as S2} gave a {object} to"
  template "Then {IO} and {S} went to the {place}. {S as S2} gave a big {object} to"
  slot IO, S  in ["Mary", "John", "Tom", "Anna", "Kate", "Mark"]
  slot place  in ["store", "garden", "school"]
  slot object in ["drink", "ring", "book"]
  corrupt S2 -> IO
  answer " {IO}" vs " {S}"
  count = 8
}

metric logit_diff at last

nodes {
  heads.q, heads.k, heads.v, heads.z     at every
  heads.q, heads.k                       at sequence
  neurons, mlp, attn                     at every
  resid.pre, resid.mid, resid.post       at every
  embed                                  at every
}

method atp
"""


def embedded() -> Planned:
    """The spec, planned.

    Raises:
        SpecError: when it has errors.
    """
    study = check_source(Source(NAME, SPEC), Path())
    checked = study.only()
    if study.errors or checked.bound is None:
        raise SpecError(study.problems, study.source)
    return Planned(checked=checked, plan=optimize(lower(checked.bound)))
