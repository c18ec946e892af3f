"""Writing exports: those of a spec beside its result, and single files afterwards."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from atpdsl.exports.choosing import check_installed, exporter_called, exporter_for
from atpdsl.exports.exporter import Exporter
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

    An export that its format cannot write does not cost the result: that is saved, and then
    told of.

    Returns:
        The result, with its folder.

    Raises:
        RunError: when something else is there, an export would leave the folder, or writing
            fails.
    """
    names = check_paths(exports)
    failed: list[Problem] = []
    with folders.replacing(directory, result.identity, overwrite=overwrite) as fresh:
        result.write(fresh)
        for name, format_name in names.items():
            (fresh / name).parent.mkdir(parents=True, exist_ok=True)
            try:
                _write(exporter_called(format_name), result, fresh / name)
            except RunError as error:
                (fresh / name).unlink(missing_ok=True)
                failed += (_not_written(problem, name, directory) for problem in error.problems)
    if failed:
        raise RunError(failed)
    return replace(result, directory=directory)


def check_paths(exports: Iterable[ExportCall]) -> dict[Path, str]:
    """The files that a spec exports to, relative to the result's folder, and their formats.

    Raises:
        RunError: when one would leave the folder or is a file of the result itself, or its
            format needs a package that is not installed.
    """
    calls = {_inside(call): call for call in exports}
    for call in calls.values():
        check_installed(exporter_called(call.format), Label(call.span))
    return {path: call.format for path, call in calls.items()}


def export(
    result: Result, path: Path, *, form: str | None = None, overwrite: bool = False
) -> None:
    """Write a result to one file.

    Args:
        result: what to write.
        path: the file.
        form: the name of a format; for None its suffix says it.
        overwrite: replace a file that exists.

    Raises:
        RunError: when the format is unknown, lacks a package or has no place for the result,
            the file exists or belongs to the result itself, or cannot be written.
    """
    exporter = exporter_for(path) if form is None else exporter_called(form)
    check_installed(exporter)
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
        _write(exporter, result, fresh)
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


def _write(exporter: Exporter, result: Result, path: Path) -> None:
    """Write a file; what fails in another package's format is told as a problem.

    Raises:
        OSError: when the file cannot be written.
        RunError: when the format has no place for the result, or its package fails.
    """
    if not exporter.package:
        exporter.write(result, path)
        return
    from atpdsl.exports.plugins import CODE, reason_of

    try:
        exporter.write(result, path)
    except (OSError, RunError):
        raise
    except Exception as error:
        message = (
            f"the export format `{exporter.name}` of the package `{exporter.package}` failed: "
            f"{reason_of(error)}"
        )
        raise _problem(CODE, message, "update that package, or tell its authors") from error


def _not_written(problem: Problem, name: Path, folder: Path) -> Problem:
    message = f"`{name}` was not written: {problem.message}"
    advice = f"{problem.help}; the result itself is in `{folder}`"
    return replace(problem, message=message, help=advice)


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
