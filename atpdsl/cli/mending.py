"""`atpdsl check --fix`: the fixes of problems, made in the spec's file."""

from __future__ import annotations

from pathlib import Path

from atpdsl import driver
from atpdsl.checked import Study
from atpdsl.checking import Access, check_source
from atpdsl.cli.rewriting import replace_file
from atpdsl.cli.terminal import count, tell
from atpdsl.problems import Problem, RunError, Source
from atpdsl.problems.clean import clean
from atpdsl.problems.fixes import applied
from atpdsl.problems.render import located

# A mended mistake may have hidden others, so a text is checked again; but not for ever.
MOST_ROUNDS = 10


def mend(path: Path, allowed: Access) -> Study:
    """Make all fixes in a spec's file that can be made, and tell each; what is left is given.

    Included files stay as they are.

    Raises:
        SpecError: when the file cannot be read.
        RunError: when it cannot be written.
    """
    source = driver.read_source(path)
    text = source.text
    study = check_source(source, path.parent, allowed)
    made = 0
    for _ in range(MOST_ROUNDS):
        here = [p for p in located(study.problems, study.source) if _is_in(p, source.name)]
        text, mended = applied(text, here)
        if not mended:
            break
        for problem in mended:
            _tell_fix(problem)
        made += len(mended)
        study = check_source(Source(source.name, text), path.parent, allowed)
    if text != source.text:
        _write(path, source.text, text)
        tell(f"{clean(str(path))}: {count(made, 'fix', 'fixes')}")
    return study


def _is_in(problem: Problem, name: str) -> bool:
    at = problem.at
    return at is not None and at.source is not None and at.source.name == name


def _tell_fix(problem: Problem) -> None:
    at, fix = problem.at, problem.fix
    if at is None or at.source is None or fix is None:
        return
    line, column = at.source.line_column(fix.span.start)
    place = f"{clean(at.source.name)}:{line}:{column}"
    tell(f"fixed {place}: {clean(fix.title)} ({problem.code}: {clean(problem.message)})")


def _write(path: Path, before: str, after: str) -> None:
    """Puts a text in the place of a file's, unless someone else has changed it meanwhile."""
    if driver.read_source(path).text != before:
        message = f"cannot write `{path}`: it was changed meanwhile"
        advice = "run the command again"
        raise RunError([Problem(code="ATP442", message=message, help=advice)])
    replace_file(path, after)
