"""One page for one user: served on loopback only, at an address that nobody can guess.

Every other path, and every request under another name for this machine (which a page
elsewhere could bring about by its own DNS), is answered with 404. Nothing is read but the one
file, nothing can be written, and no request is logged.
"""

from __future__ import annotations

import errno
import secrets
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

from atpdsl.problems import Problem, RunError

LOOPBACK = "127.0.0.1"
# Bytes of randomness in the path.
TOKEN = 24


class PageServer(ThreadingHTTPServer):
    """Serves one file under a random path.

    Args:
        page: the file; it is read now, so that later changes are not served.
        port: on 127.0.0.1; 0 is any that is free.

    Raises:
        RunError: ATP461 when the port cannot be had.
    """

    daemon_threads = True
    # A second server on the same port must fail, not share it.
    allow_reuse_address = False

    def __init__(self, page: Path, port: int = 0) -> None:
        self.content = page.read_bytes()
        self.path = f"/{secrets.token_urlsafe(TOKEN)}/{quote(page.name)}"
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise _no_port(port, error) from error

    @property
    def port(self) -> int:
        """The port, also where any was wanted."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{LOOPBACK}:{self.port}{self.path}"

    def is_meant(self, host: str | None, path: str) -> bool:
        """Whether a request is for this page, under a name that is ours."""
        ours = (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}")
        given = path.split("?", maxsplit=1)[0].encode("utf-8", "surrogateescape")
        return host in ours and secrets.compare_digest(given, self.path.encode())


class _Handler(BaseHTTPRequestHandler):
    """Answers with the page or with 404."""

    server: PageServer
    server_version = "atpdsl"
    sys_version = ""
    # Seconds that a client may keep a connection without asking.
    timeout = 30

    def do_GET(self) -> None:
        """The page."""
        self._answer(self.wfile.write)

    def do_HEAD(self) -> None:
        """What the page would come with."""
        self._answer(lambda _: None)

    def _answer(self, send: Callable[[bytes], object]) -> None:
        found = self.server.is_meant(self.headers.get("Host"), self.path)
        body = self.server.content if found else b"there is nothing here\n"
        self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
        kind = "text/html" if found else "text/plain"
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        send(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (its name there)
        """Nothing: the terminal is the user's."""


def _no_port(port: int, error: OSError) -> RunError:
    taken = error.errno == errno.EADDRINUSE
    reason = "it is in use" if taken else error.strerror or str(error)
    return RunError(
        [
            Problem(
                code="ATP461",
                message=f"cannot serve on port {port}: {reason}",
                help="choose another port, or `--serve` without one for any that is free",
            )
        ]
    )
