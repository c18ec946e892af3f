"""Finding the names of a tree: who defines one, who uses one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from atpdsl.editor.mentions import EVERYWHERE, VALUE, Spaces, dotted, mentions
from atpdsl.editor.names import Definition, Found, Key, Names, PairScope, Sort, Space
from atpdsl.editor.placeholders import placeholders
from atpdsl.editor.reading import Reader, included_file, parsed, read_file
from atpdsl.syntax import tree as t

DEEPEST = 8
LONGEST = 120
# Settings whose values are names of something else than a value.
SETTING_SPACES = {
    ("verify", "method"): (Space.METHOD, Space.VALUE),
    ("circuit", "from"): (Space.METHOD, Space.VALUE),
    ("circuit", "evaluate"): (Space.PROMPTS, Space.VALUE),
    ("run", "prompts"): (Space.PROMPTS, Space.VALUE),
}
# Texts for people, in which braces mean nothing.
PLAIN = {("param", "help")}


def names_of(text: str, folder: Path | None = None, read: Reader = read_file) -> Names:
    """The names of a spec and of the files that it includes.

    Args:
        text: the spec.
        folder: its folder, None if it is in none.
        read: gives the text of a file, None if there is none.
    """
    found = Found()
    _Collector(found, folder, read).collect(parsed(text).tree)
    return Names(found)


class _Collector:
    """Adds the names of one tree; `path` and `prefix` are set for an included one."""

    def __init__(
        self,
        found: Found,
        folder: Path | None,
        read: Reader,
        path: Path | None = None,
        prefix: str = "",
    ) -> None:
        self.found = found
        self.folder = folder
        self.read = read
        self.path = path
        self.prefix = prefix
        self.scope: int | None = None
        self.seen: tuple[Path, ...] = ()
        self.text = ""

    def collect(self, tree: t.SpecFile) -> None:
        """Adds the names of a file's tree."""
        self.text = tree.source.text
        for statement in tree.statements:
            self._statement(statement)

    def _statement(self, statement: t.Statement) -> None:
        match statement:
            case t.Include():
                self._include(statement)
            case t.Let():
                self._define(statement.name, Space.VALUE, Sort.LET, statement)
                self._use((statement.value,), VALUE)
            case t.Parameter():
                self._define(statement.name, Space.VALUE, Sort.PARAM, statement)
                self._use((statement.value,), VALUE)
                self._settings("param", statement.body)
            case t.Sweep():
                self._define(statement.name, Space.VALUE, Sort.SWEEP, statement)
                self._use((statement.values,), VALUE)
            case t.Declaration():
                self._declaration(statement)
            case t.PromptSet():
                self._prompts(statement)
            case t.Block():
                self._settings(statement.word.text, statement.body)
            case t.Export():
                self._use(statement.items, VALUE)
            case t.Version():
                pass

    # ---- definitions ----

    def _define(
        self,
        name: t.Name,
        space: Space,
        sort: Sort,
        statement: t.Statement | t.BodyStatement,
        *,
        implied: bool = False,
    ) -> None:
        text = name.text if space is Space.PAIR else f"{self.prefix}{name.text}"
        key = Key(space, self.scope if space is Space.PAIR else None, text)
        definition = Definition(
            key=key,
            sort=sort,
            span=name.span,
            statement=statement,
            written=_written(self.text, statement),
            path=self.path,
            implied=implied,
        )
        self.found.definitions.append(definition)

    def _include(self, statement: t.Include) -> None:
        alias = statement.alias
        if alias is not None:
            self._define(alias, Space.VALUE, Sort.FILE, statement)
        path = included_file(statement.path.value, self.folder)
        if path is None or path in self.seen or len(self.seen) >= DEEPEST:
            return
        text = self.read(path)
        if text is None:
            return
        prefix = f"{self.prefix}{alias.text}." if alias is not None else self.prefix
        inner = _Collector(self.found, path.parent, self.read, path, prefix)
        inner.seen = (*self.seen, path)
        inner.collect(parsed(text).tree)

    def _declaration(self, statement: t.Declaration) -> None:
        spaces = EVERYWHERE if statement.word.text == "metric" else VALUE
        if statement.word.text == "method":
            named = statement.label or statement.value
            if isinstance(named, t.Name):
                implied = statement.label is None
                self._define(named, Space.METHOD, Sort.METHOD, statement, implied=implied)
        else:
            self._use((statement.value,), spaces)
        self._use(statement.positions, EVERYWHERE)
        self._settings(statement.word.text, statement.body)

    # ---- bodies ----

    def _settings(self, word: str, body: t.Body | None) -> None:
        """The body of a statement that is no set of prompts."""
        for line in body.statements if body else ():
            if isinstance(line, t.Setting):
                if (word, line.name.text) not in PLAIN:
                    self._use((line.value,), SETTING_SPACES.get((word, line.name.text), VALUE))
                self._settings(word, line.body)
            elif isinstance(line, t.Select):
                self._select(word, line)

    def _select(self, word: str, line: t.Select) -> None:
        spaces = (Space.METHOD, *EVERYWHERE) if word == "expect" else VALUE
        self._use((*line.items, *line.targets), spaces)
        self._use(line.positions, EVERYWHERE)
        self._use((line.where,), VALUE)
        self._settings(word, line.body)

    def _prompts(self, statement: t.PromptSet) -> None:
        base = dotted(statement.origin)
        number = len(self.found.scopes)
        name = statement.word.text if base is None else base.rpartition(".")[2]
        if statement.name is not None:
            name = statement.name.text
            self._define(statement.name, Space.PROMPTS, Sort.PROMPTS, statement)
        self._use((statement.origin,), (Space.PROMPTS, Space.VALUE))
        scope = PairScope(
            number=number,
            name=f"{self.prefix}{name}",
            base=None if base is None else f"{self.prefix}{base}",
            span=statement.span,
            path=self.path,
        )
        self.found.scopes.append(scope)
        self.scope = number
        for line in statement.body.statements:
            self._prompts_line(line)
        self.scope = None

    def _prompts_line(self, line: t.BodyStatement) -> None:
        match line:
            case t.Setting():
                self._text(line.value, line)
            case t.Template():
                self._text(line.text, line)
            case t.Pair():
                self._text(line.clean, line)
                self._text(line.corrupted, line)
                for inner in line.body.statements if line.body else ():
                    self._prompts_line(inner)
            case t.CorruptLine():
                self._use((*line.targets, *line.values), EVERYWHERE)
            case t.AnswerLine():
                self._use((line.right, line.wrong), EVERYWHERE)
            case t.Select():
                pass
            case _:
                self._naming(line)

    def _naming(self, line: t.SlotLine | t.PositionLine | t.Let) -> None:
        """A line that names something of the pairs."""
        match line:
            case t.SlotLine():
                for name in line.names:
                    self._define(name, Space.PAIR, Sort.SLOT, line)
                self._use((line.values,), VALUE)
                self._use((line.where,), EVERYWHERE)
            case t.PositionLine():
                self._define(line.name, Space.PAIR, Sort.POSITION, line)
                self._use((line.value,), EVERYWHERE)
            case t.Let():
                self._define(line.name, Space.PAIR, Sort.PAIR_LET, line)
                self._use((line.value,), EVERYWHERE)

    def _text(self, value: t.Expression, line: t.BodyStatement) -> None:
        """A prompt: it may name places, besides using names."""
        self._use((value,), EVERYWHERE)
        if isinstance(value, t.String):
            for placeholder in placeholders(value):
                if placeholder.label is not None:
                    self._define(placeholder.label, Space.PAIR, Sort.PLACE, line)

    def _use(self, values: Iterable[t.Expression | None], spaces: Spaces) -> None:
        """Expressions; those of an included file are not asked for the names that they use."""
        for value in values if self.path is None else ():
            self.found.uses += mentions(value, spaces, self.scope)


def _written(text: str, statement: t.Statement | t.BodyStatement) -> str:
    """A statement on one line, without its body."""
    body = getattr(statement, "body", None)
    end = statement.span.end if body is None else body.span.start
    line = " ".join(text[statement.span.start : end].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."
