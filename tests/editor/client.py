"""A small language client: JSON-RPC over the standard input and output of `atpdsl lsp`."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"workspaceEdit": {"documentChanges": True}},
    "textDocument": {
        "completion": {"completionItem": {"snippetSupport": True}},
        "rename": {"prepareSupport": True},
    },
}


class RpcError(Exception):
    """The server answered a request with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Client:
    """One server process, asked one request after the other."""

    def __init__(self, cache: Path, command: list[str] | None = None) -> None:
        environment = {**os.environ, "ATPDSL_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "atpdsl", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self.answers: dict[int, dict[str, Any]] = {}
        self.notifications: list[dict[str, Any]] = []
        self.incoming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.number = 0
        self.errors = b""
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self) -> None:
        stream = self.process.stdout
        while True:
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not length:
                self.incoming.put(None)
                return
            self.incoming.put(json.loads(stream.read(length)))

    def _read_errors(self) -> None:
        self.errors = self.process.stderr.read()

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def notify(self, method: str, **params: Any) -> None:
        """Tells the server something."""
        self._send({"method": method, "params": params})

    def request(self, method: str, **params: Any) -> Any:
        """Asks the server something, and waits for the answer."""
        self.number += 1
        message = {"id": self.number, "method": method}
        self._send({**message, "params": params} if params else message)
        while self.number not in self.answers:
            self._take()
        answer = self.answers.pop(self.number)
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def _take(self) -> None:
        message = self.incoming.get(timeout=60)
        if message is None:
            raise EOFError(f"the server has gone: {self.errors.decode()}")
        if "id" in message:
            self.answers[message["id"]] = message
        else:
            self.notifications.append(message)

    # ---- what every test does ----

    def initialize(self, root: Path, **capabilities: Any) -> dict[str, Any]:
        """Begins, and gives the server's capabilities."""
        answer = self.request(
            "initialize",
            processId=None,
            rootUri=root.as_uri(),
            capabilities={**CAPABILITIES, **capabilities},
        )
        self.notify("initialized")
        return answer["capabilities"]

    def open(self, uri: str, text: str, version: int = 1) -> None:
        """Opens a text."""
        document = {"uri": uri, "languageId": "atp", "version": version, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)

    def change(self, uri: str, text: str, version: int) -> None:
        """Changes all of a text."""
        document = {"uri": uri, "version": version}
        changes = [{"text": text}]
        self.notify("textDocument/didChange", textDocument=document, contentChanges=changes)

    def diagnostics(self, uri: str, version: int | None) -> list[dict[str, Any]]:
        """The problems of one version of a text, once they are there."""
        while True:
            for message in self.notifications:
                params = message["params"]
                about = message["method"] == "textDocument/publishDiagnostics"
                if about and params["uri"] == uri and params.get("version") == version:
                    self.notifications.remove(message)
                    return params["diagnostics"]
            self._take()

    def stop(self) -> int:
        """Ends the server in the orderly way."""
        assert self.request("shutdown") is None
        self.notify("exit")
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        """Ends the server in any way."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=30)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()
