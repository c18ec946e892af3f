"""Peak memory of a piece of work, in each of the ways in which systems tell it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from atpdsl.runtime import peak
from atpdsl.runtime.peak import watch

MEGA = 2**20
linux = pytest.mark.skipif(not peak.STATM.is_file(), reason="Linux tells its memory in /proc")


def taken(size: int) -> None:
    """Memory that is taken, held for a moment, and given back."""
    block = bytearray(size)
    block[::4096] = b"1" * len(block[::4096])
    time.sleep(0.05)
    del block


@linux
@pytest.mark.parametrize("allowed", [True, False])
def test_the_most_is_what_was_taken_since_it_was_set_back(monkeypatch, allowed):
    if not allowed:
        monkeypatch.setattr(peak, "CLEAR_REFS", peak.STATM / "none")
    watched = watch()
    try:
        watched.reset()
        taken(96 * MEGA)
        first = watched.highest()
        watched.reset()
        taken(32 * MEGA)
        second = watched.highest()
    finally:
        watched.close()

    assert first == pytest.approx(96 * MEGA, rel=0.2)
    assert second == pytest.approx(32 * MEGA, rel=0.4)


@linux
def test_what_a_parent_process_took_does_not_count():
    """`ru_maxrss` of a new process begins with what its parent had at most."""
    child = "from atpdsl.runtime.peak import watch; w = watch(); w.reset(); print(w.highest())"
    taken(256 * MEGA)
    done = subprocess.run(
        [sys.executable, "-c", child], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 32 * MEGA


def test_where_the_mark_cannot_be_set_back_only_growth_counts(monkeypatch, tmp_path):
    marks = iter([100, 100, 180, 180, 180])
    monkeypatch.setattr(peak, "STATM", tmp_path / "none")
    monkeypatch.setattr(peak, "_high_water", lambda: next(marks))
    watched = watch()

    watched.reset()
    assert watched.highest() == 80
    watched.reset()
    assert watched.highest() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="nothing tells there")
def test_the_high_water_mark_is_in_bytes():
    assert peak._high_water() > 4 * MEGA
