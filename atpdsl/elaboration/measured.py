"""Which sets of prompts are measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from atpdsl.elaboration.deriving import PromptSet
from atpdsl.elaboration.modules import Module, dotted
from atpdsl.elaboration.prompt_sets import PromptSets
from atpdsl.problems import Span
from atpdsl.semantics.findings import Findings, listed
from atpdsl.syntax import tree as t

CHOICE = "prompts"


class Measured:
    """Chooses sets: those of the spec, or those that `run { prompts = ... }` names."""

    def __init__(self, main: Module, sets: PromptSets, findings: Findings) -> None:
        self.main = main
        self.sets = sets
        self.findings = findings

    def choose(self, statements: Iterable[t.Statement]) -> tuple[PromptSet, ...]:
        """The sets that are measured, in the order of the spec or of the choice.

        Args:
            statements: the spec's, with values for their names.
        """
        statements = tuple(statements)
        kept_back = tuple(one for one in map(self.sets.named, _evaluated(statements)) if one)
        choice = _choice(statements)
        if choice is not None:
            chosen = self._chosen(choice.value)
            if chosen:
                return chosen
        if not self.sets.own:
            return self._brought()
        measured = tuple(one for one in self.sets.written if one not in kept_back)
        return measured or self.sets.written

    def _chosen(self, value: t.Expression) -> tuple[PromptSet, ...]:
        names = value.items if isinstance(value, t.ListOf) else (value,)
        found: list[PromptSet] = []
        for name in names:
            if not isinstance(name, t.Name | t.Attribute) or not dotted(name):
                self.findings.error(
                    "ATP108",
                    "`prompts` is the name of a set of prompts, or a list of names",
                    name.span,
                    advice="write `prompts = ioi` or `prompts = [ioi, held_out]`",
                )
                continue
            one = self.sets.named(name)
            if one is not None and one not in found:
                self._check_name(one, name.span, found)
                found.append(one)
        return tuple(found)

    def _check_name(self, one: PromptSet, at: Span, others: Iterable[PromptSet]) -> None:
        """Sets of several files may have the same name, and points may not."""
        if any(other.name.text == one.name.text for other in others):
            self.findings.error(
                "ATP147",
                f"two of these sets of prompts are called `{one.name.text}`",
                at,
                advice="give one another name: `prompts NAME from ... { }`",
            )

    def _brought(self) -> tuple[PromptSet, ...]:
        """The set of an included file, where the spec has none of its own."""
        included = self.sets.included()
        if len(included) < 2:
            return tuple(one for _, one in included)
        includes = [s for s in self.main.tree.statements if isinstance(s, t.Include)]
        names = tuple(name for name, _ in included)
        self.findings.error(
            "ATP149",
            f"the included files have the prompts {listed(names)}: which are measured?",
            includes[0].path.span,
            advice=f"write `run {{ prompts = {names[0]} }}`, or `prompts from {names[0]}"
            " { count = 16 }` to change something in it",
        )
        return ()


def _evaluated(statements: Iterable[t.Statement]) -> Iterator[t.Name]:
    """The sets that only serve to evaluate a circuit: `evaluate = curve(..., on = NAME)`."""
    for setting in _settings(statements, "circuit", "evaluate"):
        arguments = setting.value.arguments if isinstance(setting.value, t.Call) else ()
        for argument in arguments:
            on = argument.name is not None and argument.name.text == "on"
            if on and isinstance(argument.value, t.Name):
                yield argument.value


def _choice(statements: Iterable[t.Statement]) -> t.Setting | None:
    return next(_settings(statements, "run", CHOICE), None)


def _settings(statements: Iterable[t.Statement], word: str, name: str) -> Iterator[t.Setting]:
    for block in statements:
        if isinstance(block, t.Block) and block.word.text == word:
            for line in block.body.statements:
                if isinstance(line, t.Setting) and line.name.text == name:
                    yield line


def without_choice(statement: t.Statement) -> t.Statement:
    """A `run` block without the choice of prompts, which is made by now."""
    if not isinstance(statement, t.Block) or statement.word.text != "run":
        return statement
    rest = tuple(
        line
        for line in statement.body.statements
        if not (isinstance(line, t.Setting) and line.name.text == CHOICE)
    )
    if len(rest) == len(statement.body.statements):
        return statement
    return replace(statement, body=replace(statement.body, statements=rest))
