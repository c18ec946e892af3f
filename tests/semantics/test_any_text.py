"""Whatever could be parsed, resolving it gives an experiment or says why not."""

from __future__ import annotations

from hypothesis import given

from atpdsl.problems import Severity, Source
from atpdsl.problems.codes import CODES
from atpdsl.semantics.resolve import resolve
from atpdsl.syntax.parse import parse
from tests.semantics.words import VOCABULARY
from tests.syntax.test_any_text import SETTINGS, TEXTS


@SETTINGS
@given(TEXTS)
def test_any_text_gives_an_experiment_or_an_error(tmp_path_factory, text):
    source = Source("a.atp", text)
    tree, problems = parse(source)
    experiment, found = resolve(tree, source, VOCABULARY, tmp_path_factory.getbasetemp())

    errors = [p for p in (*problems, *found) if p.severity is Severity.ERROR]
    assert errors or experiment is not None
    assert all(problem.code in CODES for problem in found)
    assert all(problem.at is not None for problem in found)
