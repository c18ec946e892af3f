"""The safetensors files of a model folder: which they are, whether whole, how big."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
HEADER_LIMIT = 100_000_000


class DamagedWeightsError(ValueError):
    """A safetensors file or its index cannot be what it claims to be."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """What the header of one safetensors file says."""

    path: Path
    parameters: int


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files that hold the weights, in order of name; empty if there are none.

    The choice is the one `transformers` makes: the single file before the index. Files that
    an index lists are returned whether they are there or not.

    Raises:
        DamagedWeightsError: when the index is not one.
    """
    if (folder / SINGLE).is_file():
        return (folder / SINGLE,)
    index = folder / INDEX
    if not index.is_file():
        return ()
    try:
        listed = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedWeightsError(f"`{INDEX}` is not an index of weights") from error
    if not all(isinstance(name, str) and Path(name).name == name for name in listed):
        raise DamagedWeightsError(f"`{INDEX}` lists files outside its folder")
    return tuple(folder / name for name in sorted(listed))


def pickled_files(folder: Path) -> tuple[Path, ...]:
    """Weights in formats that can run code when they are read."""
    return tuple(sorted(path for pattern in PICKLED for path in folder.glob(pattern)))


def inspect(path: Path) -> WeightFile:
    """What a safetensors file holds, from its header; the numbers are not read.

    Raises:
        DamagedWeightsError: when the header is malformed or the file has another length than
            the header asks for, as after an interrupted copy.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, HEADER_LIMIT):
            raise DamagedWeightsError(f"`{path.name}` is cut short or not a safetensors file")
        text = file.read(length)
    try:
        header = json.loads(text)
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        parameters = sum(math.prod(entry["shape"]) for entry in tensors)
        end = max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise DamagedWeightsError(f"the header of `{path.name}` is malformed") from error
    if size != 8 + length + end:
        raise DamagedWeightsError(
            f"`{path.name}` has {size:,} bytes where its header asks for {8 + length + end:,}"
        )
    return WeightFile(path, parameters)


def parameter_count(folder: Path) -> int:
    """How many numbers the weights of a folder are.

    Raises:
        DamagedWeightsError: see `inspect` and `weight_files`.
        OSError: when a file cannot be read.
    """
    return sum(inspect(path).parameters for path in weight_files(folder))


def read_json(path: Path, *, limit: int = 4_000_000) -> Mapping[str, Any]:
    """A JSON object from a file of at most `limit` bytes.

    Raises:
        ValueError: when it is not one, or too large.
        OSError: when the file cannot be read.
    """
    size = os.path.getsize(path)
    if size > limit:
        raise ValueError(f"{size:,} bytes are more than a configuration has")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the text is wrong, not a type
    return data
