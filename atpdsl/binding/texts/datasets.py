"""Rows of data sets: folders of `datasets.save_to_disk`, or with files as on the hub."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from atpdsl.binding.texts import sources
from atpdsl.binding.texts.arrow import DamagedError, read_batches
from atpdsl.binding.texts.rows import BadRow, Row, clean_value
from atpdsl.binding.texts.sources import (
    READERS,
    UnreadableError,
    check_inside,
    read_rows,
    too_large,
)
from atpdsl.models.hub import hub_cache, is_hub_name
from atpdsl.problems import Span
from atpdsl.registry import closest
from atpdsl.semantics.paths import objection

SPLITS_FILE, STATE_FILE = "dataset_dict.json", "state.json"
SUFFIXES = (".parquet", ".jsonl", ".csv")
DEEPEST = 4
MOST_FILES = 10_000
# What the hub calls the splits, and the words for them in the names of files.
SPLIT_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SHARD = re.compile(r"[-_]?\d{1,5}(-of-\d{1,5})?(-[0-9a-f]{16})?$")

Splits = Mapping[str, tuple[Path, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """A data set as the spec names it: its name, the split wanted, and where both stand."""

    name: str
    split: str | None
    span: Span
    split_at: Span | None = None

    def error(self, code: str, message: str, advice: str = "") -> UnreadableError:
        """A problem with it."""
        return UnreadableError(code, message, self.span, advice)

    def split_error(self, message: str, advice: str) -> UnreadableError:
        """A problem with its split."""
        return UnreadableError("ATP280", message, self.split_at or self.span, advice)


def read_dataset(wanted: DataSet, base: Path) -> Iterator[Row | BadRow]:
    """The rows of a data set in its order; nothing is read before the first is asked for.

    Args:
        wanted: which data set.
        base: the folder from which its path starts.

    Raises:
        UnreadableError: when there is no such data set or split, or a file is damaged.
    """
    folder, cached = _folder(wanted, base)
    splits = _splits(wanted, folder)
    split = _chosen(wanted, splits)
    source = f"`{wanted.name}`" + (f", split `{split}`" if split else "")
    number = size = 0
    for path in splits[split]:
        name = f"{wanted.name}/{path.relative_to(folder).as_posix()}"
        form = path.suffix.removeprefix(".")
        if not cached:
            check_inside(path, base, name, wanted.span)
        if form in READERS:
            yield from read_rows(path, form, name, wanted.span)
            continue
        try:
            for count, rows in read_batches(path):
                size += count
                if size > sources.LARGEST_READ:
                    raise too_large(wanted.name, wanted.span)
                for row in rows:
                    columns = {str(key): clean_value(value) for key, value in row.items()}
                    yield Row(number=number, columns=columns, source=source, unit="row")
                    number += 1
        except DamagedError as error:
            advice = "make or download the data set again"
            raise wanted.error("ATP246", f"`{name}` cannot be read: {error}", advice) from error


# ---- where it is ----


def _folder(wanted: DataSet, base: Path) -> tuple[Path, bool]:
    """The folder of a data set, and whether it is in the cache of the hub."""
    folder = base / wanted.name
    if folder.is_dir():
        return folder, False
    if folder.is_file():
        form = folder.suffix.removeprefix(".")
        advice = "name the folder that it is in"
        if form in READERS:
            advice = f'write `from {form}("{wanted.name}")`'
        raise wanted.error("ATP246", f"`{wanted.name}` is a file, and no data set", advice)
    cached = _cached(wanted.name)
    if cached is not None:
        return cached, True
    raise wanted.error(
        "ATP246", f"there is no data set `{wanted.name}`", _how_to_get(wanted.name, folder)
    )


def _how_to_get(name: str, folder: Path) -> str:
    beside = folder.parent.iterdir() if folder.parent.is_dir() else ()
    near = closest(folder.name, [entry.name for entry in beside if entry.is_dir()])
    if near is not None:
        return f"did you mean `{near}`? a path starts at the spec's folder"
    if not is_hub_name(name):
        return "a data set is a folder, and its path starts at the spec's folder"
    return (
        "save it beside the spec once, with"
        f' `datasets.load_dataset("{name}").save_to_disk("{name}")`: a check never downloads'
    )


def _cached(name: str) -> Path | None:
    """The newest snapshot of a data set that Hugging Face libraries have downloaded."""
    if not is_hub_name(name):
        return None
    folder = hub_cache() / f"datasets--{name.replace('/', '--')}"
    try:
        commit = (folder / "refs" / "main").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None
    snapshot = folder / "snapshots" / commit
    return snapshot if re.fullmatch(r"[0-9a-f]+", commit) and snapshot.is_dir() else None


# ---- its splits ----


def _chosen(wanted: DataSet, splits: Splits) -> str:
    names = tuple(name for name in splits if name)
    listed = ", ".join(f"`{name}`" for name in names)
    if wanted.split is None and len(splits) == 1:
        return next(iter(splits))
    if wanted.split is None:
        raise wanted.split_error(
            f"`{wanted.name}` has the splits {listed}, and none is chosen",
            f'write `split = "{names[0]}"`',
        )
    if wanted.split in splits:
        return wanted.split
    if not names:
        message = f"`{wanted.name}` has no splits, and so no `{wanted.split}`"
        raise wanted.split_error(message, "leave `split` out")
    near = closest(wanted.split, names)
    raise wanted.split_error(
        f"`{wanted.name}` has no split `{wanted.split}`",
        f"did you mean `{near}`?" if near else f"there are {listed}",
    )


def _splits(wanted: DataSet, folder: Path) -> Splits:
    """The files of each split; the split of a data set without any is called ""."""
    if (folder / SPLITS_FILE).is_file():
        names = _read_json(wanted, folder / SPLITS_FILE).get("splits")
        if not isinstance(names, list) or not names:
            raise _damaged(wanted, SPLITS_FILE, "it names no splits")
        checked = [_plain_name(wanted, SPLITS_FILE, name) for name in names]
        return {name: _saved_files(wanted, folder / name) for name in checked}
    if (folder / STATE_FILE).is_file():
        split = _read_json(wanted, folder / STATE_FILE).get("_split")
        name = split if isinstance(split, str) and wanted.split == split else ""
        return {name: _saved_files(wanted, folder)}
    return _hub_files(wanted, folder)


def _saved_files(wanted: DataSet, folder: Path) -> tuple[Path, ...]:
    """The files that `save_to_disk` wrote, in their order."""
    state = _read_json(wanted, folder / STATE_FILE)
    if any(state.get(key) for key in ("_indices_data_files", "_indices_files")):
        raise wanted.error(
            "ATP246",
            f"`{wanted.name}` was saved as a selection of another data set's rows",
            "save it again with `flatten_indices().save_to_disk(...)`",
        )
    entries = state.get("_data_files")
    if not isinstance(entries, list) or not entries:
        raise _damaged(wanted, STATE_FILE, "it names no files")
    names = [entry.get("filename") if isinstance(entry, dict) else None for entry in entries]
    return tuple(folder / _plain_name(wanted, STATE_FILE, name) for name in names)


def _plain_name(wanted: DataSet, file: str, name: object) -> str:
    """A name in a folder's description that leads nowhere else."""
    if not isinstance(name, str) or "/" in name or objection(name):
        raise _damaged(wanted, file, f"`{name}` is no name of a file or split")
    return name


