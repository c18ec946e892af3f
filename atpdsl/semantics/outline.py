"""The statements of a spec by their word: what is there twice, missing, or not yet known."""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from atpdsl.problems import Span
from atpdsl.problems.fixes import inserted
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, listed
from atpdsl.semantics.schema import EDITION, SHAPE_OF, SHAPES
from atpdsl.semantics.texts import twice
from atpdsl.syntax import tree as t
from atpdsl.syntax.words import STATEMENTS

S = TypeVar("S")


class Outline:
    """The statements of a spec, sorted; those of later versions are left out.

    Attributes:
        known_edition: False for a spec of another edition, about which nothing else is said.
    """

    def __init__(self, tree: t.SpecFile, findings: Findings) -> None:
        self.tree = tree
        self.findings = findings
        self._by_word: dict[str, list[t.Statement]] = defaultdict(list)
        for statement in tree.statements:
            self._by_word[statement.word.text].append(statement)
        self.known_edition = self._check_edition()
        if self.known_edition:
            self._check_words()

    def all(self, word: str, kind: type[S]) -> tuple[S, ...]:
        """The statements that begin with a word."""
        return tuple(s for s in self._by_word[word] if isinstance(s, kind))

    def one(self, word: str, kind: type[S]) -> S | None:
        """The first statement that begins with a word, None if there is none."""
        return next(iter(self.all(word, kind)), None)

    def readable(self, word: str) -> bool:
        """Whether every statement with a word could be read."""
        return not any(_may_be(broken, word) for broken in self.tree.broken)

    # ---- checks ----

    def _check_edition(self) -> bool:
        """Whether the spec is of an edition that is known here, or of none."""
        versions = self.all("atp", t.Version)
        if not versions:
            if self.readable("atp"):
                statements = self.tree.statements
                self.findings.error(
                    "ATP100",
                    "this spec does not say in which edition of the language it is written",
                    statements[0].word.span if statements else Span(0, 0),
                    advice=f"begin with the line `atp {EDITION}`",
                    fix=inserted(f"atp {EDITION}\n\n", 0),
                )
            return True
        return is_known_edition(versions[0], self.findings)

    def _check_words(self) -> None:
        for shape in SHAPES:
            statements = self._by_word[shape.word]
            if shape.later:
                for statement in statements:
                    self.findings.not_yet(f"`{shape.word}`", statement.word.span)
                continue
            if shape.once:
                for statement in statements[1:]:
                    first = statements[0].word.span
                    twice(f"`{shape.word}`", statement.word.span, first, self.findings)
        self._check_missing()

    def _check_missing(self) -> None:
        missing = tuple(
            shape.word
            for shape in SHAPES
            if shape.required
            and shape.word != "atp"
            and not self._by_word[shape.word]
            and self.readable(shape.word)
            and not (shape.word == "nodes" and self._by_word["edges"])
        )
        if not missing:
            return
        examples = "; ".join(f"`{SHAPE_OF[word].example}`" for word in missing)
        last = self.tree.statements[-1].word.span if self.tree.statements else Span(0, 0)
        self.findings.error(
            "ATP103",
            f"this spec has no {listed(missing)}",
            last,
            advice=f"add {examples}",
        )


def is_known_edition(version: t.Version, findings: Findings) -> bool:
    """Whether this is the edition that is known here; a problem if not."""
    if version.number.text == str(EDITION):
        return True
    findings.error(
        "ATP101",
        f"this is edition {version.number.text} of the language,"
        f" and only edition {EDITION} is known here",
        version.number.span,
        advice="a newer atpdsl may know it: `pip install -U atpdsl`",
    )
    return False


def _may_be(broken: t.Name, word: str) -> bool:
    """Whether a statement that could not be read may have been one with this word."""
    return broken.text == word or (
        broken.text not in STATEMENTS and closest(broken.text, STATEMENTS) in (None, word)
    )
