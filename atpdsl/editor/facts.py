"""What is known of a place of a spec once it is bound to its model: counts and tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atpdsl.binding.select import select_nodes
from atpdsl.editor.reading import parsed
from atpdsl.problems import Span
from atpdsl.problems.clean import clean
from atpdsl.syntax import tree as t

if TYPE_CHECKING:
    from atpdsl.binding.bind import Bound
    from atpdsl.binding.pairs import TokenPair
    from atpdsl.checked import Checked, Study

MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Facts:
    """Markdown about a stretch of the text."""

    text: str
    span: Span


def facts_at(text: str, offset: int, study: Study) -> Facts | None:
    """What is known of the place at an offset of the spec that `study` is about."""
    for statement in parsed(text).tree.statements:
        if not statement.span.start <= offset <= statement.span.end:
            continue
        if isinstance(statement, t.PromptSet):
            return _of_prompts(statement, offset, study)
        if isinstance(statement, t.Block) and statement.word.text == "nodes":
            return _of_nodes(statement, offset, study)
        if isinstance(statement, t.Declaration) and statement.word.text == "model":
            return _of_model(statement, study)
    return None


def _bound(study: Study) -> Iterator[tuple[Checked, Bound]]:
    """The points that could be bound."""
    for point in study.points:
        if point.bound is not None:
            yield point, point.bound


# ---- model ----


def _of_model(statement: t.Declaration, study: Study) -> Facts | None:
    for _, bound in _bound(study):
        shape = bound.shape
        text = (
            f"{shape.architecture}: {shape.n_layers} layers of {shape.n_heads} heads,"
            f" {shape.d_model} wide, context {shape.n_context:,} tokens"
        )
        return Facts(text, statement.value.span)
    return None


# ---- nodes ----


def _of_nodes(block: t.Block, offset: int, study: Study) -> Facts | None:
    """How many nodes a line of `nodes` chooses, or all of them."""
    for line in block.body.statements:
        if isinstance(line, t.Select) and line.span.start <= offset <= line.span.end:
            return _of_selection(line, study)
    for _, bound in _bound(study):
        if block.word.span.start <= offset <= block.word.span.end:
            return Facts(f"{bound.node_count:,} nodes in all", block.word.span)
    return None


def node_counts(text: str, study: Study) -> Iterator[Facts]:
    """How many nodes each line of `nodes` chooses, with the line's place."""
    for statement in parsed(text).tree.statements:
        if isinstance(statement, t.Block) and statement.word.text == "nodes":
            for line in statement.body.statements:
                counts = _counts(line, study) if isinstance(line, t.Select) else Counter()
                if counts:
                    yield Facts(f"{counts.total():,} nodes", line.span)


def _of_selection(line: t.Select, study: Study) -> Facts | None:
    counts = _counts(line, study)
    if not counts:
        return None
    each = ", ".join(f"{count:,} `{kind}`" for kind, count in counts.items())
    total = f" ({counts.total():,} nodes)" if len(counts) > 1 else " nodes"
    return Facts(each + total, line.span)


def _counts(line: t.Select, study: Study) -> Counter[str]:
    """The nodes of a line by kind, each of its items by itself."""
    counts: Counter[str] = Counter()
    for _, bound in _bound(study):
        for selection in bound.experiment.nodes:
            if _within(selection.span, line.span):
                sets, _ = select_nodes((selection,), bound.shape, bound.pairs.pairs)
                counts[selection.kind] += sum(map(len, sets))
        break
    return counts


# ---- prompts ----


def _of_prompts(statement: t.PromptSet, offset: int, study: Study) -> Facts | None:
    for line in statement.body.statements:
        if isinstance(line, t.Template | t.Pair) and _within(Span(offset, offset), line.span):
            return _of_line(line, study)
    head = Span(statement.span.start, statement.body.span.start)
    if not head.start <= offset < head.end:
        return None
    name = statement.name.text if statement.name else statement.word.text
    for checked, bound in _bound(study):
        if bound.experiment.prompts.name == name:
            lengths = {len(pair.clean) for pair in bound.pairs.pairs}
            between = f"{min(lengths)} to {max(lengths)}" if len(lengths) > 1 else max(lengths)
            first = _table(bound.pairs.pairs[0], checked)
            return Facts(f"{len(bound.pairs):,} pairs of {between} tokens\n\n{first}", head)
    return None


def _of_line(line: t.Template | t.Pair, study: Study) -> Facts | None:
    for checked, bound in _bound(study):
        own = [pair for pair in bound.pairs.pairs if _within(pair.text.origin, line.span)]
        if own:
            count = f"{len(own):,} of {len(bound.pairs):,} pairs; the first:"
            return Facts(f"{count}\n\n{_table(own[0], checked)}", line.word.span)
    return None


def _table(pair: TokenPair, checked: Checked) -> str:
    """The tokens of a pair side by side, with the names of places; answers below."""
    if checked.tokenizer is None:
        return ""
    left, right = (checked.tokenizer.pieces(side) for side in (pair.clean, pair.corrupted))
    names: dict[int, list[str]] = {}
    for name, (place, _) in pair.positions.items():
        names.setdefault(place, []).append(f"`{name}`")
    rows = ["|  | clean | corrupted | place |", "|--:|---|---|---|"]
    for index in range(min(max(len(left), len(right)), MOST_ROWS)):
        sides = (_code(side[index]) if index < len(side) else "" for side in (left, right))
        rows.append(f"| {index} | {' | '.join(sides)} | {', '.join(names.get(index, ()))} |")
    answers = " ".join(map(_code, checked.tokenizer.pieces(pair.answers)))
    foils = " ".join(map(_code, checked.tokenizer.pieces(pair.foils)))
    below = f"answer {answers}" + (f" vs {foils}" if foils else "") if answers else ""
    return "\n".join(rows) + (f"\n\n{below}" if below else "")


def _code(token: str) -> str:
    """A token in a cell of a table."""
    shown = clean(token).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
