"""`atpdsl view`."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import webbrowser
from pathlib import Path

from atpdsl.cli.failures import DONE
from atpdsl.cli.serving import PageServer
from atpdsl.cli.terminal import say, tell, word
from atpdsl.problems import Problem, RunError
from atpdsl.problems.clean import clean
from atpdsl.results.result import Result

FOLDER, FORMAT = "pages", "html"
LONGEST_NAME = 60


def view(chosen: argparse.Namespace) -> int:
    """Write a result as a page and open it in the browser, from its file or served here."""
    from atpdsl.exports import export

    result = Result.load(chosen.result)
    path = page_path(result)
    _private(path.parent)
    export(result, path, form=FORMAT, overwrite=True)
    if chosen.serve is not None:
        return _serve(path, chosen)
    say(clean(str(path)))
    if not chosen.no_open and not _open(path.as_uri()):
        tell("there is no browser here: open the file yourself, or read it from elsewhere with")
        tell(f"  atpdsl view {word(chosen.result)} --serve")
    return DONE


def page_path(result: Result) -> Path:
    """Where the page of a result is: in the user's cache, one file for each result's folder."""
    from atpdsl.models.files import cache_folder

    place = "" if result.directory is None else str(result.directory.resolve())
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    letters = (c if c.isalnum() or c in "-_" else "-" for c in result.record.spec.name)
    name = "".join(letters)[:LONGEST_NAME]
    return cache_folder() / FOLDER / f"{name}-{digest}.html"


def _private(folder: Path) -> None:
    """A folder that only this user can read: a page holds the prompts.

    Raises:
        RunError: when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        message = f"cannot write to `{folder}`: {error.strerror or error}"
        advice = "set `ATPDSL_CACHE` to a folder of yours, or use `atpdsl export RESULT x.html`"
        raise RunError([Problem(code="ATP442", message=message, help=advice)]) from error


def _open(address: str) -> bool:
    """Show an address in a browser with windows; False where there is none.

    Text browsers, which `webbrowser` falls back to, run no scripts.
    """
    windows = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, windows)):
        return False
    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False


def _serve(path: Path, chosen: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C, which is the way to end it."""
    with PageServer(path, chosen.serve) as server:
        say(server.address)
        sys.stdout.flush()
        tell(
            f"served to this machine only, until Ctrl-C; from elsewhere first {_tunnel(server)}"
        )
        if not chosen.no_open:
            _open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            tell("")
    return DONE


def _tunnel(server: PageServer) -> str:
    port = server.port
    return f"`ssh -L {port}:127.0.0.1:{port} HOST`"
