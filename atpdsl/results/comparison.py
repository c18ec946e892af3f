"""What a comparison of methods gives, and its files beside those of the result.

`comparison.json` has everything, `comparison.csv` the curves: a row for each method and some K
with the columns `method`, `k`, `cost` and `cost_90` (forward passes per pair until the k
largest effects, or nine tenths of them, are verified) and `cost_per_k`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.planning.outcome import Counts
from atpdsl.problems import Problem, RunError
from atpdsl.results import directory as folders
from atpdsl.results.document import DamagedError, dumps, from_json, loads, to_json
from atpdsl.results.harmless import harmless_cell
from atpdsl.results.result import Result

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "atpdsl/comparison/1"
COMPARISON, CURVES = "comparison.json", "comparison.csv"


class Truth(StrEnum):
    """What the size of a node's true effect is.

    ABS_MEAN: |mean effect| over pairs, the paper's c(n). MEAN_ABS: mean |effect|, in which
    pairs of opposite signs do not cancel.
    """

    ABS_MEAN = "abs_mean"
    MEAN_ABS = "mean_abs"

    @property
    def words(self) -> str:
        """As it is written in tables."""
        return "|mean effect|" if self is Truth.ABS_MEAN else "mean |effect|"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopRecall:
    """How many of the `of` nodes with the largest effects are among the first `top`.

    `of` is smaller than `top` where fewer nodes have an effect at all.
    """

    top: int
    hits: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """The cost of verified recall at some K.

    Attributes:
        k: how many of the largest effects are to be found.
        cost: C(K), forward passes per pair until all K are verified.
        cost_90: until ceil(0.9 K) of them are.
    """

    k: tuple[int, ...]
    cost: tuple[float, ...]
    cost_90: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One method against the truth.

    Attributes:
        settings, note: as run; what was settled, and why.
        truth: the label of the exact method that it is compared with.
        estimation: forward passes per pair spent before the first node is verified.
        counts: the passes of its estimates alone, over all pairs.
        irwrgm, irwrgm_90: inverse-rank-weighted geometric mean of C(K) / K over all K; of the
            cost of nine tenths of them.
        spearman: rank correlation of order and truth, over the nodes that have an effect.
    """

    label: str
    method: str
    direction: str
    settings: Mapping[str, object]
    note: str
    baseline: bool
    truth: str
    estimation: float
    counts: Counts
    recall: tuple[TopRecall, ...]
    irwrgm: float
    irwrgm_90: float
    spearman: float | None
    curve: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class ExactMethod:
    """What the others are compared with.

    Attributes:
        label: the exact method's.
        candidates: nodes that some pair has and that are not zero by construction.
        without_effect: how many of them have an effect of 0, or less than a hundred-thousandth
            of the largest, which is rounding.
        largest: the largest effect, in units of the metric.
    """

    label: str
    direction: str
    candidates: int
    without_effect: int
    largest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRecord:
    """All of `comparison.json`.

    Attributes:
        point: the values of a sweep's names at the point that was compared.
        truth: what the size of a true effect is, the value of a `Truth`.
        backward_weight: forward passes that a backward pass through all layers counts as.
        nodes: of all node sets, those without any effect by construction included.
        methods: best first, by `irwrgm`.
    """

    spec: str
    point: Mapping[str, str]
    model: str
    metric: str
    pairs: int
    nodes: int
    truth: str
    backward_weight: float
    exact: tuple[ExactMethod, ...]
    methods: tuple[Compared, ...]


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Several methods against the exact truth.

    Attributes:
        record: everything, as in `comparison.json`.
        result: the ordinary result of the run, with the scores of every method.
    """

    record: ComparisonRecord
    result: Result

    def __repr__(self) -> str:
        methods = ", ".join(one.label for one in self.record.methods)
        return f"<Comparison of `{self.record.spec}`: {methods}>"

    @property
    def directory(self) -> Path | None:
        """The folder that it was saved to or loaded from."""
        return self.result.directory

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per method, best first; see `method_rows`."""
        import pandas as pd

        return pd.DataFrame(method_rows(self.record))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """A row per method and K, as in `comparison.csv`."""
        import pandas as pd

        return pd.DataFrame(curve_rows(self.record))

    def save(self, directory: Path, *, overwrite: bool = False) -> Comparison:
        """Write the result and the comparison to a folder, which appears whole or not at all.

        Returns:
            This comparison, with its folder.

        Raises:
            RunError: when the folder holds something else, or writing fails.
        """
        check_free(directory, self.result.identity, overwrite=overwrite)
        # The result names its files, so that the next one in the folder takes them away.
        named = replace(self.result.record, exports=(COMPARISON, CURVES))
        result = replace(self.result, record=named)
        document = {"schema": SCHEMA, **to_json(self.record)}
        with folders.replacing(directory, result.identity, overwrite=overwrite) as fresh:
            result.write(fresh)
            (fresh / COMPARISON).write_text(dumps(document), encoding="utf-8")
            (fresh / CURVES).write_text(curves_csv(self.record), encoding="utf-8")
        return replace(self, result=replace(result, directory=directory))

    @classmethod
    def load(cls, directory: str | Path) -> Comparison:
        """Read a comparison from its folder; the folder need not be trusted.

        Raises:
            RunError: when there is none, or it is damaged, or of another version.
        """
        result = Result.load(directory)
        path = (result.directory or Path(directory)) / COMPARISON
        if not path.is_file():
            raise folders.missing(path.parent, f"it has no `{COMPARISON}`")
        try:
            return cls(_read(folders.read_text(path)), result)
        except DamagedError as error:
            raise folders.damaged(path, str(error)) from None


