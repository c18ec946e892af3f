"""`atpdsl fmt`, as it is used."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from atpdsl.cli import main

LOOSE = 'model   "x"{a=1}   # é\n'
NEAT = 'model "x" { a = 1 }                       # é\n'


@pytest.fixture
def loose() -> Path:
    path = Path("loose.atp")
    path.write_text(LOOSE, encoding="utf-8")
    return path


def test_a_file_is_rewritten_and_named(loose, capsys):
    assert main(["fmt", "loose.atp"]) == 0

    assert loose.read_text(encoding="utf-8") == NEAT
    assert capsys.readouterr().out == "formatted loose.atp\n"


def test_a_file_that_is_laid_out_is_not_written_again(loose, capsys):
    main(["fmt", "loose.atp"])
    before = loose.stat().st_mtime_ns, loose.stat().st_ino
    capsys.readouterr()

    assert main(["fmt", "loose.atp"]) == 0
    assert (loose.stat().st_mtime_ns, loose.stat().st_ino) == before
    assert capsys.readouterr() == ("", "1 file well laid out already\n")


def test_check_lists_what_would_change_and_writes_nothing(loose, capsys):
    Path("neat.atp").write_text(NEAT, encoding="utf-8")

    assert main(["fmt", "--check", "loose.atp", "neat.atp"]) == 1
    assert loose.read_text(encoding="utf-8") == LOOSE
    shown = capsys.readouterr()
    assert shown.out == "loose.atp\n"
    assert shown.err == "1 file would change, 1 file well laid out already\n"


def test_check_of_what_is_laid_out_succeeds(capsys):
    Path("neat.atp").write_text(NEAT, encoding="utf-8")

    assert main(["fmt", "--check", "neat.atp"]) == 0
    assert capsys.readouterr().out == ""


def test_diff_shows_what_would_change_and_writes_nothing(loose, capsys):
    assert main(["fmt", "--diff", "loose.atp"]) == 1
    assert loose.read_text(encoding="utf-8") == LOOSE
    assert capsys.readouterr().out == (
        f"--- loose.atp\n+++ loose.atp\n@@ -1 +1 @@\n-{LOOSE}+{NEAT}"
    )


def test_a_diff_says_where_the_last_line_has_no_end(capsys):
    Path("cut.atp").write_bytes(b"method atp")

    assert main(["fmt", "--diff", "cut.atp"]) == 1
    assert capsys.readouterr().out.splitlines()[3:] == [
        "-method atp",
        "\\ No newline at end of file",
        "+method atp",
    ]


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no `patch` here")
def test_a_diff_can_be_applied_with_patch(capsys):
    Path("a.atp").write_bytes(b'model   "x"\n\n\n\nmethod ap{a=1}\n# c\n\n\nlet y=[1,\n2]')
    main(["fmt", "--diff", "a.atp"])
    difference = capsys.readouterr().out

    subprocess.run(["patch", "-s", "a.atp"], input=difference.encode(), check=True)
    assert main(["fmt", "--check", "a.atp"]) == 0


def test_a_folder_stands_for_the_specs_below_it(capsys):
    for name in ("one/a.atp", "one/two/b.atp", "one/.hidden/c.atp", "one/d.txt"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(LOOSE, encoding="utf-8")

    assert main(["fmt", "one", "one/a.atp"]) == 0
    assert capsys.readouterr().out == "formatted one/a.atp\nformatted one/two/b.atp\n"
    assert Path("one/.hidden/c.atp").read_text(encoding="utf-8") == LOOSE


def test_a_folder_without_specs_is_a_problem(capsys):
    Path("empty").mkdir()

    assert main(["fmt", "empty"]) == 1
    assert "there are no specs in `empty`" in capsys.readouterr().err


def test_a_file_with_mistakes_is_told_of_and_left_alone(loose, capsys):
    Path("wrong.atp").write_text("modle x", encoding="utf-8")

    assert main(["fmt", "wrong.atp", "missing.atp", "loose.atp"]) == 1
    assert Path("wrong.atp").read_text(encoding="utf-8") == "modle x"
    assert loose.read_text(encoding="utf-8") == NEAT
    told = capsys.readouterr().err
    assert "error[ATP008]: there is no statement `modle`\n --> wrong.atp:1:1" in told
    assert "error[ATP420]: cannot read `missing.atp`" in told
    assert told.endswith("2 files with mistakes left alone\n")


def test_stdin_goes_to_stdout():
    done = subprocess.run(
        [sys.executable, "-m", "atpdsl", "fmt", "-"],
        input=b"\xef\xbb\xbf" + LOOSE.replace("\n", "\r\n").encode(),
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=True,
    )

    assert done.stdout == NEAT.encode()


@pytest.mark.parametrize(("text", "code"), [(LOOSE, 1), (NEAT, 0), ("modle", 1)])
def test_stdin_can_be_checked(text, code, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    assert main(["fmt", "--check", "-"]) == code
    assert capsys.readouterr().out == ("<stdin>\n" if text == LOOSE else "")


def test_stdin_that_is_no_text_is_a_problem(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe")))

    assert main(["fmt", "-"]) == 1
    assert "stdin is not UTF-8 text (byte 0)" in capsys.readouterr().err


@pytest.mark.parametrize("before", [LOOSE.replace("\n", "\r\n"), "\ufeff" + LOOSE])
def test_line_ends_and_byte_order_marks_are_made_alike(loose, before):
    loose.write_bytes(before.encode())

    assert main(["fmt", "--check", "loose.atp"]) == 1
    assert main(["fmt", "loose.atp"]) == 0
    assert loose.read_bytes() == NEAT.encode()


@pytest.mark.parametrize("mark", ["\r\n", "\ufeff"])
def test_line_ends_and_byte_order_marks_alone_are_a_change(loose, mark, capsys):
    loose.write_bytes((mark + NEAT if mark == "\ufeff" else NEAT.replace("\n", mark)).encode())

    assert main(["fmt", "loose.atp"]) == 0
    assert loose.read_bytes() == NEAT.encode()


def test_permissions_and_links_stay(loose):
    loose.chmod(0o640)
    Path("link.atp").symlink_to("loose.atp")

    assert main(["fmt", "link.atp"]) == 0
    assert Path("link.atp").is_symlink()
    assert loose.read_text(encoding="utf-8") == NEAT
    assert stat.S_IMODE(loose.stat().st_mode) == 0o640


def test_what_cannot_be_written_is_told_and_leaves_nothing_behind(loose, monkeypatch, capsys):
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    files = set(Path().iterdir())

    assert main(["fmt", "loose.atp"]) == 3
    assert "error[ATP442]: cannot write `loose.atp`: No space left" in capsys.readouterr().err
    assert loose.read_text(encoding="utf-8") == LOOSE
    assert set(Path().iterdir()) == files
