"""From what went wrong to an exit code and a message."""

from __future__ import annotations

import argparse
import errno
import os
import sys

from atpdsl.cli.arguments import command
from atpdsl.cli.terminal import tell, tell_problems
from atpdsl.problems import RunError, SpecError
from atpdsl.problems.clean import clean

DONE, SPEC, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def exit_code(chosen: argparse.Namespace) -> int:
    """Call the command and tell the user what stopped it, if anything did."""
    try:
        code = command(chosen)(chosen)
        sys.stdout.flush()
    except RunError as error:
        tell_problems(error.problems, error.source, json=_wants_json(chosen))
        return FAILED
    except SpecError as error:
        tell_problems(error.problems, error.source, json=_wants_json(chosen))
        return SPEC
    except KeyboardInterrupt:
        tell(_interrupted(chosen))
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        tell("not enough memory: choose fewer nodes, or a smaller `batch` in `run { ... }`")
        return FAILED
    except Exception as error:  # the one place that answers for all bugs
        if chosen.debug:
            raise
        return _bug(error)
    return code


def _wants_json(chosen: argparse.Namespace) -> bool:
    return getattr(chosen, "json", False) or getattr(chosen, "format", "") == "json"


def _interrupted(chosen: argparse.Namespace) -> str:
    if chosen.location not in {"run:run", "compare:compare"}:
        return "interrupted"
    return (
        "interrupted: nothing was written, and an earlier result is as it was;\n"
        "the same command starts again from the beginning"
    )


def _bug(error: Exception) -> int:
    first = str(error).split("\n", maxsplit=1)[0]
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        tell(f"cannot write the output: {error.strerror}")
        return FAILED
    tell(f"internal error: {type(error).__name__}: {clean(first)[:200]}")
    tell("this is a bug in atpdsl: please report it with what `--debug` shows")
    return FAILED
