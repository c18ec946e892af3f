"""What a notebook shows of a result, and the magic, in IPython without a kernel."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from atpdsl.notebook.options import HelpError, read
from atpdsl.notebook.problems import as_html, problem_bundle
from atpdsl.problems import Label, Problem, RunError, Source, Span, SpecError
from atpdsl.results.result import Result
from atpdsl.results.sweep import Sweep
from tests.cli.specs import BAD, GOOD
from tests.results.samples import WORDS, experiment, result

EVIL = '</script></iframe><img src=x onerror="x()">\x1b[2J'
SHEET = "text/plain", "image/svg+xml", "text/html"


def hostile() -> Result:
    return result(
        spell=(*WORDS[:3], EVIL, *WORDS[4:]).__getitem__,
        experiment=replace(experiment(), name=EVIL),
    )


# ---- results ----


def test_a_result_has_text_a_picture_and_a_page():
    found = result()._repr_mimebundle_()

    assert tuple(found) == SHEET
    assert found["text/plain"].startswith("ioi on tiny: logit_diff at last")
    assert max(map(len, found["text/plain"].splitlines())) <= 80
    assert Xml.fromstring(found["image/svg+xml"]).tag.endswith("svg")  # noqa: S314
    assert found["text/html"] == result()._repr_html_()


def test_only_what_is_asked_for_is_made():
    made = result()

    assert tuple(made._repr_mimebundle_(include={"text/plain"})) == ("text/plain",)
    assert "text/html" not in made._repr_mimebundle_(exclude={"text/html"})


@pytest.mark.parametrize("make", [result, hostile])
def test_the_page_is_in_a_frame_that_can_run_scripts_and_nothing_else(make):
    text = make()._repr_html_()
    frames = re.findall(r"<iframe ([^>]*)>", text)

    # An attribute's value has no quote, so that the frame's source cannot end.
    assert len(frames) == 1
    assert re.findall(r'sandbox="([^"]*)"', frames[0]) == ["allow-scripts"]
    source = re.search(r'srcdoc="([^"]*)"', frames[0])
    assert source is not None
    page = html.unescape(source[1])
    assert page.lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "default-src 'none'" in html.unescape(page)
    assert "<img" not in text
    assert "\x1b" not in text


def test_who_drops_the_frame_still_sees_the_table():
    text = re.sub(r"<iframe.*?</iframe>", "", result()._repr_html_(), flags=re.DOTALL)

    assert "logit_diff at last" in html.unescape(text)
    assert "<img" not in re.sub(r"<iframe.*?</iframe>", "", hostile()._repr_html_(), flags=re.S)


def test_a_run_that_computed_nothing_is_only_text():
    made = result()
    number = made.table.column_names.index("score")
    empty = made.table["score"].cast("float64").slice(0, 0)
    nothing = replace(
        made,
        table=made.table.slice(0, 0).set_column(
            number, made.table.schema.field("score"), empty
        ),
    )

    assert tuple(nothing._repr_mimebundle_()) == ("text/plain",)


# ---- problems ----


def test_problems_are_escaped_and_coloured():
    source = Source("x.atp", 'model "<b>"\n')
    problem = Problem(code="ATP220", message="<script>", at=Label(Span(6, 11)), help="&")
    found = problem_bundle([problem], source)

    assert found["text/plain"].startswith("error[ATP220]: <script>")
    assert "&lt;script&gt;" in found["text/html"]
    assert "<script" not in as_html([problem], source)
    assert "color:" in found["text/html"]
    assert "1 error" in found["text/html"]


# ---- options ----


def test_options_are_read():
    found = read("ioi --out 'my runs/x' -p a=1 -p b=2,3 --overwrite --quiet", cell=True)

    assert (found.name, found.out) == ("ioi", Path("my runs/x"))
    assert found.access.given == {"a": "1", "b": "2,3"}
    assert (found.overwrite, found.quiet, found.check) == (True, True, False)
    assert read("", cell=True).name == ""
    assert read("specs/ioi.atp --check", cell=False).check


@pytest.mark.parametrize("line", ["--oot x", "a b", "1x", "'open", "-p x", "import os"])
def test_options_that_make_no_sense_are_a_problem(line):
    with pytest.raises(RunError, match="ATP462"):
        read(line, cell=True)


def test_help_and_values_given_twice():
    with pytest.raises(HelpError, match="--out DIR"):
        read("--help", cell=False)
    with pytest.raises(SpecError, match="ATP427"):
        read("-p a=1 -p a=2", cell=True)
    with pytest.raises(RunError, match="ATP462"):
        read("", cell=False)


# ---- the magic ----


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """IPython with the extension loaded, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    made = InteractiveShell()
    made.run_line_magic("load_ext", "atpdsl")
    return made


