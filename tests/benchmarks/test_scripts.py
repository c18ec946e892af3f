"""Every benchmark runs, on a tiny model."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
import torch

from benchmarks import atp, estimates, exact, floor, gpu, memory, prefix, scaling, summary
from benchmarks.experiments import ATP, QUESTIONS, present, work
from benchmarks.measuring import Measured
from benchmarks.models import loaded
from benchmarks.options import read
from benchmarks.peers.environments import PEERS
from benchmarks.plain import LLAMA_TINY, TINY
from benchmarks.prompts import random_pairs

SMALLEST = ("--sizes", "tiny", "--pairs", "2", "--tokens", "6", "--short", "--rounds", "1")


@pytest.fixture
def lines(monkeypatch, tmp_path, capsys):
    def run(module):
        path = tmp_path / "lines.json"
        monkeypatch.setattr(sys, "argv", ["benchmark", *SMALLEST, "--json", str(path)])
        module.main()
        assert "x" in capsys.readouterr().out
        return json.loads(path.read_text())

    return run


@pytest.fixture(autouse=True)
def unsettled(monkeypatch):
    """Threads and memory of the process stay as the other tests have them."""
    monkeypatch.setattr("benchmarks.options.settle", lambda **_: None)


@pytest.fixture
def no_processes(monkeypatch):
    """Memory is said to be what the pairs are, and no process is started for it."""

    def peak(job, options):
        return Measured(name=job.name, seconds=(float(job.pairs),))

    monkeypatch.setattr(memory, "peak", peak)
    monkeypatch.setattr(estimates, "peak", peak)


@pytest.mark.parametrize("module", [floor, atp, exact], ids=lambda one: one.__name__)
def test_a_benchmark_writes_its_lines(lines, module):
    found = lines(module)

    assert found
    assert all(one["seconds"] > 0 and one["ratio"]["median"] > 0 for one in found)
    assert {"floor"} <= {one["reference"] for one in found}


def test_prefixes_are_compared_with_not_knowing_them(lines):
    assert {one["reference"] for one in lines(prefix)} == {"faster than not knowing it"}


@pytest.mark.slow
def test_scaling_has_a_line_for_every_size(lines):
    found = lines(scaling)

    executors = present(("bridge", "native"))
    assert len(found) == len(executors) * sum(len(axis.sizes[:3]) for axis in scaling.AXES)


@pytest.mark.slow
@pytest.mark.usefixtures("no_processes")
def test_estimates_are_compared_with_what_ran(lines):
    references = {one["reference"] for one in lines(estimates)}

    assert references == {"estimated time", "estimated memory"}


@pytest.mark.usefixtures("no_processes")
@pytest.mark.skipif(not memory.FORGET.exists(), reason="Linux only")
def test_memory_is_compared_with_a_plain_run_and_with_fewer_pairs(lines):
    found = lines(memory)

    assert {one["reference"] for one in found} == {memory.PLAIN, "8 pairs"}
    assert {one["unit"] for one in found} == {"MiB"}


@pytest.mark.skipif(not memory.FORGET.exists(), reason="Linux only")
def test_memory_is_measured_in_a_process_of_its_own(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["memory", *SMALLEST])
    options = read("", rounds=1, timed=False)
    job = memory.Job(name=memory.PLAIN, executor="", pairs=64, tokens=64)

    found = memory.peak(job, options).median

    # 64 x 64 tokens, three layers, some 16 numbers of the width, and 3 of the MLP's.
    assert 5 < found < 100


@pytest.mark.parametrize("sizes", [TINY, LLAMA_TINY], ids=lambda one: one.family)
def test_a_plan_runs_on_every_executor(sizes):
    model, pairs = loaded(sizes), random_pairs(2, 6, sizes.vocabulary)
    for executor in present(("bridge", "native")):
        outcome = work(QUESTIONS[ATP], pairs, model, executor)()
        assert len(outcome.methods[0].statistics) == len(QUESTIONS[ATP].kinds.split())


def test_effects_that_differ_are_refused():
    right = {"z": torch.ones(1).numpy(), "mlp": torch.ones(1).numpy()}
    wrong = {**right, "mlp": torch.zeros(1).numpy()}

    with pytest.raises(ValueError, match="not the effects of the a: b"):
        exact.check("float32", {"a": lambda: right, "b": lambda: wrong}, 1e-5)


def test_without_a_device_nothing_is_measured(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["gpu", "--short"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    with pytest.raises(SystemExit, match="no CUDA device"):
        gpu.main()


def test_a_peer_that_is_not_installed_says_how_to_get_it():
    peer = replace(PEERS[1], module="not_there")

    assert not peer.installed
    assert peer.hint == "not installed (python -m benchmarks.peers.environments not_there)"


def test_the_summary_compares_ratios_to_the_floor():
    line = {
        "work": summary.HEADS,
        "who": "native",
        "reference": "floor",
        "ratio": {"median": 1.25},
        "seconds": 1.0,
        "unit": "CPU s",
    }
    theirs = {**line, "work": "attribution_patch, heads z + MLPs", "ratio": {"median": 5.0}}

    rows = list(summary.peer_rows({"atp": [line], "peers.transformer_lens": [theirs]}))

    ours = next(row for row in rows if "TransformerLens" in row[5])
    assert ours[4] == "1.25"
    assert ours[7] == "4.0 x"
