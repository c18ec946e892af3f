"""A model hub on this machine: as much of the protocol as downloading a model takes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """One model, `org/model`, with one commit on `main`; `asked` lists the paths requested."""

    files: Mapping[str, bytes]
    gated: bool = False
    address: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Runs the hub; its address is then in `hub.address`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002
            hub.asked.append(self.path)

        def _answer(self, *, with_body: bool) -> None:
            status, headers, body = _response(hub, self.path.split("?")[0])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _response(hub: Hub, path: str) -> tuple[int, dict[str, str], bytes]:
    if path == "/":
        return 200, {}, b""
    if not path.startswith(("/api/models/org/model/", "/org/model/")):
        return 404, {"X-Error-Code": "RepoNotFound"}, b""
    if hub.gated:
        return 403, {"X-Error-Code": "GatedRepo"}, b""
    what, _, rest = path.partition("/org/model/")[2].partition("/")
    revision, _, file = rest.partition("/")
    if revision not in {"main", COMMIT}:
        return 404, {"X-Error-Code": "RevisionNotFound"}, b""
    if what == "revision":
        siblings = [{"rfilename": name} for name in hub.files]
        return _json({"id": "org/model", "sha": COMMIT, "siblings": siblings})
    if what == "tree":
        return _json([_entry(name, body) for name, body in hub.files.items()])
    if file not in hub.files:
        return 404, {"X-Error-Code": "EntryNotFound"}, b""
    body = hub.files[file]
    etag = hashlib.sha256(body).hexdigest()
    return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT}, body


def _entry(name: str, body: bytes) -> dict[str, object]:
    oid = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": name, "size": len(body), "oid": oid}


def _json(data: object) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, json.dumps(data).encode()
