from __future__ import annotations

import json
from dataclasses import replace

import pytest

from atpdsl.planning import rate_cache
from atpdsl.planning.rate_cache import Setup, read_rates, write_rates
from atpdsl.planning.rates import Rates
from atpdsl.planning.work import Kind
from tests.planning.test_work import GPT2

SETUP = Setup(shape=GPT2, dtype="float32", executor="native", device="auto", threads=2)
RATES = Rates(
    curves={kind: ((1.0, 0.1 + i), (2.0, 0.5 + i)) for i, kind in enumerate(Kind)},
    factors={"gradients": 1.5},
    measured=True,
    device="cpu",
    runs=3,
)


@pytest.fixture(autouse=True)
def file(monkeypatch, tmp_path):
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / rate_cache.NAME


def test_what_is_written_is_read_again():
    assert read_rates(SETUP) is None
    write_rates(SETUP, RATES)

    assert read_rates(SETUP) == RATES


@pytest.mark.parametrize(
    "other",
    [
        {"threads": 1},
        {"dtype": "bfloat16"},
        {"executor": "bridge"},
        {"device": "cuda"},
        {"shape": replace(GPT2, n_layers=4)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_every_setup_has_rates_of_its_own(other):
    write_rates(SETUP, RATES)
    different = replace(SETUP, **other)

    assert read_rates(different) is None
    write_rates(different, replace(RATES, runs=9))
    assert read_rates(SETUP) == RATES


def test_another_machine_has_others(monkeypatch):
    write_rates(SETUP, RATES)
    monkeypatch.setattr(rate_cache, "machine", lambda: "another")

    assert read_rates(SETUP) is None


def broken(change):
    """The file with one entry changed."""

    def write(file):
        document = json.loads(file.read_text())
        (entry,) = document["entries"].values()
        change(document, entry)
        file.write_text(json.dumps(document))

    return write


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_text(""),
        lambda file: file.write_bytes(b"\xff\xfe{"),
        lambda file: file.write_text("[" * 100_000),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text('{"format": 1, "entries": []}'),
        broken(lambda document, entry: document.update(format=0)),
        broken(lambda document, entry: entry.pop("curves")),
        broken(lambda document, entry: entry["curves"].pop("forward")),
        broken(lambda document, entry: entry["curves"].update(forward=[])),
        broken(lambda document, entry: entry["curves"].update(forward=[[0.0, 1.0]])),
        broken(
            lambda document, entry: entry["curves"].update(forward=[[2.0, 1.0], [1.0, 1.0]])
        ),
        broken(lambda document, entry: entry["curves"].update(forward=[[1.0, -1.0]])),
        broken(lambda document, entry: entry["curves"].update(forward=[[1.0, float("nan")]])),
        broken(lambda document, entry: entry["curves"].update(forward=[[1.0]])),
        broken(lambda document, entry: entry["curves"].update(forward=[["1", "2"]])),
        broken(lambda document, entry: entry.update(factors={"gradients": 0})),
        broken(lambda document, entry: entry.update(factors=[])),
        broken(lambda document, entry: entry.update(runs="many")),
        broken(lambda document, entry: entry.update(device=None)),
    ],
)
def test_a_file_that_makes_no_sense_is_as_none_and_written_anew(file, damage):
    write_rates(SETUP, RATES)
    damage(file)

    assert read_rates(SETUP) is None
    write_rates(SETUP, RATES)
    assert read_rates(SETUP) == RATES


def test_a_cache_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ATPDSL_CACHE", str(tmp_path / "file" / "cache"))

    write_rates(SETUP, RATES)

    assert read_rates(SETUP) is None


def test_the_oldest_entries_are_forgotten(monkeypatch):
    monkeypatch.setattr(rate_cache, "MOST_ENTRIES", 2)
    setups = [replace(SETUP, threads=n) for n in (1, 2, 3)]
    for setup in setups:
        write_rates(setup, RATES)

    assert [read_rates(setup) is None for setup in setups] == [True, False, False]


def test_nothing_is_left_beside_the_file(file):
    write_rates(SETUP, RATES)

    assert [path.name for path in file.parent.iterdir()] == [rate_cache.NAME]


def test_the_key_is_readable():
    assert "GPT2LMHeadModel 3x4x4x32x8x96x50 float32; native on auto, 2 threads" in SETUP.key
