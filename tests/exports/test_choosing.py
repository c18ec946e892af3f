"""Which format a file gets: the longest suffix, a name, or what other packages bring."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from atpdsl.checking import vocabulary
from atpdsl.cli import main
from atpdsl.exports import (
    EXPORTERS,
    every_exporter,
    export,
    exporter_called,
    exporter_for,
    save,
)
from atpdsl.exports.plugins import plugins
from atpdsl.problems import RunError, Severity
from atpdsl.results.result import Result
from tests.results.samples import NOWHERE, experiment, result

GOOD = """
    from atpdsl.exports import Exporter

    def write(result, path):
        path.write_text(f"{len(result.table)} rows")

    rows = Exporter(
        name="rows", suffixes=(".rows", ".rows.json"), summary="how many", write=write
    )
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Installs a distribution that brings formats: its code, and names of objects in it."""
    site = tmp_path / "site"

    def install(code: str, **entries: str) -> None:
        info = site / "others_formats-1.0.dist-info"
        info.mkdir(parents=True)
        (site / "others.py").write_text(textwrap.dedent(code))
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: others-formats\nVersion: 1.0\n"
        )
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[atpdsl.exporters]\n{lines}")
        monkeypatch.syspath_prepend(site)
        importlib.invalidate_caches()
        plugins.cache_clear()

    plugins.cache_clear()
    yield install
    plugins.cache_clear()
    sys.modules.pop("others", None)


@pytest.mark.parametrize(
    ("name", "form"),
    [
        *(("a.json", "json"), ("a.cy.json", "cytoscape"), ("a.CYJS", "cytoscape")),
        *(("a.eap-ig.json", "eap_ig"), ("b.mib.json", "eap_ig"), ("x.y.json", "json")),
        *(("a.neuronpedia.json", "neuronpedia"), ("neuronpedia.json", "json")),
        *(("a.gv", "dot"), ("a.DOT", "dot"), ("a.tar.svg", "svg"), ("a.md", "markdown")),
    ],
)
def test_the_longest_suffix_chooses(name, form):
    assert exporter_for(Path(name)).name == form


def test_a_name_chooses_whatever_the_suffix(tmp_path: Path):
    export(result(), tmp_path / "scores.txt", form="csv")
    export(result(), tmp_path / "circuit.json", form="eap_ig")

    assert (tmp_path / "scores.txt").read_text().startswith('"method"')
    assert '"a0.h0"' in (tmp_path / "circuit.json").read_text()


def test_an_unknown_name_is_a_problem_that_knows_what_was_meant():
    with pytest.raises(RunError) as error:
        exporter_called("neuropedia")

    (problem,) = error.value.problems
    assert problem.code == "ATP450"
    assert problem.help == "did you mean `neuronpedia`?"


def test_the_command_takes_a_name(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    result().save("ioi")

    assert main(["export", "ioi", "a.txt", "b.txt", "--to", "csv"]) == 0
    assert Path("b.txt").read_text().startswith('"method"')
    assert main(["export", "ioi", "c.txt", "--to", "cvs"]) == 3
    assert "did you mean `csv`?" in capsys.readouterr().err


def test_a_format_of_another_package_is_found_by_suffix_and_name(package, tmp_path: Path):
    package(GOOD, rows="others:rows")
    export(result(), tmp_path / "a.rows")
    export(result(), tmp_path / "b.rows.json")
    export(result(), tmp_path / "c.txt", form="rows")

    assert {path.read_text() for path in tmp_path.glob("[abc].*")} == {"56 rows"}
    assert exporter_called("rows").package == "others-formats"


def test_specs_may_name_formats_of_others(package):
    package(GOOD, rows="others:rows")

    assert vocabulary().more_exports() == ((".rows", "rows"), (".rows.json", "rows"))


def test_a_checked_spec_exports_with_it(package, tmp_path: Path, monkeypatch, capsys):
    from tests.cli.specs import GOOD as SPEC

    package(GOOD, rows="others:rows")
    monkeypatch.chdir(tmp_path)
    spec = SPEC.replace('export "ioi.graphml"', 'export "a.rows", rows("b.txt"), "c.rows.json"')
    Path("good.atp").write_text(spec)

    assert spec != SPEC
    assert main(["check", "good.atp"]) == 0


def test_formats_of_others_are_listed_with_their_package(package, capsys):
    package(GOOD, rows="others:rows")

    assert main(["list", "exports"]) == 0
    listed = capsys.readouterr().out
    assert ".rows, .rows.json" in listed
    assert "others-formats" in " ".join(listed.split())
    for exporter in EXPORTERS:
        assert exporter.suffixes[0] in listed


BROKEN = {
    "raises": ("1 / 0\n", "others:rows", "ZeroDivisionError: division by zero"),
    "exits": ("raise ImportError('\\x1b[31mno\\nsecond')\n", "others:rows", "\\u001b[31mno"),
    "lacks": ("x = 1\n", "others:rows", "AttributeError"),
    "missing": ("x = 1\n", "nowhere_at_all:rows", "ModuleNotFoundError"),
    "another": ("rows = 3\n", "others:rows", "it is no `atpdsl.exports.Exporter` but `int`"),
    "taken name": (GOOD.replace('"rows"', '"csv"'), "others:rows", "`csv` already"),
    "taken suffix": (GOOD.replace('".rows"', '".csv"'), "others:rows", "`.csv` already"),
    "no suffix": (GOOD.replace('".rows"', '"rows"'), "others:rows", "has no dot"),
    "no function": (GOOD.replace("write=write", "write=3"), "others:rows", "no function"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_format_is_told_with_its_package_and_does_no_harm(
    package, tmp_path: Path, capsys, kind
):
    code, value, reason = BROKEN[kind]
    package(code, rows=value)
    with pytest.raises(RunError) as error:
        export(result(), tmp_path / "a.xyz")
    unknown, warning = error.value.problems

    assert unknown.code == "ATP450"
    assert (warning.code, warning.severity) == ("ATP456", Severity.WARNING)
    assert "`others-formats`" in warning.message
    assert reason in warning.message
    assert "\x1b" not in warning.message
    assert "second" not in warning.message
    assert every_exporter() == tuple(EXPORTERS)
    export(result(), tmp_path / "a.csv")
    assert main(["list", "exports"]) == 0
    assert "others-formats" in capsys.readouterr().err


FAILING = GOOD.replace("path.write_text", "path.write_text('half'); 1 / 0; path.write_text")


def test_a_format_that_fails_as_it_writes_is_a_problem(package, tmp_path: Path):
    package(FAILING, rows="others:rows")
    with pytest.raises(RunError) as error:
        export(result(), tmp_path / "a.rows")

    (problem,) = error.value.problems
    assert problem.code == "ATP456"
    assert "`others-formats` failed: ZeroDivisionError" in problem.message
    assert not list(tmp_path.glob("*.rows"))


def test_a_format_that_fails_does_not_cost_the_result(package, tmp_path: Path):
    package(FAILING, rows="others:rows")
    calls = experiment(exports=["a.csv", "b.rows", "c.svg"]).exports
    with pytest.raises(RunError) as error:
        save(result(), tmp_path / "ioi", calls)

    (problem,) = error.value.problems
    assert problem.message.startswith("`b.rows` was not written: ")
    assert f"the result itself is in `{tmp_path / 'ioi'}`" in problem.help
    assert len(Result.load(tmp_path / "ioi").table) == 56
    assert {p.name for p in (tmp_path / "ioi").glob("?.*")} == {"a.csv", "c.svg"}


def test_what_a_spec_lacks_is_known_before_the_run(monkeypatch):
    from atpdsl.exports import check_paths

    monkeypatch.setattr("atpdsl.exports.choosing.find_spec", lambda _: None)
    (call,) = experiment(exports=["a.png"]).exports
    with pytest.raises(RunError) as error:
        check_paths([call])

    (problem,) = error.value.problems
    assert problem.code == "ATP454"
    assert problem.at is not None
    assert problem.at.span == NOWHERE


def test_other_packages_are_looked_up_only_when_they_are_needed():
    code = (
        "import sys; from pathlib import Path; from atpdsl.exports import *; "
        "exporter_for(Path('a.csv')); exporter_called('eap_ig'); "
        "print('atpdsl.exports.plugins' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )

    assert run.stdout.strip() == "False"
