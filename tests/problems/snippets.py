"""The snippets of the codes as whole specs, and what the whole front end says of a spec."""

from __future__ import annotations

from pathlib import Path

from atpdsl.binding.bind import bind
from atpdsl.checking import Access, check_source
from atpdsl.problems import Problem, Source
from atpdsl.problems.codes import Code
from atpdsl.problems.fixes import mended
from tests.binding import test_codes as binding
from tests.data_files import write_files
from tests.semantics.words import DEFAULTS, complete

NAME = "spec.atp"
# Their `bad` is a whole spec without `atp 1`, or a spec by itself.
WHOLE = frozenset({"ATP100", "ATP009"})


def spec_of(code: Code, *, bad: bool = True) -> str:
    """A code's snippet as a whole spec."""
    snippet = code.bad if bad else code.good
    if code.code in WHOLE and bad:
        return snippet
    if 240 <= int(code.code[3:]) < 300:
        return binding.spec(snippet)
    prompts = DEFAULTS["prompts"]
    return complete(snippet).replace(prompts, f"{prompts[:-1]}  count = 4\n}}")


def problems_of(text: str, folder: Path | None = None) -> tuple[Problem, ...]:
    """The problems of a spec as `atpdsl check` finds them, placed and with their fixes."""
    folder = folder or Path(__file__).parent
    source = Source(NAME, text)
    study = check_source(source, folder, Access(offline=True))
    return tuple(problem.placed(study.source) for problem in study.problems)


def shown_problems(code: Code, folder: Path) -> tuple[Problem, ...]:
    """The problems of a code's failing snippet, with the model and files that it needs."""
    write_files(folder)
    text = spec_of(code)
    study = check_source(Source(NAME, text), folder, Access(offline=True))
    point = study.points[0] if study.points else None
    about_nodes = 270 <= int(code.code[3:]) < 280
    if not about_nodes or point is None or point.experiment is None:
        return tuple(problem.placed(study.source) for problem in study.problems)
    shape = binding.SHAPES.get(code.code, binding.TWELVE)
    assert point.tokenizer is not None
    found = bind(point.experiment, shape, point.tokenizer, folder)[1]
    return tuple(mended(problem, study.source).placed(study.source) for problem in found)