def _read(text: str) -> ComparisonRecord:
    document = loads(text)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise DamagedError(f"its schema is not `{SCHEMA}`")
    return from_json(ComparisonRecord, document)


def check_free(directory: Path, identity: folders.Identity, *, overwrite: bool) -> None:
    """Make sure that a comparison can be written to a folder; called before the run as well.

    Raises:
        RunError: as for results, and when it holds a result that is no comparison.
    """
    folders.check_free(directory, identity, overwrite=overwrite)
    ordinary = folders.is_result(directory) and not (directory / COMPARISON).exists()
    if ordinary and not overwrite:
        message = f"`{directory}` holds the result of a run, not of a comparison"
        advice = "keep both with `--out DIR`, or replace it with `--overwrite`"
        raise RunError([Problem(code="ATP440", message=message, help=advice)])


def curve_rows(record: ComparisonRecord) -> list[dict[str, Any]]:
    """A row per method and K: `method`, `k`, `cost`, `cost_90`, `cost_per_k`."""
    return [
        {"method": one.label, "k": k, "cost": cost, "cost_90": cost_90, "cost_per_k": cost / k}
        for one in record.methods
        for k, cost, cost_90 in zip(one.curve.k, one.curve.cost, one.curve.cost_90, strict=True)
    ]


def method_rows(record: ComparisonRecord) -> list[dict[str, Any]]:
    """A row per method, best first: its cost, `recall_10` and so on, and the means."""
    return [
        {
            "method": one.label,
            "estimation": one.estimation,
            **{f"recall_{r.top}": r.hits / r.of if r.of else None for r in one.recall},
            "irwrgm": one.irwrgm,
            "irwrgm_90": one.irwrgm_90,
            "spearman": one.spearman,
        }
        for one in record.methods
    ]


def curves_csv(record: ComparisonRecord) -> str:
    """The curves as a table for plotting."""
    text = io.StringIO()
    names = ("method", "k", "cost", "cost_90", "cost_per_k")
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    for row in curve_rows(record):
        table.writerow({**row, "method": harmless_cell(row["method"])})
    return text.getvalue()
