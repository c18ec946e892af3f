"""`atpdsl tokens`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from atpdsl import driver
from atpdsl.binding.bind import Reading, read_pairs
from atpdsl.binding.tokens.token_table import TokenColumn, token_table
from atpdsl.binding.tokens.tokenise import Tokenised
from atpdsl.checked import Checked, Study
from atpdsl.cli import access
from atpdsl.cli.failures import DONE, SPEC, USAGE
from atpdsl.cli.points import spell
from atpdsl.cli.terminal import count, facts, say_json, show, stdout, tell, tell_problems, word
from atpdsl.cli.token_lines import shown, token_lines
from atpdsl.models.config import read_shape
from atpdsl.models.shape import ModelShape
from atpdsl.problems import Label, Source, Span, render
from atpdsl.problems.clean import clean
from atpdsl.semantics.experiment import Align, Experiment

if TYPE_CHECKING:
    from rich.console import RenderableType

PAIRS = 3
# An answer may be any of a hundred years.
ANSWERS = 8
ALIGNED = {Align.START: "aligned at the start", Align.END: "aligned at the end"}

Numbered = Sequence[tuple[int, Tokenised]]


def tokens(chosen: argparse.Namespace) -> int:
    """Show the pairs of a spec as the model sees them, as far as they can be read."""
    study = driver.check(chosen.spec, access.access(chosen))
    readings = [(point, reading) for point in study.points if (reading := read_point(point))]
    code = SPEC if study.errors else DONE
    if chosen.pairs and readings and not any(_select(r, chosen, 1) for _, r in readings):
        most = max(len(reading.pairs) for _, reading in readings)
        tell(f"atpdsl tokens: there is no such pair; the spec has {count(most, 'pair')}")
        return USAGE
    if chosen.json:
        say_json("atpdsl/tokens/1", **_document(study, readings, chosen))
        return code
    if study.problems:
        tell_problems(study.problems, study.source, json=False)
    pairs = PAIRS if len(readings) <= 1 else 1
    for number, (point, reading) in enumerate(readings):
        if number:
            show("")
        show(*_point(point, reading, _select(reading, chosen, pairs), chosen))
    return code


def read_point(checked: Checked) -> Reading | None:
    """The pairs of a point, also those with problems; None where there is nothing to read."""
    experiment, files, tokenizer = checked.experiment, checked.files, checked.tokenizer
    if experiment is None or files is None or tokenizer is None:
        return None
    shape = read_shape(files.directory, at=Label(experiment.model.span))
    if not isinstance(shape, ModelShape):
        return None
    return read_pairs(experiment, shape, tokenizer, checked.base)


def _select(reading: Reading, chosen: argparse.Namespace, first: int) -> Numbered:
    """The pairs that are wanted, with their numbers; the first ones if nothing is said."""
    numbered = list(enumerate(reading.pairs, 1))
    if chosen.all:
        return numbered
    low, high = chosen.pairs or (1, first)
    return numbered[low - 1 : high]


# ---- text ----


def _point(
    checked: Checked, reading: Reading, pairs: Numbered, chosen: argparse.Namespace
) -> Iterator[RenderableType]:
    experiment = checked.experiment
    if experiment is None:
        return
    yield _title(checked, experiment, reading)
    for number, read in pairs:
        yield ""
        yield _heading(number, read, checked.source, len(reading.pairs))
        table = token_table(read, reading.rules)
        yield from token_lines(table, stdout().width)
        yield facts(_facts(experiment, read, reading, table))
    rest = len(reading.pairs) - len(pairs)
    if rest and not chosen.pairs:
        yield ""
        more = "more pair" if rest == 1 else "more pairs"
        yield f"{rest:,} {more}: atpdsl tokens {word(chosen.spec)} --all, or --pair N"


def _title(checked: Checked, experiment: Experiment, reading: Reading) -> str:
    rules = reading.rules
    bos = "no BOS"
    if rules.bos_id is not None:
        bos = f"BOS is `{shown(rules.tokenizer.decode_token(rules.bos_id))}` ({rules.bos_id})"
    where = f" ({spell(checked.point)})" if checked.point else ""
    names = f"{clean(experiment.name)} on {clean(experiment.model.name)}{where}"
    return f"{names}: {count(len(reading.pairs), 'pair')}, {bos}"


def _heading(number: int, read: Tokenised, source: Source, of: int) -> str:
    return f"pair {number:,} of {of:,}, {clean(_origin(read, source))}"


def _origin(read: Tokenised, source: Source) -> str:
    """Where a pair comes from: a row of a file, or a line of the spec."""
    if read.text.place:
        return read.text.place
    part, line = _line_of(source, read.text.origin)
    return f"from line {line}" + ("" if part.name == source.name else f" of {part.name}")


def _line_of(source: Source, span: Span) -> tuple[Source, int]:
    part, place = source.locate(span)
    return part, part.line_column(place.start)[0]


def _facts(
    experiment: Experiment, read: Tokenised, reading: Reading, table: Sequence[TokenColumn]
) -> Iterator[tuple[str, str]]:
    yield "tokens", _lengths(read)
    if read.pair is not None:
        for side, answers in (("right", read.pair.answers), ("wrong", read.pair.foils)):
            if answers:
                yield side, _answers(answers, reading)
        yield "metric", _metric(experiment, read, table)
        for tokens_read in _read_by_metric(experiment, read.pair.sets):
            yield "reads", _answers(tokens_read, reading)
    for name, reason in read.missing.items():
        yield "missing", f"{clean(name)} ({clean(reason)})"


def _read_by_metric(
    experiment: Experiment, sets: tuple[tuple[int, ...], ...]
) -> Iterator[tuple[int, ...]]:
    """The tokens that a computed metric reads beside the answers."""
    formula = experiment.metric.formula
    written = () if formula is None else formula.sets
    for one, found in zip(written, sets, strict=False):
        if not one.side:
            yield found


def _lengths(read: Tokenised) -> str:
    clean_length, other = len(read.clean.tokens), len(read.corrupted.tokens)
    if clean_length == other:
        return f"{clean_length} each"
    how = ALIGNED.get(Align(read.text.align), "not the same number")
    return f"clean {clean_length}, corrupted {other}, {how}"


def _answers(answers: tuple[int, ...], reading: Reading) -> str:
    tokenizer = reading.rules.tokenizer
    named = [f'"{shown(tokenizer.decode_token(one))}" ({one})' for one in answers[:ANSWERS]]
    more = len(answers) - ANSWERS
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def _metric(experiment: Experiment, read: Tokenised, table: Sequence[TokenColumn]) -> str:
    """The metric and the token whose logits it reads."""
    position = experiment.metric.position
    name = f"{clean(experiment.metric.title)} at {clean(position)}"
    cells = [column.clean for column in table if column.clean is not None]
    index = _index(position, read)
    if index is None or not 0 <= index < len(cells):
        return f"{name}, which is not in this pair"
    return f'{name}: after token {index}, "{shown(cells[index].text)}"'


def _index(position: str, read: Tokenised) -> int | None:
    """The clean token at a position, None if the pair has none."""
    if position.isdecimal():
        return int(position)
    found = read.pair.positions.get(position) if read.pair is not None else None
    return None if found is None else found[0]


# ---- JSON ----


def _document(
    study: Study, readings: Sequence[tuple[Checked, Reading]], chosen: argparse.Namespace
) -> dict[str, object]:
    return {
        "good": not study.errors,
        "points": [
            {
                "values": dict(point.point),
                "model": point.experiment.model.name if point.experiment else None,
                "metric": _metric_values(point),
                "bos": reading.rules.bos_id,
                "pairs": len(reading.pairs),
                "shown": [
                    _pair_values(number, read, reading, study.source)
                    for number, read in _select(reading, chosen, PAIRS)
                ],
            }
            for point, reading in readings
        ],
        "problems": render.as_json(study.problems, study.source),
    }


def _metric_values(point: Checked) -> dict[str, object] | None:
    metric = point.experiment.metric if point.experiment else None
    return None if metric is None else {"name": metric.name, "position": metric.position}


def _pair_values(
    number: int, read: Tokenised, reading: Reading, source: Source
) -> dict[str, object]:
    table = token_table(read, reading.rules)
    pair, tokenizer = read.pair, reading.rules.tokenizer
    part, line = _line_of(source, read.text.origin)
    sides = {
        side: [{"token": one, "text": tokenizer.decode_token(one)} for one in answers]
        for side, answers in (
            ("right", pair.answers if pair else ()),
            ("wrong", pair.foils if pair else ()),
        )
    }
    return {
        "pair": number,
        "usable": pair is not None,
        "file": part.name,
        "line": line,
        "row": read.text.place or None,
        "align": str(read.text.align),
        "clean": _prompt_values(read.text.clean, [column.clean for column in table]),
        "corrupted": _prompt_values(
            read.text.corrupted, [column.corrupted for column in table]
        ),
        "columns": [
            [None if cell is None else cell.index for cell in (column.clean, column.corrupted)]
            for column in table
        ],
        "positions": dict(pair.positions) if pair else {},
        "missing": dict(read.missing),
        **sides,
    }


def _prompt_values(text: str, cells: Sequence[object]) -> dict[str, object]:
    return {"text": text, "tokens": [cell for cell in cells if cell is not None]}
