"""AtP* with every diagnostic, from the spec to the columns of its result."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from atpdsl.cli import main
from atpdsl.results.result import Result
from tests.cli.specs import GOOD

LINES = """\
method atp*
verify { top = 5; random = 5; stop_when = misses(top = 3) < 5%; most = 20 }
diagnose {
  cancellation { direct_effect = on }
  saturation
  uncertainty { bootstrap = 50 }
  subset_sampling { samples = 200; inclusion = 2%; min_effect = 0.05; confidence = 95% }
}
expect {
  flagged(cancellation) < 240
  upper_bound(missed_effect, confidence = 99%) > upper_bound(missed_effect)
}
"""
NODES = "nodes { heads.q at last\nheads.k at every\nheads.z at last }\n"


@pytest.fixture
def star(capsys: pytest.CaptureFixture[str]) -> Result:
    spec = re.sub(r"nodes .*\n", NODES, GOOD)
    spec = re.sub(r"method atp\n.*\n", LINES, spec)
    Path("star.atp").write_text(spec, encoding="utf-8")

    assert main(["run", "star.atp", "--quiet"]) == 0
    assert "diagnosed" not in capsys.readouterr().err
    return Result.load("runs/star")


def test_a_run_fills_every_column_that_its_diagnostics_ask_for(star):
    frame = star.scores
    for name in frame.columns:
        assert frame[name].notna().any(), name
    parts = frame["atp"] + frame["by_qk_fix"] + frame["by_grad_drop"]
    keys = frame["kind"].isin(["heads.q", "heads.k"])
    measured = frame[frame["verified"]]

    np.testing.assert_allclose(parts, frame["estimate"], rtol=1e-12, atol=1e-15)
    assert (frame.loc[~keys, "by_qk_fix"] == 0).all()
    assert frame.loc[keys, "by_qk_fix"].abs().max() > 0
    assert (frame["cancellation"].dropna() >= 1 - 1e-6).all()
    assert frame.loc[~keys, "attention"].isna().all()
    assert frame.loc[keys, "attention"].between(0, 1).all()
    assert measured["direct_effect"].notna().sum() == 10
    assert measured["upper_95"].isna().all()
    assert frame.loc[~frame["verified"], "upper_95"].notna().all()


def test_a_result_says_how_it_came_to_its_bounds_and_flags(star):
    record = star.record
    (bound,), (found,) = record.bounds, record.verification
    flags = star.scores["flags"].str.split(",")

    assert (bound.scheme, bound.confidence, bound.min_effect) == (
        *("balanced partitions", 0.95, 0.05),
    )
    assert bound.nodes == (star.scores["upper_95"] > 0).sum()
    assert bound.asked.upper == star.scores["upper_95"].max()
    assert found.measured == star.scores["verified"].sum() == 10 + found.by_bound
    assert found.stopped is not None
    assert {one.name: one.nodes["atp*"] for one in record.flags} == {
        name: sum(name in words for words in flags)
        for name in ("cancellation", "saturation", "uncertainty")
    }
    assert [one.holds for one in record.expectations] == [True, True]
    assert record.methods[0].note.startswith("grad_drop = every_layer")
    assert record.methods[0].settings == {"qk_fix": True, "grad_drop": "every_layer"}
    assert "drop by drop" in record.methods[0].absolute
    assert "dropped from the gradient" in record.methods[0].formula
