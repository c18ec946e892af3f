"""On CUDA devices: the numbers of a CPU, half precision, real lack of memory, several GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config

from atpdsl.binding.nodeset import NodeSet
from atpdsl.models.config import read_shape
from atpdsl.models.files import ModelFiles, Origin
from atpdsl.models.shape import ModelShape
from atpdsl.passes import optimize
from atpdsl.planning.outcome import Outcome
from atpdsl.planning.plan import Plan
from atpdsl.planning.target import BRIDGE, NATIVE, Target
from atpdsl.runtime.determinism import reproducible
from atpdsl.runtime.executor import EXECUTORS, Silent
from atpdsl.runtime.load import DTYPES, LoadedModel, load_model
from atpdsl.semantics.experiment import Direction, RunSettings
from tests.engine import NOWHERE, experiment, loaded, make_plan, shape_of, token_pair
from tests.families import FAMILIES
from tests.runtime.failing import assert_same
from tests.runtime.test_devices import planned
from tests.small_models import random_model, small_model

pytestmark = pytest.mark.gpu

NAMES = ("native", "bridge")
several = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """Products of float32 are not rounded to fewer bits."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32 = before


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for family in FAMILIES:
        folders[family] = tmp_path_factory.mktemp(family)
        small_model(family, torch.float32, scale=0.15).save_pretrained(folders[family])
        (folders[family] / "tokenizer.json").write_text("{}")
    return folders


def model_of(folder: Path, device: str, dtype: str = "float32") -> LoadedModel:
    shape = read_shape(folder)
    assert isinstance(shape, ModelShape)
    files = ModelFiles(name="model", directory=folder, kind=Origin.LOCAL)
    return load_model(files, shape, dtype=dtype, device=device)


def ran(model: LoadedModel, family: str, name: str, **changed: Any) -> Outcome:
    target = NATIVE if name == "native" else BRIDGE
    plan = replace(planned(model.bridge.original_model, family, target), **changed)
    return EXECUTORS[name].make().execute(plan, model, Silent())


def assert_near(one: Outcome, other: Outcome, relative: float, rounding: float) -> None:
    """Scores of every node set are near as vectors; effects also within some rounding."""
    for mine, theirs in zip(one.methods, other.methods, strict=True):
        for a, b in zip(mine.statistics, theirs.statistics, strict=True):
            off, most = (np.sqrt(np.mean(x**2)) for x in (a.mean_abs - b.mean_abs, b.mean_abs))
            assert off <= relative * most + mine.exact * rounding


@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_gives_the_numbers_of_a_cpu(
    family: str, saved: dict[str, Path], name: str
) -> None:
    here = ran(model_of(saved[family], "cpu"), family, name)
    there = ran(model_of(saved[family], "cuda"), family, name)

    # float32 with other kernels; metrics are around 1.
    assert_near(there, here, relative=2e-3, rounding=1e-5)
    np.testing.assert_allclose(there.clean_metric, here.clean_metric, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_on_a_gpu_is_near_single_precision(
    family: str, saved: dict[str, Path], name: str
) -> None:
    whole = ran(model_of(saved[family], "cpu"), family, name)
    half = ran(model_of(saved[family], "cuda", "bfloat16"), family, name)

    size = max(1.0, float(np.abs(whole.clean_metric).max()))
    # The weights are rounded as well.
    rounding = 8 * torch.finfo(torch.bfloat16).eps * size
    assert_near(half, whole, relative=0.3, rounding=rounding)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_the_executor_that_is_chosen_is_native(
    family: str, saved: dict[str, Path], dtype: str
) -> None:
    model = model_of(saved[family], "cuda", dtype)
    plan = planned(model.bridge.original_model, family, NATIVE)

    outcome = EXECUTORS["auto"].make().execute(plan, model, Silent())

    assert (outcome.executor, outcome.executor_note) == ("native", "")
    assert DTYPES[dtype] == next(model.bridge.original_model.parameters()).dtype


@pytest.mark.parametrize("name", NAMES)
def test_reproducible_runs_have_the_same_bits(
    family: str, saved: dict[str, Path], name: str
) -> None:
    model = model_of(saved[family], "cuda")
    with reproducible(wanted=True):
        one, two = ran(model, family, name), ran(model, family, name)

    assert_same(one, two, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_memory_that_really_runs_out_is_done_with(name: str) -> None:
    """With so many rows in a call that they take gigabytes, of which half is allowed."""
    config = GPT2Config(
        vocab_size=61, n_positions=64, n_embd=512, n_layer=4, n_head=8, bos_token_id=0
    )
    hf_model = random_model(config, torch.float32, scale=0.05).to("cuda")
    model = replace(loaded(hf_model), device="cuda:0", dtype="float32")
    plan = _large_sweep(hf_model, NATIVE if name == "native" else BRIDGE)
    executor = EXECUTORS[name].make()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    whole = executor.execute(plan, model, Silent())
    needed = torch.cuda.max_memory_allocated() - before
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((before + needed / 2) / total)
    try:
        found = executor.execute(plan, model, Silent())
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)

    assert whole.memory_note == ""
    assert "halved" in found.memory_note
    assert_near(found, whole, relative=1e-4, rounding=1e-5)


def _large_sweep(hf_model: Any, target: Target) -> Plan:
    """Some 8,000 patched rows of 64 tokens."""
    tokens = torch.randint(1, 61, (2, 4, 64), generator=torch.Generator().manual_seed(0))
    pairs = [token_pair(a, b, 20, 30) for a, b in zip(*tokens.tolist(), strict=True)]
    every = NodeSet(
        kind="heads.z",
        layers=(0, 1, 2, 3),
        indices=tuple(range(8)),
        positions=tuple(map(str, range(64))),
    )
    asked = experiment(methods=(("ap", Direction.NOISING),), run=RunSettings(batch=4))
    asked = replace(asked, nodes=(SimpleNamespace(span=NOWHERE),))  # type: ignore[arg-type]
    plan = optimize(make_plan(pairs, [every], asked, shape_of(hf_model.config)), target)
    return replace(plan, rows_per_call=2048)


@several
@pytest.mark.parametrize("name", NAMES)
def test_two_gpus_give_the_numbers_of_one(saved: dict[str, Path], name: str) -> None:
    one = ran(model_of(saved["llama"], "cuda:0"), "llama", name)
    two = ran(model_of(saved["llama"], "cuda:0,cuda:1"), "llama", name)

    assert_near(two, one, relative=1e-4, rounding=1e-6)


@several
def test_a_model_on_two_gpus_gives_the_numbers_of_one(
    saved: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ran(model_of(saved["llama"], "cuda:0"), "llama", "bridge")
    places = {"model.embed_tokens": 0, "model.rotary_emb": 0, "model.layers.0": 0}
    places |= {"model.layers.1": 1, "model.layers.2": 1, "model.norm": 1, "lm_head": 1}
    monkeypatch.setattr("atpdsl.runtime.load.split_map", lambda: {"device_map": places})
    split = model_of(saved["llama"], "split")
    plan = planned(split.bridge.original_model, "llama", NATIVE)

    two = EXECUTORS["auto"].make().execute(plan, split, Silent())

    assert (two.executor, "several devices" in two.executor_note) == ("bridge", True)
    assert_near(two, one, relative=1e-4, rounding=1e-6)
