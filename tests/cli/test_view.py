"""`atpdsl view`: a page in a file that only the user can read, or on loopback."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.commands.view import page_path
from atpdsl.cli.serving import PageServer
from atpdsl.problems import RunError
from atpdsl.results.result import Result
from tests.results.samples import result

DONE, USAGE, FAILED = 0, 2, 3


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to open; there is one with windows."""
    addresses: list[str] = []
    monkeypatch.setattr(
        webbrowser, "open", lambda address: bool(addresses.append(address)) or True
    )
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("ATPDSL_CACHE", str(Path("cache").absolute()))
    result().save("ioi")
    return addresses


def test_the_page_is_written_opened_and_named(opened, capsys):
    assert main(["view", "ioi"]) == DONE
    path = Path(capsys.readouterr().out.strip())

    assert opened == [path.as_uri()]
    assert path == page_path(Result.load("ioi"))
    assert path.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_same_result_has_the_same_file(opened, capsys):
    main(["view", "ioi"])
    main(["view", "ioi/result.json", "--no-open"])
    first, second = capsys.readouterr().out.splitlines()

    assert first == second
    assert len(opened) == 1
    assert len(list(Path(first).parent.iterdir())) == 1


def test_without_windows_nothing_is_opened_and_the_way_out_is_told(opened, capsys, monkeypatch):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")

    assert main(["view", "ioi"]) == DONE
    assert opened == []
    assert "atpdsl view ioi --serve" in capsys.readouterr().err


def test_a_result_that_is_not_there_is_told(capsys):
    assert main(["view", "nowhere"]) == FAILED
    assert "ATP443" in capsys.readouterr().err


def test_a_cache_that_cannot_be_made_is_told(monkeypatch, capsys):
    Path("file").write_text("", encoding="utf-8")
    monkeypatch.setenv("ATPDSL_CACHE", str(Path("file").absolute()))

    assert main(["view", "ioi"]) == FAILED
    assert "ATP442" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["x", "-1", "65536"])
def test_a_port_is_a_number(port):
    assert main(["view", "ioi", "--serve", port]) == USAGE


# ---- serving ----


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PageServer]:
    page = tmp_path / "my page.html"
    page.write_text("<!doctype html><p>hello", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    with PageServer(page) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def asked(server: PageServer, path: str, *, host: str = "", method: str = "GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    headers = {"Host": host} if host else {}
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_the_page_is_served_at_its_address(server):
    answer, body = asked(server, server.path)

    assert server.address.startswith("http://127.0.0.1:")
    assert server.address.endswith("/my%20page.html")
    assert (answer.status, body) == (200, b"<!doctype html><p>hello")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_nothing_else_is_served(server):
    token = server.path.split("/")[1]
    for path in (
        *(
            "/",
            "/my%20page.html",
            f"/{token}/",
            f"/{token}/secret.txt",
            f"/{token}x/my%20page.html",
        ),
        *(f"/{token}/../{token}/secret.txt", "//etc/passwd", "/%00", "*"),
    ):
        answer, body = asked(server, path)
        assert (answer.status, body) == (404, b"there is nothing here\n"), path


def test_a_name_that_others_can_make_ours_is_not_answered(server):
    assert asked(server, server.path, host="evil.example")[0].status == 404
    assert asked(server, server.path, host=f"evil.example:{server.port}")[0].status == 404
    assert asked(server, server.path, host=f"localhost:{server.port}")[0].status == 200


def test_only_reading_is_possible(server):
    answer, body = asked(server, server.path, method="HEAD")
    assert (answer.status, body) == (200, b"")
    assert asked(server, server.path, method="POST")[0].status == 501
    assert asked(server, server.path, method="DELETE")[0].status == 501


def test_it_listens_on_loopback_only_and_alone(server, tmp_path):
    assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(RunError, match="ATP461"):
        PageServer(tmp_path / "my page.html", server.port)


def test_a_path_cannot_be_guessed(server, tmp_path):
    with PageServer(tmp_path / "my page.html") as other:
        assert other.path != server.path
        assert len(other.path.split("/")[1]) >= 32


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["view", "ioi", "--serve", str(port)]) == FAILED

    error = capsys.readouterr().err
    assert f"ATP461]: cannot serve on port {port}: it is in use" in error


def test_ctrl_c_ends_it_well():
    program = [sys.executable, "-m", "atpdsl", "view", "ioi", "--serve", "--no-open"]
    run = subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert run.stdout is not None
    address = run.stdout.readline().strip()
    port, path = address.removeprefix("http://127.0.0.1:").split("/", 1)
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
    connection.request("GET", f"/{path}")
    status = connection.getresponse().status
    connection.close()
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=20)

    assert status == 200
    assert run.returncode == DONE
    assert "until Ctrl-C" in error
    assert "ssh -L" in error
    assert "Traceback" not in error
