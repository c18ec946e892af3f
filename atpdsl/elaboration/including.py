"""`include`: which file is meant, whether it may be read, and its text."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from atpdsl.elaboration.modules import Module
from atpdsl.problems import Source
from atpdsl.registry import closest
from atpdsl.semantics.findings import Findings, did_you_mean, listed
from atpdsl.semantics.paths import objection
from atpdsl.syntax import tree as t
from atpdsl.syntax.limits import LARGEST

LIBRARY = "lib:"
DEEPEST_INCLUDE = 8
MOST_FILES = 64
# A file that is included on many ways brings its names on each of them.
MOST_NAMES = 10_000
_FOLDER = Path(__file__).parents[1] / "library"


def library_names() -> tuple[str, ...]:
    """The files that come with atpdsl, as they are written after `lib:`."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.atp")))


def library_path(name: str) -> Path:
    """Where a file of the library lies."""
    return _FOLDER / f"{name}.atp"


def place_of(include: t.Include, home: Module, findings: Findings) -> Path | None:
    """Where the file is that an `include` means; None (and a problem) if it may not be read."""
    written = include.path.value
    if written.startswith(LIBRARY):
        return _library_file(include, findings)
    reason = objection(written, parents=True)
    path = None if reason else _resolved(home.folder / written)
    if path is not None and not path.is_relative_to(home.root):
        reason = "it leads out of the project's folder"
    if reason or path is None:
        reason = reason or "its links lead nowhere"
        findings.error(
            "ATP130",
            f"`{written}` cannot be included: {reason}",
            include.path.span,
            advice="a path starts at the folder of the file that includes, and stays in the"
            " project: the folder with a `pyproject.toml`, an `atpdsl.toml` or a `.git`",
        )
        return None
    return path


def _resolved(path: Path) -> Path | None:
    """A path without links; None if they go round in a circle."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return None


def _library_file(include: t.Include, findings: Findings) -> Path | None:
    name = include.path.value.removeprefix(LIBRARY)
    names = library_names()
    if name in names:
        return library_path(name)
    meant = closest(name.removesuffix(".atp"), names)
    advice = f"there are {listed(tuple(LIBRARY + known for known in names))}"
    findings.error(
        "ATP132",
        f"the library has no `{name}`",
        include.path.span,
        advice=did_you_mean(f"{LIBRARY}{meant}" if meant else None, advice),
    )
    return None


def missing(include: t.Include, home: Module, path: Path, findings: Findings) -> None:
    """Adds the problem of a path where no file is."""
    written = include.path.value
    try:
        beside = [found.name for found in path.parent.glob("*.atp")]
    except OSError:
        beside = []
    meant = closest(path.name, beside)
    if meant is not None:
        meant = str(PurePosixPath(written).with_name(meant))
    elif written in library_names():
        meant = LIBRARY + written
    what = "it is no file" if path.exists() else "there is no such file"
    findings.error(
        "ATP131",
        f"`{written}` cannot be included: {what}",
        include.path.span,
        advice=did_you_mean(meant, f"a path starts at the folder `{home.folder}`"),
    )


def read_part(
    path: Path, include: t.Include, including: Source, findings: Findings
) -> Source | None:
    """The text of an included file, named as seen from where the spec is named.

    Args:
        path: where it lies.
        include: the statement that asks for it.
        including: the text in which that stands.
        findings: takes the problem of a file that cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(4 * LARGEST + 1)
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        findings.error(
            "ATP131",
            f"`{include.path.value}` cannot be included: {reason}",
            include.path.span,
            advice="save it as UTF-8" if isinstance(error, ValueError) else "check the file",
        )
        return None
    written = include.path.value
    if written.startswith(LIBRARY):
        return Source(written, text)
    return Source(os.path.normpath(Path(including.name).parent / written), text)
