"""`nodes { ... }`: kinds, layers and heads, positions and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from atpdsl.problems import Fix, Span
from atpdsl.problems.fixes import replaced
from atpdsl.registry import closest
from atpdsl.semantics.experiment import NodeSelection, Placement, Text
from atpdsl.semantics.filters import read_filters
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.positions import Positions
from atpdsl.semantics.selectors import Units, is_head_name, read_units
from atpdsl.semantics.signature import Vocabulary
from atpdsl.syntax import tree as t

DEFAULT_HEAD_KIND = "heads.z"
_DOTTED_HEAD = re.compile(r"L\d{1,6}\.H\d{1,9}")
PLACEMENTS = {"every": Placement.EVERY, "sequence": Placement.SEQUENCE}


def read_nodes(
    block: t.Block, vocabulary: Vocabulary, positions: Positions, findings: Findings
) -> tuple[NodeSelection, ...]:
    """The selections of a `nodes` block, one per kind and choice of units."""
    reader = _Reader(vocabulary, positions, findings)
    selects = [line for line in block.body.statements if isinstance(line, t.Select)]
    if not selects and not block.body.broken:
        advice = "write `heads.z at every`"
        findings.error("ATP227", "no nodes are selected", block.word.span, advice=advice)
    return tuple(node for select in selects for node in reader.read(select))


def read_selection(
    item: t.Expression,
    position: t.Expression | None,
    vocabulary: Vocabulary,
    positions: Positions,
    findings: Findings,
) -> tuple[NodeSelection, ...]:
    """`heads.z[L9H6] at last`, read as a line of `nodes` is."""
    select = t.Select(
        items=(item,),
        targets=(),
        positions=() if position is None else (position,),
        where=None,
        body=None,
        span=item.span,
    )
    return tuple(_Reader(vocabulary, positions, findings).read(select))


def check_kinds(
    items: Iterable[t.Expression],
    vocabulary: Vocabulary,
    findings: Findings,
    *,
    also: tuple[str, ...] = (),
) -> None:
    """Problems with kinds of nodes and their brackets; `also` are other words allowed."""
    kinds = (*vocabulary.nodes, *((word, "vector") for word in also))
    reader = _Reader(replace(vocabulary, nodes=kinds), Positions(findings), findings)
    for item in items:
        reader.check(item)


class _Reader:
    def __init__(
        self, vocabulary: Vocabulary, positions: Positions, findings: Findings
    ) -> None:
        self.kinds = dict(vocabulary.nodes)
        self.positions = positions
        self.findings = findings

    def read(self, select: t.Select) -> Iterable[NodeSelection]:
        if select.targets:
            span = select.targets[0].span.to(select.targets[-1].span)
            self.findings.not_yet("a selection of edges", span)
            return
        if select.body is not None:
            self.findings.error(
                "ATP107",
                "a selection of nodes takes no block",
                select.body.span,
                advice="write conditions after `where`",
            )
        placed = self._placement(select)
        filters = read_filters(select.where, self.findings)
        for item in select.items:
            for kind, units in self._units(item):
                if placed is None:
                    continue
                yield NodeSelection(
                    kind=kind,
                    layers=units.layers,
                    indices=units.indices,
                    placement=placed[0],
                    positions=placed[1],
                    filters=filters,
                    span=item.span,
                )

    # ---- kinds ----

    def check(self, item: t.Expression) -> None:
        """Only what is wrong with an item."""
        tuple(self._units(item))

    def _units(self, item: t.Expression) -> Iterable[tuple[str, Units]]:
        """The kind that an item names, with each of its choices of layers and units."""
        if is_head_name(item):
            for units in read_units((item,), "head", self.findings):
                yield DEFAULT_HEAD_KIND, units
            return
        base = item.base if isinstance(item, t.Index) else item
        name = _dotted(base)
        unit = self.kinds.get(name or "")
        if name is None or unit is None:
            self._unknown_kind(base, name, item)
            return
        if not isinstance(item, t.Index):
            yield name, Units(layers=None, indices=None)
            return
        for units in read_units(item.items, unit, self.findings):
            yield name, units

    def _unknown_kind(self, base: t.Expression, name: str | None, item: t.Expression) -> None:
        names = tuple(self.kinds)
        if name is None:
            message, advice = "this is no kind of node", f"kinds are {listed(names)}"
        else:
            message = f"there is no kind of node `{name}`"
            inner = tuple(kind for kind in names if kind.startswith(f"{name}."))
            meant = (
                name.replace(".", "") if _DOTTED_HEAD.fullmatch(name) else closest(name, names)
            )
            advice = f"which part? {listed(inner)}" if inner else did_you_mean(meant)
            advice = advice or f"kinds are {listed(names)}"
        if isinstance(item, t.Index) and any(_is_fraction(part) for part in item.items):
            message = "heads are not written with a dot"
            fix = _heads(item)
            written = fix.text if fix else "heads.z[L9H6]"
            advice = f"layer 9, head 6 is `L9H6`: write `{written}`"
            self.findings.error("ATP222", message, item.span, advice=advice, fix=fix)
            return
        dotted = name is not None and _DOTTED_HEAD.fullmatch(name)
        fix = replaced(base.span, dotted[0].replace(".", "")) if dotted else None
        self.findings.error("ATP220", message, base.span, advice=advice, fix=fix)

    # ---- positions ----

    def _placement(self, select: t.Select) -> tuple[Placement, tuple[Text, ...]] | None:
        if not select.positions:
            self.findings.error(
                "ATP221",
                "this selection does not say where",
                _span_of(select.items),
                advice="write `at every` for a node per position, `at last` or `at S2` for"
                " named positions, `at sequence` for one node over all of them",
            )
            return None
        words = [p.text if isinstance(p, t.Name) else "" for p in select.positions]
        special = [word for word in words if word in PLACEMENTS]
        if special and len(words) > 1:
            self.findings.error(
                "ATP226",
                f"`{special[0]}` cannot stand with other positions",
                _span_of(select.positions),
                advice="write two selections, one per line",
            )
            return None
        if special:
            return PLACEMENTS[special[0]], ()
        texts = [self.positions.use(position) for position in select.positions]
        known = tuple(text for text in texts if text is not None)
        return (Placement.NAMED, known) if len(known) == len(texts) else None


def _dotted(value: t.Expression) -> str | None:
    """`heads.q` as written; None for anything but names with dots."""
    if isinstance(value, t.Name):
        return value.text
    if isinstance(value, t.Attribute):
        base = _dotted(value.base)
        return None if base is None else f"{base}.{value.name.text}"
    return None


def _heads(item: t.Index) -> Fix | None:
    """`heads[9.6]` as it is written."""
    numbers = [part.text.split(".") for part in item.items if isinstance(part, t.Number)]
    if len(numbers) < len(item.items) or not all(len(number) == 2 for number in numbers):
        return None
    names = ", ".join(f"L{layer}H{head}" for layer, head in numbers)
    return replaced(item.span, f"{DEFAULT_HEAD_KIND}[{names}]")


def _is_fraction(value: t.Expression) -> bool:
    return isinstance(value, t.Number) and "." in value.text


def _span_of(values: tuple[t.Expression, ...]) -> Span:
    return values[0].span.to(values[-1].span)
