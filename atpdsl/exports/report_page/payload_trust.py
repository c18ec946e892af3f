"""How far a result can be trusted: sentences, and the points of the page's charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from atpdsl.results.columns import upper_column
from atpdsl.results.harmless import harmless
from atpdsl.results.names import node_id
from atpdsl.results.trust_words import bound_words, missed_words, verified_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atpdsl.results.result import Result

GLANCE, CURVE, MOVED, POINTS = 5, 200, 20, 2_000
_CORRECTIONS = ("atp", "by_qk_fix", "by_grad_drop")


def glance(result: Result, label: str) -> dict[str, Any]:
    """What matters, how sure that is, and what may be missing, in a few lines."""
    record, method = result.record, result.record.method(label)
    if method is None:
        raise KeyError(label)
    top = result.top_rows(GLANCE, label)
    matters = [
        [
            node_id(row.kind, row.layer, row.index, row.position),
            f"{row.effect:+.4g} measured"
            if row.effect is not None
            else f"{row.score:.4g} estimated",
        ]
        for row in top
    ]
    mine = [one for one in record.verification if one.label == label]
    bounds = [one for one in record.bounds if label in one.labels]
    nothing = (
        "All of it was measured."
        if method.exact
        else "Nothing was measured: these are estimates."
    )
    sure = [_sentence(f"Measured: {verified_words(one)}") for one in mine] or [nothing]
    missing = [_sentence(one.unknown) for one in mine if one.unknown]
    missing += [_sentence(f"Missed {missed_words(one)}") for one in mine if one.missed]
    missing += [_sentence(bound_words(one)) for one in bounds]
    if not missing and not method.exact:
        missing = [
            "Not known: `verify { random = 20 }` and `diagnose { subset_sampling }` tell."
        ]
    parts = (f"{method.direction}: {method.formula}", method.sign, method.absolute)
    convention = " ".join(_sentence(part) for part in parts)
    return {
        "matters": matters,
        "sure": sure,
        "missing": missing or ["Nothing among the nodes of the spec."],
        "convention": convention,
    }


def trust(result: Result, label: str) -> dict[str, Any]:
    """Sentences and the points of all charts of one method; empty where there are none."""
    rows = result.table.filter(pc.equal(result.table["method"], label))
    shown = glance(result, label)
    record = result.record
    flags = [
        f"{one.nodes[label]:,} nodes flagged {one.name}: {one.text}."
        for one in record.flags
        if label in one.nodes
    ]
    method = record.method(label)
    notes = [method.note] if method is not None and method.note else []
    exact = method is not None and method.exact
    recall, cost = ([], []) if exact else _found(rows)
    return {
        "sentences": [*shown["sure"], *shown["missing"], *flags, *notes],
        "scatter": [] if exact else _scatter(result, rows, label),
        "bounds": _bounds(result, rows, label),
        "recall": recall,
        "recallAbout": "Of the k measured nodes with the largest mean |effect|, the share that "
        "the estimate has among its own k best of all nodes. What was not measured does not "
        "count; no value where nothing outside the estimate's own k best was measured.",
        "cost": cost,
        "costAbout": "If nodes were verified in the order of the estimate: how many until the "
        "k largest of the measured ones are found. On the dashed line the order is perfect.",
        "moved": _moved(rows),
    }


def _sentence(text: str) -> str:
    plain = harmless(text)
    return f"{plain[:1].upper()}{plain[1:]}{'' if plain.endswith('.') else '.'}"


def _scatter(result: Result, rows: pa.Table, label: str) -> list[dict[str, Any]]:
    missed = {
        m.node for one in result.record.verification if one.label == label for m in one.missed
    }
    measured = rows.filter(
        pc.and_(pc.is_valid(rows["effect_abs"]), pc.is_valid(rows["estimate"]))
    )
    best = measured.sort_by([("effect_abs", "descending")]).slice(0, POINTS)
    return [
        {
            "node": _name(row),
            "estimate": row["estimate"],
            "effect": row["effect_abs"],
            "missed": _name(row) in missed,
        }
        for row in best.select([*_NODE, "estimate", "effect_abs"]).to_pylist()
    ]


_NODE = ("kind", "layer", "index", "position")


def _name(row: dict[str, Any]) -> str:
    return node_id(row["kind"], row["layer"], row["index"], row["position"])


def _bounds(result: Result, rows: pa.Table, label: str) -> list[dict[str, Any]]:
    """For each confidence the bounds of unmeasured nodes, the largest first."""
    bound = next((one for one in result.record.bounds if label in one.labels), None)
    if bound is None:
        return []
    unmeasured = rows.filter(pc.invert(rows["verified"]))
    curves = []
    for at in bound.at:
        values = unmeasured[upper_column(at.confidence)].drop_null().to_numpy()
        ordered = np.sort(values[values > 0])[::-1]
        if len(ordered):
            chosen = _spread(len(ordered))
            points = [[int(i) + 1, float(ordered[i])] for i in chosen]
            name = f"{100 * at.confidence:.4g}%"
            curves.append(
                {"name": name, "points": points, "assumes": _sentence(bound.assumes)[:-1]}
            )
    return curves


def _spread(length: int) -> Sequence[int]:
    """Numbers from 0 to the last, at most `CURVE`, densest at the beginning."""
    if length <= CURVE:
        return range(length)
    spread = np.geomspace(1, length, CURVE).round().astype(int) - 1
    return [int(one) for one in np.unique(spread)]


def _found(rows: pa.Table) -> tuple[list[list[float]], list[list[int]]]:
    """(k, recall) and (k, nodes verified until the k largest are found), for all k."""
    estimate = _numbers(rows["estimate"])
    effect = _numbers(rows["effect_abs"])
    order = np.argsort(-np.nan_to_num(estimate, nan=-1.0), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(1, len(order) + 1)
    measured = np.flatnonzero(effect > 0)
    if not len(measured):
        return [], []
    largest = measured[np.argsort(-effect[measured], kind="stable")][:CURVE]
    outside = int(place[np.flatnonzero(~np.isnan(effect))].max())
    recall = [
        [k, float((place[largest[:k]] <= k).mean())]
        for k in range(1, len(largest) + 1)
        if outside > k
    ]
    reached = np.maximum.accumulate(place[largest])
    return recall, [[k + 1, int(one)] for k, one in enumerate(reached)]


def _numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(), dtype=np.float64)


def _moved(rows: pa.Table) -> list[dict[str, Any]]:
    """The nodes that corrections moved most; none where the run has no corrections."""
    if not set(_CORRECTIONS) <= set(rows.column_names):
        return []
    moved = np.abs(_numbers(rows["by_qk_fix"])) + np.abs(_numbers(rows["by_grad_drop"]))
    order = np.argsort(-np.nan_to_num(moved), kind="stable")[:MOVED]
    chosen = rows.select([*_NODE, *_CORRECTIONS, "estimate", "effect_abs"]).take(order)
    return [
        {
            "node": _name(row),
            "atp": row["atp"],
            "fixed": row["atp"] + row["by_qk_fix"],
            "byFix": row["by_qk_fix"],
            "byDrop": row["by_grad_drop"],
            "estimate": row["estimate"],
            "effect": row["effect_abs"],
        }
        for row in chosen.to_pylist()
        if row["atp"] is not None and (row["by_qk_fix"] or row["by_grad_drop"])
    ]
