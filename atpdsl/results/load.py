"""Reading a result's folder, which need not be trusted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from atpdsl.nodes import NODE_KINDS
from atpdsl.problems import Problem, RunError
from atpdsl.results.columns import is_of_scores, upper_column
from atpdsl.results.directory import FAMILY, RESULT, SCORES, damaged, missing, read_text
from atpdsl.results.document import DamagedError, from_json, loads
from atpdsl.results.record import SCHEMA, Record
from atpdsl.results.sweep import SWEEP, is_sweep
from atpdsl.semantics.experiment import Keep

# Far above any real run: 561,600 nodes of GPT-2 small at 15 tokens, times 100.
MOST_ROWS = 100_000_000
# Results that a message names.
MOST_SHOWN = 5


def load(place: Path) -> tuple[Record, pa.Table, Path]:
    """The record and scores of a result, and its folder.

    Args:
        place: the folder, or the `result.json` in it.

    Raises:
        RunError: when there is no result, or it is damaged, or of another version.
    """
    if place.name == RESULT and place.is_file():
        place = place.parent
    if not place.is_dir():
        raise missing(place, "it is a file" if place.exists() else "there is no such folder")
    path = place / RESULT
    if not path.is_file():
        raise _elsewhere(place)
    try:
        record, digest = _read_record(path)
        _check_record(record)
    except DamagedError as error:
        raise damaged(path, str(error)) from None
    return record, _read_table(place / SCORES, record, digest), place


def _elsewhere(place: Path) -> RunError:
    """A folder is no result, but may hold some."""
    inner = [path.parent.name for path in sorted(place.glob(f"*/{RESULT}"))]
    inner += [path.parent.name for path in sorted(place.glob(f"*/{SWEEP}"))]
    reason = "it is a sweep of several results" if is_sweep(place) else f"it has no `{RESULT}`"
    if not inner:
        return missing(place, reason)
    shown = ", ".join(f"`{name}`" for name in inner[:MOST_SHOWN])
    more = f" and {len(inner) - MOST_SHOWN} more" if len(inner) > MOST_SHOWN else ""
    return missing(place, reason, f"name one of those in it: {shown}{more}")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_record(path: Path) -> tuple[Record, str]:
    """The record and the digest of the scores."""
    document = loads(read_text(path))
    if not isinstance(document, dict):
        raise DamagedError("it holds no object")
    schema = document.get("schema")
    if schema != SCHEMA:
        raise _other_version(path, schema)
    scores: Any = document.get("scores")
    digest = scores.get("sha256") if isinstance(scores, dict) else None
    if not isinstance(digest, str):
        raise DamagedError("`scores.sha256` is missing")
    return from_json(Record, document), digest


def _other_version(path: Path, schema: object) -> RunError:
    """A result that another version of atpdsl wrote."""
    own, found = (re.fullmatch(rf"{FAMILY}([0-9]{{1,9}})", str(s)) for s in (SCHEMA, schema))
    what = "has no schema of a result"
    if own is not None and found is not None:
        age = "an earlier" if int(found[1]) < int(own[1]) else "a later"
        what = f"is of {age} version"
    message = f"`{path}` {what}: it says {json.dumps(schema)}, this version reads `{SCHEMA}`"
    advice = "read it with the version of atpdsl that wrote it, or run the spec again"
    return RunError([Problem(code="ATP445", message=message, help=advice)])


def _check_record(record: Record) -> None:
    """What the types cannot say, and later code relies on."""
    shape = record.provenance.model.shape
    if not record.methods:
        raise DamagedError("`methods` is empty")
    if min(shape.n_heads, shape.n_kv_heads) < 1 or shape.n_heads % shape.n_kv_heads:
        raise DamagedError("`provenance.model.shape` is that of no model")
    for nodes in record.nodes:
        if nodes.kind not in NODE_KINDS:
            raise DamagedError(f"{json.dumps(nodes.kind)} is no node kind")
    circuit = record.circuit
    if circuit is not None and circuit.keep not in set(Keep):
        raise DamagedError(f"`circuit.keep` cannot be {json.dumps(circuit.keep)}")
    if circuit is not None and circuit.method not in {m.label for m in record.methods}:
        raise DamagedError(f"`circuit.method` is {json.dumps(circuit.method)}, no method")
    if any(b.confidence not in {at.confidence for at in b.at} for b in record.bounds):
        raise DamagedError("`bounds` has nothing at the confidence that was asked for")
    _check_exports(record)


def _check_exports(record: Record) -> None:
    """Files that another run may replace are in the result's folder."""
    for name in record.exports:
        if not name or Path(name).is_absolute() or ".." in Path(name).parts:
            raise DamagedError(f"`exports` names {json.dumps(name)}")


def _read_table(path: Path, record: Record, digest: str) -> pa.Table:
    try:
        if _digest(path) != digest:
            raise damaged(path, f"it is not the file that `{RESULT}` was written with")
        with pq.ParquetFile(path) as file:
            if file.metadata.num_rows > MOST_ROWS:
                raise damaged(path, f"it has more than {MOST_ROWS:,} rows")
            table = file.read()
    except FileNotFoundError:
        raise missing(path.parent, f"it has no `{SCORES}`") from None
    except (OSError, pa.ArrowException) as error:
        raise damaged(path, str(error).splitlines()[0]) from None
    reason = next(_wrong_content(table, record), None)
    if reason is not None:
        raise damaged(path, reason)
    return table


def _wrong_content(table: pa.Table, record: Record) -> Iterator[str]:
    """What is wrong with the columns of a table that may come from anywhere."""
    if not is_of_scores(table.schema, len(record.pairs)):
        yield "its columns are not those of scores"
        return
    wanted = [upper_column(bound.confidence) for bound in record.bounds]
    if record.flags:
        wanted.append("flags")
    lacking = [name for name in wanted if name not in table.column_names]
    if lacking:
        yield f"it has no column `{lacking[0]}`"
        return
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        yield str(error).splitlines()[0]
        return
    known = {
        "method": {method.label for method in record.methods},
        "kind": set(NODE_KINDS.names),
        "position": {position.label for position in record.positions},
    }
    for column, names in known.items():
        if table[column].null_count or not set(pc.unique(table[column]).to_pylist()) <= names:
            yield f"it has a {column} that `{RESULT}` does not know"
