"""Files that the user gave, written anew."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from atpdsl.problems import Problem, RunError


def replace_file(path: Path, text: str) -> None:
    """Writes a file whole or not at all; a link stays one, and permissions stay as they are.

    Raises:
        RunError: ATP442 when it cannot be written.
    """
    target = path.resolve()
    fresh = target.with_name(f".{secrets.token_hex(4)}.partial")
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
        if not os.access(target, os.W_OK):
            raise PermissionError(None, "it may not be written to")
        fresh.write_bytes(text.encode("utf-8"))
        fresh.chmod(mode)
        fresh.replace(target)
    except OSError as error:
        message = f"cannot write `{path}`: {error.strerror or error}"
        advice = "check the folder, its permissions and space"
        raise RunError([Problem(code="ATP442", message=message, help=advice)]) from error
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
