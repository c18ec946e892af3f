"""Where results are kept: a folder that appears whole, and never replaces another run's.

A folder is written beside its place and renamed into it, so that a crash leaves either the
old folder or the new one. Files in it that are not ours are kept.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.problems import Problem, RunError
from atpdsl.results.document import DamagedError, dumps, loads

if TYPE_CHECKING:
    from atpdsl.results.record import SpecRecord

RESULT, SCORES, GRAPH = "result.json", "scores.parquet", "graph.json"
RESERVED = frozenset({RESULT, SCORES, GRAPH})
FAMILY = "atpdsl/result/"
# Far above any real result; a guard against files made to exhaust memory.
MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells runs apart.

    Attributes:
        text: of the spec.
        values: included files, values given from outside, and the point of a sweep, as JSON.
        weights: the SHA-256 of the model's weights.
    """

    text: str
    values: str
    weights: str


def identity_of(spec: SpecRecord, weights: str) -> Identity:
    """The identity of a run of a spec with a model of these weights."""
    parts = (spec.included, spec.given, spec.point)
    return Identity(text=spec.text, values=dumps(parts), weights=weights)


def check_free(directory: Path, identity: Identity, *, overwrite: bool = False) -> None:
    """Make sure that a run's results can be written; called before the run as well.

    Raises:
        RunError: when the folder holds the result of another run (unless `overwrite`), or
            anything that is no result, or cannot be written to.
    """
    _check_content(directory, identity, overwrite)
    with _written(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        probe = _beside(directory, "probe")
        probe.mkdir()
        probe.rmdir()


@contextmanager
def replacing(
    directory: Path, identity: Identity, *, overwrite: bool = False
) -> Iterator[Path]:
    """A new folder to fill, that takes the place of `directory` if all goes well.

    Raises:
        RunError: as `check_free`, and when writing fails.
    """
    check_free(directory, identity, overwrite=overwrite)
    fresh = _beside(directory, "partial")
    try:
        with _written(directory):
            fresh.mkdir()
            yield fresh
            _sync(fresh)
            _swap(fresh, directory)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def is_result(directory: Path) -> bool:
    """Whether a folder holds a result, as far as its `result.json` says."""
    return _identity(directory / RESULT) is not None


def read_text(path: Path) -> str:
    """The text of one of our files.

    Raises:
        RunError: when it is missing or cannot be read as text.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise damaged(path, f"it is larger than {MOST_BYTES:,} bytes")
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise damaged(path, "it is no text") from None
    except OSError as error:
        raise missing(path.parent, error.strerror or str(error)) from None


def write_file(path: Path, text: str) -> None:
    """Write a file that appears whole, in a folder that is made if need be.

    Raises:
        RunError: when that fails.
    """
    fresh = _beside(path, "partial")
    with _written(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)


def missing(directory: Path, reason: str, advice: str = "") -> RunError:
    """There is no result."""
    return _problem(
        "ATP443",
        f"no result in `{directory}`: {reason}",
        advice or "name the folder that `atpdsl run` wrote, such as `runs/ioi`",
    )


def damaged(path: Path, reason: str) -> RunError:
    """There is a result that cannot be used."""
    return _problem(
        "ATP444",
        f"`{path}` is damaged: {reason}",
        "run the spec again; with `--overwrite` if the folder is in the way",
    )


def _check_content(directory: Path, identity: Identity, overwrite: bool) -> None:
    if not os.path.lexists(directory):
        return
    if not directory.is_dir():
        raise _problem("ATP442", f"`{directory}` is not a folder", "choose `--out DIR`")
    with _written(directory):
        if not any(directory.iterdir()):
            return
    found = _identity(directory / RESULT)
    if found is None:
        raise _problem(
            "ATP441",
            f"`{directory}` is not empty and holds no atpdsl result",
            "choose another folder with `--out DIR`; nothing in this one was touched",
        )
    if found != identity and not overwrite:
        other = _what_differs(found, identity)
        raise _problem(
            "ATP440",
            f"`{directory}` holds the result of {other}",
            "keep both with `--out DIR`, or replace it with `--overwrite`",
        )


def _what_differs(found: Identity, wanted: Identity) -> str:
    if found.text != wanted.text:
        return "another version of the spec"
    if found.values != wanted.values:
        return "other parameters or included files"
    return "another model"


def _identity(path: Path) -> Identity | None:
    """The run that a `result.json` is of; None if it is no result of ours."""
    try:
        document = loads(read_text(path))
        known = isinstance(document, dict) and str(document["schema"]).startswith(FAMILY)
        if not isinstance(document, dict) or not known:
            return None
        model = document["provenance"]["model"]
        spec = document["spec"]
        parts = (spec["included"], spec["given"], spec["point"])
        weights = str(model["weights_sha256"])
        return Identity(text=str(spec["text"]), values=dumps(parts), weights=weights)
    except (DamagedError, RunError, KeyError, TypeError):
        return None


def _beside(directory: Path, purpose: str) -> Path:
    place = directory.absolute()
    return place.parent / f".{place.name}.{purpose}-{secrets.token_hex(4)}"


def _sync(folder: Path) -> None:
    """Bring what was written to the disk, so that the rename cannot overtake it."""
    for path in (*(p for p in folder.rglob("*") if p.is_file()), folder):
        if path.is_dir() and os.name == "nt":
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _swap(fresh: Path, directory: Path) -> None:
    """Put `fresh` in the place of `directory`, with the files there that are not ours."""
    if not directory.exists():
        fresh.rename(directory)
        return
    # Through a symbolic link: the folder it leads to is replaced, not the link.
    place = directory.resolve()
    old = _beside(place, "old")
    place.rename(old)
    try:
        fresh.rename(place)
    except OSError:
        old.rename(place)
        raise
    _keep_others(old, place)
    shutil.rmtree(old)


def _keep_others(old: Path, place: Path) -> None:
    """Move the files that no run of ours wrote from the old folder to the new one."""
    ours = _our_files(old)
    files = [path for path in old.rglob("*") if path.is_symlink() or not path.is_dir()]
    for path in files:
        name = path.relative_to(old)
        if name.as_posix() not in ours and not os.path.lexists(place / name):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(place / name)


def _our_files(folder: Path) -> frozenset[str]:
    """The files in a result's folder that its run wrote, as relative names."""
    try:
        document = loads(read_text(folder / RESULT))
    except (DamagedError, RunError):
        return RESERVED
    exports = document.get("exports") if isinstance(document, dict) else None
    names = exports if isinstance(exports, list) else []
    return RESERVED | {name for name in names if isinstance(name, str)}


@contextmanager
def _written(directory: Path) -> Iterator[None]:
    """Turns the system's refusal to write into a problem."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "free some space, or" if full else "check the permissions, or"
        raise _problem(
            "ATP442",
            f"cannot write to `{directory}`: {error.strerror or error}",
            f"{advice} choose another place with `--out DIR`",
        ) from error


def _problem(code: str, message: str, advice: str) -> RunError:
    return RunError([Problem(code=code, message=message, help=advice)])
