"""Everything that happens to a text before a model runs, and what must hold of it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atpdsl.checking import Access, check_source
from atpdsl.formatting.text import format_text
from atpdsl.problems import Problem, Source, SpecError
from atpdsl.problems.codes import CODES
from atpdsl.problems.render import as_json, concise, located, plain
from atpdsl.problems.render_github import github
from atpdsl.problems.render_rich import render_rich
from atpdsl.problems.render_sarif import sarif
from atpdsl.syntax.parse import parse

MOST_SECONDS = 2.0
OFFLINE = Access(offline=True)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a text came."""

    parsed: bool
    resolved: bool
    bound: bool


def prepare(folder: Path) -> Path:
    """A folder with the files that the specs speak of."""
    (folder / "data").mkdir()
    rows = "clean,corrupted,label,other,right,wrong\nAnn went,Bob went,32,Italy,Rome,Paris\n"
    for name in ("greater_than_data.csv", "data/capitals.csv", "pairs.csv"):
        (folder / name).write_text(rows, encoding="utf-8")
    row = '{"clean": "Ann went", "corrupted": "Bob went", "right": "Rome", "wrong": "Paris"}\n'
    (folder / "pairs.jsonl").write_text(row, encoding="utf-8")
    for name in ("nouns.txt", "names.txt"):
        (folder / name).write_text("Ann\nBob\nwar\n", encoding="utf-8")
    (folder / "ioi_prompts.atp").write_text('include "lib:ioi"\n', encoding="utf-8")
    return folder


def go_through(text: str, base: Path, *, formatting: bool = True) -> Reached:
    """Take a text through the front end.

    Args:
        text: any.
        base: a folder made by `prepare`.
        formatting: lay it out, too, which takes as long as all the rest.

    Raises:
        AssertionError: when something does not hold of its problems.
        Exception: of any kind, when something has a bug.
    """
    began = time.process_time()
    with ended_after(10 * MOST_SECONDS):
        reached = _go_through(text, base, formatting=formatting)
    seconds = time.process_time() - began
    assert seconds < MOST_SECONDS, f"it took {seconds:.1f} s"
    return reached


def _go_through(text: str, base: Path, *, formatting: bool) -> Reached:
    source = Source("a.atp", text)
    _, syntax = parse(source)
    study = check_source(source, base, OFFLINE)
    check_problems(study.problems, study.source)
    if formatting:
        check_formatting(text, readable=not syntax)
    assert study.errors or (study.points and all(point.bound for point in study.points))
    return Reached(
        parsed=not syntax,
        resolved=any(point.experiment for point in study.points),
        bound=bool(study.points) and all(point.bound for point in study.points),
    )


def check_problems(problems: tuple[Problem, ...], source: Source) -> None:
    """Problems have known codes and places in a text, and can be shown in every way."""
    for problem in problems:
        assert problem.code in CODES, problem
        assert problem.message, problem
    for problem in located(problems, source):
        for label in (problem.at, *problem.also):
            if label is None:
                continue
            assert label.source is not None, problem
            assert 0 <= label.span.start <= label.span.end <= len(label.source.text), problem
        fix, at = problem.fix, problem.at
        if fix is not None:
            assert at is not None
            assert at.source is not None
            assert 0 <= fix.span.start <= fix.span.end <= len(at.source.text), problem
    texts = (
        plain(problems, source),
        concise(problems, source),
        render_rich(problems, source).plain,
        github(problems, source),
    )
    for shown in texts[:3]:
        assert all(line.isprintable() for line in shown.split("\n"))
    json.dumps(as_json(problems, source))
    json.dumps(sarif(located(problems, source), version="1"))


def check_formatting(text: str, *, readable: bool) -> None:
    """A text is laid out, once and for all, exactly if it can be read."""
    try:
        formatted = format_text(text)
    except SpecError:
        assert not readable
        return
    assert readable
    assert format_text(formatted) == formatted


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """Ends what would never end, where the system can; else nothing.

    Raises:
        TimeoutError: in the middle of it.
    """
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise TimeoutError(f"it took more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
