"""The spec and the files that it includes, each with the names in its sight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from atpdsl.elaboration.including import (
    DEEPEST_INCLUDE,
    LIBRARY,
    MOST_FILES,
    MOST_NAMES,
    missing,
    place_of,
    read_part,
)
from atpdsl.elaboration.modules import Defining, Module, Named, Space
from atpdsl.elaboration.moving import moved, moved_problem
from atpdsl.elaboration.naming import NODE_NAME
from atpdsl.elaboration.program import IncludedFile, Kind
from atpdsl.problems import Label, Severity, Source, Span
from atpdsl.semantics.findings import Findings
from atpdsl.semantics.outline import is_known_edition
from atpdsl.semantics.paths import project_root
from atpdsl.semantics.schema import EDITION
from atpdsl.syntax import tree as t
from atpdsl.syntax.parse import parse

INCLUDABLE = (t.Version, t.Include, t.Let, t.Parameter, t.PromptSet)


class Loader:
    """Reads a spec's files.

    Attributes:
        source: the spec's text; grows by the texts of included files.
        modules: all files, the spec first.
        labels: names of methods and of the metric, which no other name may take.
    """

    def __init__(self, source: Source, reserved: Collection[str], findings: Findings) -> None:
        self.source = source
        self.findings = findings
        self.reserved = reserved
        self.modules: list[Module] = []
        self.included: list[IncludedFile] = []
        self.labels: dict[str, Span] = {}
        self._read: dict[Path, Module | None] = {}
        self._open: list[Path] = []

    def spec(self, tree: t.SpecFile, base: Path) -> Module:
        """The spec itself, and all that it includes."""
        folder = base.resolve()
        main = Module(
            tree=tree,
            folder=folder,
            root=project_root(folder),
            complete=not tree.broken,
            main=True,
        )
        self._open.append(folder / Path(self.source.name).name)
        self.modules.append(main)
        for statement in tree.statements:
            label = statement.label if isinstance(statement, t.Declaration) else None
            if label is not None and statement.word.text != "model":
                self.labels.setdefault(label.text, label.span)
        main.reserved = frozenset({*self.reserved, *self.labels})
        self._take_names(main)
        return main

    def _take_names(self, module: Module) -> None:
        labels = self.labels.items() if module.main else ()
        own = {label: Label(span, "the first is here") for label, span in labels}
        seen: dict[Path, Span] = {}
        for statement in module.tree.statements:
            match statement:
                case t.Include():
                    self._include(statement, module, own, seen)
                case t.Let(name=name):
                    self._define(name, Kind.LET, statement, module, own)
                case t.Parameter(name=name):
                    self._define(name, Kind.PARAM, statement, module, own)
                case t.Sweep(name=name):
                    self._define(name, Kind.SWEEP, statement, module, own)
                case t.PromptSet(name=t.Name() as name):
                    self._define(name, Kind.PROMPTS, statement, module, own)

    # ---- names ----

    def _define(
        self,
        name: t.Name,
        kind: Kind,
        statement: Defining,
        module: Module,
        own: dict[str, Label],
    ) -> None:
        if kind is not Kind.PROMPTS and not self._allowed(name, kind):
            return
        named = Named(
            name=name.text, kind=kind, span=name.span, statement=statement, home=module
        )
        self._enter(name.text, named, name.span, module, own)

    def _allowed(self, name: t.Name, kind: Kind) -> bool:
        if name.text not in self.reserved and not NODE_NAME.fullmatch(name.text):
            return True
        self.findings.error(
            "ATP137",
            f"`{name.text}` means something already, so no `{kind}` can be called that",
            name.span,
            advice="choose another name",
        )
        return False

    def _enter(
        self,
        name: str,
        found: Named | Space,
        at: Span,
        module: Module,
        own: dict[str, Label],
    ) -> None:
        """Puts a name in sight; a second one of the same name is a problem.

        Args:
            own: the names taken so far, and where; for included ones that is the `include`.
        """
        if name not in own:
            own[name] = Label(at, "the first is here")
            module.names[name] = found
            module.reach += 1 if isinstance(found, Named) else 1 + found.module.reach
        elif module.names.get(name) is not found:
            brought = () if found.span == at else (Label(found.span, "this one"),)
            self.findings.error(
                "ATP136",
                f"there is a `{name}` already",
                at,
                advice='choose another name; `include "..." as NAME` keeps the names of a'
                " file apart",
                also=(own[name], *brought),
            )

    # ---- files ----

    def _include(
        self, include: t.Include, home: Module, own: dict[str, Label], seen: dict[Path, Span]
    ) -> None:
        path = place_of(include, home, self.findings)
        if path is not None and path in seen:
            self.findings.error(
                "ATP134",
                f"`{include.path.value}` is included twice",
                include.path.span,
                advice="remove one of the two",
                also=(Label(seen[path], "the first is here"),),
            )
            return
        if path is not None:
            seen[path] = include.path.span
        module = None if path is None else self._module(path, include, home)
        if module is not None and home.reach + module.reach > MOST_NAMES:
            self._too_many_names(include)
            module = None
        if include.alias is not None:
            self._enter_space(include.alias, module, include, home, own)
        elif module is None:
            home.complete = False
        else:
            home.complete = home.complete and module.complete
            for name, named in module.names.items():
                self._enter(name, named, include.path.span, home, own)

    def _too_many_names(self, include: t.Include) -> None:
        self.findings.error(
            "ATP131",
            f"`{include.path.value}` cannot be included: there would be more than"
            f" {MOST_NAMES:,} names, with those that its own includes bring",
            include.path.span,
            advice="include a file where its names are needed, and not in between",
        )

    def _enter_space(
        self,
        alias: t.Name,
        module: Module | None,
        include: t.Include,
        home: Module,
        own: dict[str, Label],
    ) -> None:
        """Puts the name of an `include` in sight; a file not read may have any names."""
        unread = replace(home, names={}, complete=False, main=False)
        if not self._allowed(alias, Kind.INCLUDE):
            lost = Space(name=alias.text, span=alias.span, module=unread, statement=include)
            home.names.setdefault(alias.text, lost)
            return
        space = Space(
            name=alias.text, span=alias.span, module=module or unread, statement=include
        )
        self._enter(alias.text, space, alias.span, home, own)

    def _module(self, path: Path, include: t.Include, home: Module) -> Module | None:
        """The file at a path, read once; None (and a problem) if it cannot be read."""
        if path in self._open:
            self.findings.error(
                "ATP133",
                f"`{include.path.value}` is being read already, and includes itself",
                include.path.span,
                advice="remove this `include`, or put what both files need into a third",
            )
            return None
        if not path.is_file():
            missing(include, home, path, self.findings)
            return None
        if path not in self._read:
            self._read[path] = self._new_module(path, include, home)
        return self._read[path]

    def _new_module(self, path: Path, include: t.Include, home: Module) -> Module | None:
        if len(self._open) > DEEPEST_INCLUDE or len(self.modules) > MOST_FILES:
            self.findings.error(
                "ATP131",
                f"`{include.path.value}` cannot be included: at most {MOST_FILES} files are,"
                f" and {DEEPEST_INCLUDE} one inside the other",
                include.path.span,
                advice="put the names into fewer files",
            )
            return None
        including, _ = self.source.locate(include.span)
        part = read_part(path, include, including, self.findings)
        if part is None:
            return None
        self.source, offset = self.source.with_part(part)
        self.included.append(
            IncludedFile(
                written=include.path.value, path=path, span=include.path.span, offset=offset
            )
        )
        return self._parsed(part, offset, path, include, home)

    def _parsed(
        self, part: Source, offset: int, path: Path, include: t.Include, home: Module
    ) -> Module:
        tree, problems = parse(part)
        self.findings.problems += [
            moved_problem(problem, offset, include.path.span) for problem in problems
        ]
        shipped = include.path.value.startswith(LIBRARY)
        module = Module(
            tree=moved(tree, offset),
            folder=path.parent,
            root=path.parent if shipped else home.root,
            complete=not tree.broken
            and all(problem.severity is not Severity.ERROR for problem in problems),
            shipped=shipped or home.shipped,
            reserved=frozenset(self.reserved),
        )
        self.modules.append(module)
        self._open.append(path)
        if self._check_statements(module, include):
            self._take_names(module)
        self._open.pop()
        return module

    def _check_statements(self, module: Module, include: t.Include) -> bool:
        """Whether an included file is of a known edition; what may not be in it is told."""
        statements = module.tree.statements
        versions = [s for s in statements if isinstance(s, t.Version)]
        if not versions and module.complete:
            self.findings.error(
                "ATP100",
                "this file does not say in which edition of the language it is written",
                statements[0].word.span if statements else include.path.span,
                advice=f"begin with the line `atp {EDITION}`",
            )
        for version in versions:
            if not is_known_edition(version, self.findings):
                module.complete = False
                return False
        for statement in statements:
            if not isinstance(statement, INCLUDABLE):
                self.findings.error(
                    "ATP135",
                    f"`{statement.word.text}` has no place in an included file",
                    statement.word.span,
                    advice="there it may be `include`, `let`, `param`, `prompts`",
                )
        return True
