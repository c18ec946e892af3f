"""`atpdsl check --fix`: the fixes of problems, made in the spec's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from atpdsl import driver
from atpdsl.checked import Study
from atpdsl.checking import Access, check_source
from atpdsl.cli.rewriting import replace_file
from atpdsl.cli.terminal import count, tell
from atpdsl.problems import Problem, Source
from atpdsl.problems.clean import clean
from atpdsl.problems.fixes import applied
from atpdsl.problems.render import located

# A mended mistake may have hidden others, so a text is checked again; but not for ever.
MOST_ROUNDS = 20


def mend(path: Path, allowed: Access) -> Study:
    """Make all fixes in a spec's file that can be made, and tell each; what is left is given.

    Included files stay as they are.

    Raises:
        SpecError: when the file cannot be read.
        RunError: when it cannot be written.
    """
    source = driver.read_source(path)
    mending = _Mending(source, path.parent, allowed)
    mending.mend()
    if mending.made:
        replace_file(path, mending.source.text)
        for problem in mending.made:
            _tell_fix(problem)
        tell(f"{clean(str(path))}: {count(len(mending.made), 'fix', 'fixes')}")
    return mending.study


class _Mending:
    """Rounds of fixes in a text; fixes that do not help are not made."""

    def __init__(self, source: Source, base: Path, allowed: Access) -> None:
        self.source = source
        self.base = base
        self.allowed = allowed
        self.study = check_source(source, base, allowed)
        self.made: list[Problem] = []
        self.useless: set[tuple[str, str]] = set()

    def mend(self) -> None:
        """Make fixes until there are none left to be made."""
        for _ in range(MOST_ROUNDS):
            here = self._here(self.study)
            text, mended = applied(self.source.text, self._useful(here))
            if not mended:
                break
            source = Source(self.source.name, text)
            study = check_source(source, self.base, self.allowed)
            before, after = _counted(here), _counted(self._here(study))
            useless = {key for key in map(_key, mended) if after[key] >= before[key]}
            self.useless |= useless
            if not useless:
                self.source, self.study = source, study
                self.made += mended

    def _here(self, study: Study) -> tuple[Problem, ...]:
        """The problems that are in the spec's own file."""
        return tuple(
            problem
            for problem in located(study.problems, study.source)
            if problem.at is not None
            and problem.at.source is not None
            and problem.at.source.name == self.source.name
        )

    def _useful(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        return tuple(problem for problem in problems if _key(problem) not in self.useless)


def _key(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.message


def _counted(problems: Iterable[Problem]) -> Counter[tuple[str, str]]:
    return Counter(map(_key, problems))


def _tell_fix(problem: Problem) -> None:
    at, fix = problem.at, problem.fix
    if at is None or at.source is None or fix is None:
        return
    line, column = at.source.line_column(fix.span.start)
    place = f"{clean(at.source.name)}:{line}:{column}"
    tell(f"fixed {place}: {clean(fix.title)} ({problem.code}: {clean(problem.message)})")
