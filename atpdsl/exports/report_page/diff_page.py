"""A difference of two results as a page: the same make as the report, one file, no request."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.exports.report_page.assemble import page
from atpdsl.problems import Problem, RunError
from atpdsl.results.directory import write_file
from atpdsl.results.harmless import harmless
from atpdsl.results.method_difference import MethodDifference, Moved
from atpdsl.results.names import node_id
from atpdsl.results.record import PositionRecord

if TYPE_CHECKING:
    import pandas as pd

    from atpdsl.results.difference import Difference
    from atpdsl.results.result import Result

SCHEMA, ENTRY = "atpdsl/diff-page/1", "diff"
# Lines of the chart of ranks; more cannot be told apart.
SLOPES = 40
LONGEST = 400
# Stands for a layer or an index that a kind has not.
_NONE = -1


def write_diff_page(found: Difference, path: Path, *, overwrite: bool = False) -> None:
    """Write the page to a file that appears whole.

    Raises:
        RunError: ATP451 when the file exists (unless `overwrite`), ATP442 when it cannot be
            written.
    """
    if os.path.lexists(path) and not overwrite:
        message = f"`{path}` exists already"
        advice = "choose another name, or replace it with `--overwrite`"
        raise RunError([Problem(code="ATP451", message=message, help=advice)])
    write_file(path, diff_page(found))


def diff_page(found: Difference) -> str:
    """The text of the page."""
    data = diff_payload(found)
    generator = f"atpdsl {metadata.version('atpdsl')}"
    return page(data, title=data["title"], generator=generator, entry=ENTRY)


def diff_payload(found: Difference) -> dict[str, Any]:
    """The data of the page, as plain JSON."""
    sides = [_side(result) for result in (found.first, found.second)]
    names = [side["name"] for side in sides]
    same = names[0] == names[1]
    title = f"{names[0]}: two results" if same else f"{names[0]} and {names[1]}"
    places = _places(found)
    return {
        "schema": SCHEMA,
        "title": harmless(title),
        # The report's tables of nodes; here nodes are told of one by one.
        "tables": {},
        "sides": sides,
        "identical": found.identical,
        "within": found.within,
        "outside": [harmless(reason) for reason in found.outside],
        "spec": [_change(one.name, one.first, one.second) for one in found.spec],
        "facts": [_change(one.name, one.first, one.second) for one in found.facts],
        "positions": [
            {"label": harmless(one.label), "token": harmless(one.token or "") or None}
            for one in places
        ],
        "methods": [_method(method, places) for method in found.methods],
        "onlyFirst": [harmless(label) for label in found.only_first],
        "onlySecond": [harmless(label) for label in found.only_second],
    }


def _side(result: Result) -> dict[str, Any]:
    record = result.record
    place = "" if result.directory is None else str(result.directory)
    return {
        "name": harmless(record.spec.name),
        "model": harmless(record.provenance.model.name),
        "metric": harmless(f"{record.metric.title} at {record.metric.position}"),
        "unit": harmless(record.metric.effect_unit),
        "pairs": len(record.pairs),
        "folder": harmless(place),
        "point": harmless(", ".join(f"{k} = {v}" for k, v in record.spec.point.items())),
    }


def _change(name: str, first: str | None, second: str | None) -> list[str | None]:
    return [
        harmless(name),
        *(None if t is None else harmless(t[:LONGEST]) for t in (first, second)),
    ]


def _places(found: Difference) -> tuple[PositionRecord, ...]:
    """The positions of both results, those of the first one first."""
    records = (*found.first.record.positions, *found.second.record.positions)
    return tuple(
        {one.label: one for one in reversed(records)}[label]
        for label in dict.fromkeys(one.label for one in records)
    )


def _method(method: MethodDifference, places: Sequence[PositionRecord]) -> dict[str, Any]:
    plain = (
        *("label", "first", "second", "identical", "common", "only_first", "only_second"),
        *("correlation", "compared", "top", "shared", "jaccard", "largest"),
    )
    return {
        **{name: getattr(method, name) for name in plain},
        "differing": list(method.differing),
        "entered": [_moved(node) for node in method.entered],
        "left": [_moved(node) for node in method.left],
        "flips": [_moved(node) for node in method.flips],
        "changes": [_moved(node) for node in method.changes],
        "slopes": [_moved(node) for node in method.best[:SLOPES]],
        "cells": _cells(method.frame, places),
    }


def _moved(node: Moved) -> dict[str, Any]:
    return {
        "node": harmless(node.node),
        "ranks": [node.first_rank, node.second_rank],
        "scores": [node.first_score, node.second_score],
        "signed": [node.first_signed, node.second_signed],
        "flips": node.flips,
    }


def _cells(frame: pd.DataFrame, places: Sequence[PositionRecord]) -> list[dict[str, Any]]:
    """For every kind, layer and position the node whose signed value changed most.

    A node that one of the results has not counts as 0 there.
    """
    if not len(frame):
        return []
    first, second = (frame[f"{side}_signed"].fillna(0.0) for side in ("first", "second"))
    numbers = {name: frame[name].fillna(_NONE).astype("int64") for name in ("layer", "index")}
    moved = frame.assign(delta=second - first, **numbers)
    moved["size"] = moved["delta"].abs()
    groups = moved.groupby(["kind", "layer", "position"], sort=False)["size"]
    chosen = moved.loc[groups.idxmax()]
    counts = groups.transform("size").loc[chosen.index]
    number = {one.label: n for n, one in enumerate(places)}
    rows: list[dict[str, Any]] = chosen.to_dict("records")  # type: ignore[assignment]
    return [
        {
            "kind": row["kind"],
            "layer": _whole(row["layer"]),
            "position": number[row["position"]],
            "node": harmless(
                node_id(
                    row["kind"], _whole(row["layer"]), _whole(row["index"]), row["position"]
                )
            ),
            "delta": row["delta"],
            "values": [_known(row["first_signed"]), _known(row["second_signed"])],
            "nodes": int(count),
        }
        for row, count in zip(rows, counts, strict=True)
    ]


def _whole(value: int) -> int | None:
    return None if value == _NONE else int(value)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