def run(shell: InteractiveShell, cell: str) -> tuple[object, str]:
    """What a cell gives, and everything that it shows; it never raises."""
    with capture_output() as captured:
        done = shell.run_cell(cell, store_history=True)
    assert done.error_in_exec is None
    assert done.error_before_exec is None
    shown = "".join(output.data.get("text/plain", "") for output in captured.outputs)
    return done.result, captured.stdout + captured.stderr + shown


def test_a_cell_is_run_as_a_spec_and_gives_its_name_a_result(shell):
    found, _ = run(shell, f"%%atp found --quiet\n{GOOD}")

    assert isinstance(found, Result)
    assert shell.user_ns["found"] is found
    assert found.record.spec.name == "found"
    assert isinstance(found.top(3), pd.DataFrame)
    # In memory only.
    assert list(Path().iterdir()) == []


def test_a_result_is_kept_where_asked(shell):
    found, _ = run(shell, f"%%atp --quiet --out kept\n{GOOD}")

    assert isinstance(found, Result)
    assert (Path("kept") / "result.json").is_file()
    assert (Path("kept") / "ioi.graphml").is_file()
    _, text = run(shell, f"%%atp --quiet --out kept\n{GOOD.replace('top = 5', 'top = 4')}")
    assert "ATP440" in text


def test_a_mistake_is_shown_and_unsets_the_name(shell):
    shell.user_ns["found"] = "old"
    found, text = run(shell, f"%%atp found --quiet\n{BAD}")

    assert found is None
    assert "found.atp:15:1" in text
    assert "did you mean `metric`?" in text
    assert "Traceback" not in text
    assert "found" not in shell.user_ns


def test_a_cell_can_only_be_checked(shell):
    study, text = run(shell, f"%%atp --check\n{GOOD}")
    assert study.errors == ()
    assert text == "" or "error" not in text
    study, text = run(shell, f"%%atp --check\n{BAD}")
    assert study.errors
    assert "did you mean `metric`?" in text


def test_a_line_runs_a_file(shell):
    Path("good.atp").write_text(GOOD, encoding="utf-8")
    _, text = run(shell, "found = %atp good.atp --quiet")

    assert text == ""
    assert isinstance(shell.user_ns["found"], Result)
    assert "ATP420" in run(shell, "%atp nowhere.atp")[1]
    assert "usage: %atp" in run(shell, "%atp --help")[1]
    assert "ATP462" in run(shell, "%atp --nothing")[1]


def test_values_are_given_to_the_spec(shell):
    spec = GOOD.replace("top = 5", "top = k").replace(
        'model "tiny"', 'param k = 5\nmodel "tiny"'
    )
    found, _ = run(shell, f"%%atp --quiet -p k=3\n{spec}")

    assert isinstance(found, Result)
    assert found.record.verification[0].top == 3


def test_a_sweep_needs_a_folder(shell):
    spec = f"{GOOD}sweep seed in 0..1\nrun {{ seed = seed }}\n"
    assert "ATP463" in run(shell, f"%%atp --quiet\n{spec}")[1]
    found, _ = run(shell, f"%%atp swept --quiet --out runs/swept\n{spec}")

    assert isinstance(found, Sweep)
    assert len(found.table) == 2


def test_the_model_is_loaded_once(shell, monkeypatch):
    from atpdsl.runtime import load

    loaded: list[object] = []
    real = load.load_model
    monkeypatch.setattr(
        load, "load_model", lambda *args, **rest: loaded.append(1) or real(*args, **rest)
    )
    run(shell, f"%%atp --quiet\n{GOOD}")
    run(shell, f"%%atp --quiet\n{GOOD.replace('top = 5', 'top = 4')}")

    assert len(loaded) == 1


def test_nothing_needs_ipython_but_the_magic():
    program = (
        "import sys, atpdsl, atpdsl.cli, atpdsl.notebook.display, atpdsl.driver\n"
        "sys.exit('IPython' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
