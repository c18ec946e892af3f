"""The command line: arguments, exit codes, and what is shown; no logic of its own.

Exit codes: 0 done, 1 problems in the spec, 2 usage, 3 the run failed, 130 interrupted.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from atpdsl.cli.arguments import parse
from atpdsl.cli.failures import exit_code

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and say how it went.

    Args:
        arguments: the words after `atpdsl`; those of the process for None.

    Returns:
        The exit code.
    """
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A token that the terminal's encoding lacks must not end the run.
            stream.reconfigure(errors="backslashreplace")
    try:
        chosen = parse(sys.argv[1:] if arguments is None else list(arguments))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    return exit_code(chosen)


def _open_streams() -> None:
    """Streams that the shell has closed (`>&-`), replaced by some that nobody reads."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, io.StringIO())
