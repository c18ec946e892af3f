"""Rows of Arrow and Parquet files, batch by batch; nothing here makes a data frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are made at once: few, as reading may end after any of them.
BATCH = 256
FILE_MAGIC = b"ARROW1"


class DamagedError(Exception):
    """A file that is not what its name says."""


def read_batches(path: Path) -> Iterator[tuple[int, list[dict[str, object]]]]:
    """A file's rows in order, with the bytes that they take in the file.

    Columns of bytes, as images and sounds, are left out: they can stand in no prompt.

    Raises:
        DamagedError: when the file cannot be understood.
    """
    import pyarrow as pa

    try:
        batches = _parquet(path) if path.suffix == ".parquet" else _arrow(path)
        for batch in batches:
            batch.validate(full=True)
            for start in range(0, batch.num_rows, BATCH):
                part = batch.slice(start, BATCH)
                yield part.nbytes, part.to_pylist()
    except FileNotFoundError as error:
        raise DamagedError("there is no such file") from error
    except (OSError, ValueError, pa.ArrowException) as error:
        # A name of a column that is no text is a `UnicodeDecodeError`.
        first = str(error).strip().split("\n", maxsplit=1)[0]
        raise DamagedError(first) from error


def _arrow(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    with path.open("rb") as file:
        whole = file.read(len(FILE_MAGIC)) == FILE_MAGIC
    with pa.memory_map(str(path)) as source:
        if whole:
            reader = pa.ipc.open_file(source)
            batches = (reader.get_batch(n) for n in range(reader.num_record_batches))
        else:
            reader = pa.ipc.open_stream(source)
            batches = iter(reader)
        wanted = _wanted(reader.schema)
        for batch in batches:
            yield batch.select(wanted)


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=BATCH, columns=_wanted(file.schema_arrow))


def _wanted(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if _readable(field.type)]


def _readable(kind: pa.DataType) -> bool:
    """Whether a column's values, or some of their parts, can be a text or a number."""
    import pyarrow as pa

    bytes_types = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if any(of_bytes(kind) for of_bytes in bytes_types):
        return False
    parts = [kind.field(number).type for number in range(kind.num_fields)]
    return not isinstance(kind, pa.BaseExtensionType) and all(map(_readable, parts))
