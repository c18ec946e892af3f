from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.specs import BAD, GOOD


@pytest.fixture(autouse=True)
def _somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has an empty folder of its own, with a good and a bad spec."""
    monkeypatch.chdir(tmp_path)
    Path("good.atp").write_text(GOOD, encoding="utf-8")
    Path("bad.atp").write_text(BAD, encoding="utf-8")
