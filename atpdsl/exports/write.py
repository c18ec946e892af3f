"""Writing exports: those of a spec beside its result, and single files afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.formats import EXPORTERS
from atpdsl.problems import Label, Problem, RunError
from atpdsl.results import directory as folders
from atpdsl.semantics.experiment import ExportCall

if TYPE_CHECKING:
    from atpdsl.results.result import Result


def save(
    result: Result,
    directory: Path,
    exports: Iterable[ExportCall] = (),
    *,
    overwrite: bool = False,
) -> Result:
    """Write a result with its exports to a folder, which appears whole or not at all.

    Returns:
        The result, with its folder.

    Raises:
        RunError: when something else is there, an export would leave the folder, or writing
            fails.
    """
    names = check_paths(exports)
    with folders.replacing(directory, result.identity, overwrite=overwrite) as fresh:
        result.write(fresh)
        for name, format_name in names.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            EXPORTERS[format_name].write(result, fresh / name)
    return replace(result, directory=directory)


def check_paths(exports: Iterable[ExportCall]) -> dict[Path, str]:
    """The files that a spec exports to, relative to the result's folder, and their formats.

    Raises:
        RunError: when one would leave the folder or is a file of the result itself.
    """
    return {_inside(call): call.format for call in exports}


def export(result: Result, path: Path, *, overwrite: bool = False) -> None:
    """Write a result to one file, in the format that its suffix says.

    Raises:
        RunError: when the suffix is unknown, the file exists (unless `overwrite`) or belongs
            to the result itself, or cannot be written.
    """
    exporter = exporter_for(path)
    home = result.directory
    if home is not None and path.name in folders.RESERVED and _same_folder(path.parent, home):
        message = f"`{path}` is a file of the result itself"
        raise _problem("ATP452", message, "choose another name or another folder")
    if os.path.lexists(path) and not overwrite:
        message = f"`{path}` exists already"
        raise _problem(
            "ATP451", message, "choose another name, or replace it with `--overwrite`"
        )
    # Written beside its place and renamed, so that a crash leaves no half of a file.
    fresh = path.with_name(f".{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        exporter.write(result, fresh)
        fresh.replace(path)
    except OSError as error:
        # Arrow's errors have a number only, and tell of the file written beside.
        reason = os.strerror(error.errno) if error.errno else str(error)
        message = f"cannot write `{path}`: {reason}"
        raise _problem(
            "ATP442", message, "check the folder, its permissions and space"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()


def exporter_for(path: Path) -> Exporter:
    """The exporter that a file's suffix chooses.

    Raises:
        RunError: when there is none.
    """
    for exporter in EXPORTERS:
        if path.suffix.lower() in exporter.suffixes:
            return exporter
    suffixes = [suffix for exporter in EXPORTERS for suffix in exporter.suffixes]
    known = ", ".join(f"`{suffix}`" for suffix in suffixes)
    message = f"no export format has the suffix of `{path}`"
    raise _problem("ATP450", message, f"it can be one of {known}")


def _inside(call: ExportCall) -> Path:
    """The path of an export, made sure to stay in the result's folder."""
    posix, windows = PurePosixPath(call.path), PureWindowsPath(call.path)
    # A path that is harmless here may not be where the spec is run next.
    leaves = posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts
    strange = "\\" in call.path or "\0" in call.path or call.path.startswith("~")
    if leaves or strange or not posix.name:
        message = f"the export `{call.path}` is not inside the result folder"
        advice = "write a relative path such as `ioi.graphml`"
        raise _problem("ATP453", message, advice, Label(call.span))
    if str(posix) in folders.RESERVED:
        message = f"the export `{call.path}` has the name of a file of the result itself"
        raise _problem("ATP452", message, "choose another name", Label(call.span))
    return Path(posix)


def _same_folder(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()


def _problem(code: str, message: str, advice: str, at: Label | None = None) -> RunError:
    return RunError([Problem(code=code, message=message, help=advice, at=at)])
