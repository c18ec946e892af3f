"""What the names of a spec are, for editors; and a word about those that nothing uses."""

from __future__ import annotations

from collections.abc import Iterable

from atpdsl.elaboration.gaps import whole
from atpdsl.elaboration.modules import Module, Named, Space
from atpdsl.elaboration.program import Definition, Kind
from atpdsl.problems import Source
from atpdsl.semantics.findings import Findings


def definitions_of(
    main: Module, modules: Iterable[Module], source: Source
) -> tuple[Definition, ...]:
    """The names of all files, in the order of the text."""
    whole = {named: name for name, named in reversed(tuple(main.everything()))}
    found = [
        _definition(named, whole.get(named, name) if isinstance(named, Named) else name, source)
        for module in modules
        for name, named in module.names.items()
        if _is_own(named, module)
    ]
    return tuple(sorted(found, key=lambda definition: definition.span.start))


def _is_own(named: Named | Space, module: Module) -> bool:
    if isinstance(named, Named):
        return named.home is module
    return any(statement is named.statement for statement in module.tree.statements)


def _definition(named: Named | Space, name: str, source: Source) -> Definition:
    value = named.value if isinstance(named, Named) else named.statement.path
    text = ""
    if value is not None:
        part, span = source.locate(value.span)
        text = part.text[span.start : span.end]
    return Definition(
        name=name,
        kind=named.kind if isinstance(named, Named) else Kind.INCLUDE,
        span=named.span,
        statement=named.statement.span,
        value=text,
        uses=tuple(sorted(set(named.uses), key=lambda span: span.start)),
        doc=named.statement.doc,
    )


def warn_of_unused(main: Module, findings: Findings) -> None:
    """Warns of names of the spec that stand nowhere else in it."""
    if not whole(main.tree):
        return
    for name, named in main.names.items():
        own = isinstance(named, Space) or (named.home is main and named.value is not None)
        if own and not named.uses:
            kind = named.kind if isinstance(named, Named) else Kind.INCLUDE
            findings.warning(
                "ATP151",
                f"nothing uses the `{kind}` `{name}`",
                named.span,
                advice="use it, or remove it",
            )