def _read_json(wanted: DataSet, path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(sources.LARGEST_READ).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise _damaged(wanted, path.name, str(reason)) from error
    if not isinstance(content, dict):
        raise _damaged(wanted, path.name, "it holds no object")
    return content


def _damaged(wanted: DataSet, file: str, reason: str) -> UnreadableError:
    message = f"`{file}` of the data set `{wanted.name}` cannot be used: {reason}"
    return wanted.error("ATP246", message, "make or download the data set again")


# ---- files as on the hub ----


def _hub_files(wanted: DataSet, folder: Path) -> Splits:
    """Files by the split that their names tell, as `train-00000-of-00002.parquet` does."""
    splits: dict[str, list[Path]] = {}
    try:
        for path in _data_files(folder):
            splits.setdefault(_split_of(path, folder), []).append(path)
    except OSError as error:
        message = f"the folder `{wanted.name}` cannot be read: {error.strerror}"
        raise wanted.error("ATP246", message) from error
    if not splits:
        raise wanted.error(
            "ATP246",
            f"the folder `{wanted.name}` holds no data set",
            "save one there with `datasets`' `save_to_disk`, or put Parquet, JSONL or CSV files"
            " there",
        )
    for split, paths in splits.items():
        _check_together(wanted, folder, split, paths)
    return {split: tuple(paths) for split, paths in splits.items()}


def _data_files(folder: Path) -> Iterator[Path]:
    """Data files in a folder and a few levels below it, in the order of their names."""
    pending, seen = [folder], 0
    while pending:
        for path in sorted(pending.pop(0).iterdir()):
            seen += 1
            hidden = path.name.startswith((".", "_"))
            if hidden or seen > MOST_FILES:
                continue
            if path.is_dir() and len(path.relative_to(folder).parts) < DEEPEST:
                pending.append(path)
            elif path.suffix in SUFFIXES and path.is_file():
                yield path


def _split_of(path: Path, folder: Path) -> str:
    """The split of a file: by a word in its name, or in that of its folder."""
    names = [path.stem, *(part.name for part in path.parents if part.is_relative_to(folder))]
    names = names[: len(path.relative_to(folder).parts)]
    for name in names:
        words = re.split(r"[-_. ]", name.lower())
        for split, meaning in SPLIT_WORDS.items():
            if any(word in meaning for word in words):
                return split
    return _SHARD.sub("", path.stem) or "train"


def _check_together(wanted: DataSet, folder: Path, split: str, paths: list[Path]) -> None:
    """A split's files are of one data set: in one folder and of one format."""
    folders = sorted({path.parent.relative_to(folder).as_posix() for path in paths})
    if len(folders) > 1:
        listed = ", ".join(f"`{name}`" for name in folders[:5])
        raise wanted.error(
            "ATP280",
            f"the split `{split}` of `{wanted.name}` is in several folders: {listed}",
            f'name one of them, as `hf("{wanted.name}/{folders[-1]}")`',
        )
    formats = sorted({path.suffix for path in paths})
    if len(formats) > 1:
        listed = " and ".join(f"`{suffix}`" for suffix in formats)
        raise wanted.error(
            "ATP280",
            f"the split `{split}` of `{wanted.name}` is there as {listed}",
            "keep the files of one format in the folder",
        )
