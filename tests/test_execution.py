"""What a result says of devices, of reproducibility, and of memory that ran out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import atpdsl
from atpdsl.results.result import Result
from atpdsl.runtime import load
from atpdsl.runtime.native.engine import NativeEngine
from tests.test_driver import IOI, written


def ran(folder: Path, settings: str = "") -> Result:
    text = IOI + f"run {{ batch = 2; {settings} }}\n"
    return atpdsl.run(written(folder, text), out=folder / "out", overwrite=True)


def provenance(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "result.json").read_text())
    recorded: dict[str, Any] = found["provenance"]
    return recorded


@pytest.mark.parametrize("executor", ["native", "bridge"])
def test_several_devices_change_no_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    one = ran(tmp_path, f"device = cpu; executor = {executor}")
    pick = load.pick_devices
    monkeypatch.setattr(
        load, "pick_devices", lambda name: pick("cpu,cpu,cpu" if name == "all" else name)
    )

    three = ran(tmp_path, f"device = all; executor = {executor}")

    assert three.scores.equals(one.scores)
    assert provenance(tmp_path)["device"] == "cpu,cpu,cpu"


def test_the_result_says_whether_it_is_reproducible(tmp_path: Path) -> None:
    plain = ran(tmp_path)
    assert provenance(tmp_path)["deterministic"] is False

    again = ran(tmp_path, "deterministic = on")

    assert provenance(tmp_path)["deterministic"] is True
    assert again.scores.equals(plain.scores)
    assert not torch.are_deterministic_algorithms_enabled()


def test_memory_that_ran_out_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ran(tmp_path)
    assert not whole.record.warnings
    patched = NativeEngine.patched
    failures: Iterator[bool] = iter([True, *[False] * 10_000])

    def sometimes(self: NativeEngine, rows: Any) -> torch.Tensor:
        if next(failures):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        return patched(self, rows)

    monkeypatch.setattr(NativeEngine, "patched", sometimes)
    result = ran(tmp_path, "executor = native")

    (warning,) = result.record.warnings
    assert warning.code == "ATP434"
    assert warning.message.startswith("memory ran out: patched calls were halved to")
    np.testing.assert_allclose(result.scores["score"], whole.scores["score"], atol=1e-5)


def test_what_cannot_be_run_natively_goes_through_the_bridge_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    natively = ran(tmp_path)
    assert provenance(tmp_path)["executor"] == "native"
    monkeypatch.setattr("atpdsl.runtime.native.families.ARCHITECTURES", frozenset())

    result = ran(tmp_path)

    assert provenance(tmp_path)["executor"] == "bridge"
    (warning,) = result.record.warnings
    assert warning.code == "ATP433"
    assert "has no native code" in warning.message
    np.testing.assert_allclose(result.scores["score"], natively.scores["score"], atol=1e-5)
    # Who asks for the bridge is not told that it is one.
    assert not ran(tmp_path, "executor = bridge").record.warnings
