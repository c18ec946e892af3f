"""`atpdsl lsp`."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import sys

from atpdsl.cli.failures import DONE, FAILED, USAGE
from atpdsl.cli.terminal import tell

NEEDED = ("pygls", "lsprotocol")


def lsp(chosen: argparse.Namespace) -> int:
    """Answer an editor on standard input and output until it says that it is done."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        tell("the language server needs pygls: run `pip install 'atpdsl[lsp]'`")
        return USAGE
    from atpdsl.editor.server import serve

    if sys.stdin.isatty():
        tell("this waits for an editor to speak to it; see docs/editors.md (Ctrl-C ends it)")
    # A thread that reads standard input would keep an interrupted server waiting.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Whatever else is written must not come between the messages of the protocol.
    with (
        os.fdopen(os.dup(sys.stdout.fileno()), "wb") as output,
        contextlib.redirect_stdout(sys.stderr),
    ):
        done = serve(sys.stdin.buffer, output, debug=chosen.debug)
    return DONE if done else FAILED
