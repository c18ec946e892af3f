"""What a run gives: its record, the scores, and the circuit made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atpdsl.problems import Problem, RunError
from atpdsl.results import directory as folders
from atpdsl.results.directory import GRAPH, RESULT, SCORES
from atpdsl.results.document import dumps, to_json
from atpdsl.results.record import SCHEMA, Record

if TYPE_CHECKING:
    import networkx
    import pandas as pd
    import pyarrow as pa

    from atpdsl.results.scores import ScoreRow


@dataclass(frozen=True, repr=False, eq=False)
class Result:
    """The result of a run.

    Attributes:
        record: everything but the scores, as in `result.json`.
        table: the scores as a pyarrow table; the columns are described in
            `atpdsl.results.scores`.
        directory: the folder it was saved to or loaded from.
    """

    record: Record
    table: pa.Table
    directory: Path | None = None

    def __repr__(self) -> str:
        place = "not saved" if self.directory is None else str(self.directory)
        return f"<Result of `{self.record.spec.name}`, {len(self.table):,} scores, {place}>"

    def _repr_html_(self) -> str:
        """The page that `export "x.html"` writes, in a frame, for notebooks."""
        return str(_display().as_html(self))

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """The result for notebooks by MIME type: text, SVG, HTML."""
        return dict(_display().bundle(self, include, exclude))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row per node and method, as a pandas DataFrame."""
        return _frame(self.table)

    @cached_property
    def graph(self) -> networkx.MultiDiGraph:
        """The circuit that the spec asks for, as a networkx graph; else of its first method."""
        return self.circuit()

    def circuit(
        self, *, method: str | None = None, keep: int | None = None, prune: bool | None = None
    ) -> networkx.MultiDiGraph:
        """A circuit of the nodes with a measured effect and the best others.

        Args:
            method: the label of a method of the spec; for None that of the spec's `circuit`,
                or the first one.
            keep: how many nodes; more, up to 200, if more were chosen for verification. For
                None exactly those that the spec's `circuit` keeps, 50 if it has none.
            prune: leave out nodes that are on no way from the input to the logits; for None
                those of the spec's `circuit` are pruned.

        Raises:
            RunError: when the run has no such method.
        """
        from atpdsl.results.graph import circuit

        if method is None and self.record.circuit is not None:
            method = self.record.circuit.method
        return circuit(self.record, self.table, self.label(method), keep, prune=prune)

    def top(self, n: int = 20, method: str | None = None) -> pd.DataFrame:
        """The nodes with the largest scores, best first, as a DataFrame.

        Args:
            n: how many.
            method: the label of a method of the spec; the first one for None.

        Raises:
            RunError: when the run has no such method.
        """
        from atpdsl.results.scores import best

        return _frame(best(self.table, self.label(method), n))

    def top_rows(self, n: int = 20, method: str | None = None) -> tuple[ScoreRow, ...]:
        """As `top`, as plain objects."""
        from atpdsl.results.scores import best, rows

        return tuple(rows(best(self.table, self.label(method), n)))

    def label(self, method: str | None = None) -> str:
        """The label of a method; the first one for None.

        Raises:
            RunError: when the run has no such method.
        """
        found = self.record.method(method)
        if found is None:
            known = ", ".join(f"`{m.label}`" for m in self.record.methods)
            message = f"the run has no method `{method}`"
            raise RunError([Problem(code="ATP446", message=message, help=f"it has {known}")])
        return found.label

    @property
    def identity(self) -> folders.Identity:
        """What tells this run from others."""
        return folders.identity_of(
            self.record.spec, self.record.provenance.model.weights_sha256
        )

    def save(self, directory: str | Path, *, overwrite: bool = False) -> Result:
        """Write `result.json`, `scores.parquet` and `graph.json` to a folder.

        The files of `export` statements are written by `atpdsl.exports.save`.

        Args:
            directory: is made if need be. A result of the same spec and model is replaced.
            overwrite: replace the result of another spec or model too.

        Returns:
            This result, with its folder.

        Raises:
            RunError: when something else is there, or writing fails.
        """
        place = Path(directory)
        with folders.replacing(place, self.identity, overwrite=overwrite) as fresh:
            self.write(fresh)
        return replace(self, directory=place)

    def write(self, folder: Path) -> None:
        """Write the three files into a folder that exists.

        Raises:
            OSError: when that fails.
        """
        import networkx
        import pyarrow.parquet as pq

        pq.write_table(self.table, folder / SCORES, compression="zstd")
        drawing = networkx.node_link_data(self.graph, edges="links")
        (folder / GRAPH).write_text(dumps(drawing), encoding="utf-8")
        with (folder / SCORES).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        scores = {"file": SCORES, "rows": len(self.table), "sha256": digest}
        document = {"schema": SCHEMA, "scores": scores, **to_json(self.record)}
        (folder / RESULT).write_text(dumps(document), encoding="utf-8")

    @classmethod
    def load(cls, directory: str | Path) -> Result:
        """Read a result from its folder; the folder need not be trusted.

        Raises:
            RunError: when there is none, or it is damaged, or of another version.
        """
        from atpdsl.results.load import load

        record, table, place = load(Path(directory))
        return cls(record, table, place)


def _frame(table: pa.Table) -> pd.DataFrame:
    """Words as plain strings and whole numbers that can be missing, for least surprise."""
    import pandas as pd
    import pyarrow as pa

    whole = {pa.int32(): pd.Int32Dtype()}
    words = pa.schema(
        [
            f.with_type(pa.string()) if pa.types.is_dictionary(f.type) else f
            for f in table.schema
        ]
    )
    frame: pd.DataFrame = table.cast(words).to_pandas(types_mapper=whole.get)
    return frame


def _display() -> Any:
    """How notebooks show a result: with the exporters, which are made of results."""
    return import_module("atpdsl.notebook.display")
