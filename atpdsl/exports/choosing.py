"""Which exporter a file or a name wants, ours first and then those of other packages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from atpdsl.exports.exporter import Exporter
from atpdsl.exports.formats import EXPORTERS
from atpdsl.problems import Label, Problem, RunError
from atpdsl.registry import closest
from atpdsl.semantics.exports import longest_suffix


def every_exporter() -> tuple[Exporter, ...]:
    """All formats, those of other packages last."""
    from atpdsl.exports.plugins import plugins

    return (*EXPORTERS, *plugins().exporters)


def exporter_for(path: Path) -> Exporter:
    """The exporter that a file's suffix chooses; of several suffixes the longest.

    Raises:
        RunError: when there is none.
    """
    # A format of another package may have a longer suffix, so that one of ours does not end
    # the search where the name has several dots.
    ours = _by_suffix(path, tuple(EXPORTERS))
    if ours is not None and path.name.count(".") == 1:
        return ours
    found = _by_suffix(path, every_exporter())
    if found is not None:
        return found
    known = ", ".join(f"`{s}`" for exporter in every_exporter() for s in exporter.suffixes)
    message = f"no export format has the suffix of `{path}`"
    raise _unknown(message, f"it can be one of {known}; or say the format with `--to`")


def exporter_called(name: str) -> Exporter:
    """The exporter with a name, as in `--to svg`.

    Raises:
        RunError: when there is none.
    """
    if name in EXPORTERS:
        return EXPORTERS[name]
    found = {exporter.name: exporter for exporter in every_exporter()}
    if name in found:
        return found[name]
    meant = closest(name, found)
    known = f"formats are {', '.join(f'`{one}`' for one in found)}"
    advice = f"did you mean `{meant}`?" if meant else known
    raise _unknown(f"no export format is called `{name}`", advice)


def check_installed(exporter: Exporter, at: Label | None = None) -> None:
    """See to it that the package that a format is written with is there.

    Raises:
        RunError: when it is not.
    """
    if exporter.needs and find_spec(exporter.needs) is None:
        message = f"the export format `{exporter.name}` needs `{exporter.needs}`"
        advice = (
            f'pip install "atpdsl[{exporter.extra}]"'
            if exporter.extra
            else (f"pip install {exporter.needs}")
        )
        raise RunError([Problem(code="ATP454", message=message, help=advice, at=at)])


def _by_suffix(path: Path, exporters: tuple[Exporter, ...]) -> Exporter | None:
    by_suffix = {suffix: exporter for exporter in exporters for suffix in exporter.suffixes}
    suffix = longest_suffix(path.name, by_suffix)
    return by_suffix[suffix] if suffix else None


def _unknown(message: str, advice: str) -> RunError:
    """With what is wrong with formats of other packages, which may be the one that is meant."""
    from atpdsl.exports.plugins import plugins

    problem = Problem(code="ATP450", message=message, help=advice)
    return RunError([problem, *plugins().problems])
