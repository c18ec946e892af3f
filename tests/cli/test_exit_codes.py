from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from atpdsl.cli import main
from atpdsl.problems import Problem, RunError
from tests.results.samples import result

DONE, SPEC, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("check good.atp", DONE),
        ("check good.atp --json", DONE),
        ("check bad.atp", SPEC),
        ("check bad.atp --format json", SPEC),
        ("check missing.atp", SPEC),
        ("check", USAGE),
        ("check good.atp --json --format plain", USAGE),
        ("check good.atp --format xml", USAGE),
        ("plan good.atp", DONE),
        ("plan good.atp --json", DONE),
        ("plan bad.atp", SPEC),
        ("run bad.atp", SPEC),
        ("run bad.atp --json", SPEC),
        ("run good.atp --executor nulll", USAGE),
        ("run good.atp --executor null", DONE),
        ("run good.atp --executor null --out good.atp", FAILED),
        ("show nothing", FAILED),
        ("show nothing --top 0", USAGE),
        ("show nothing --top x", USAGE),
        ("export nothing a.csv", FAILED),
        ("export nothing a.xlsx", FAILED),
        ("export nothing", USAGE),
        ("explain ATP440", DONE),
        ("explain 440", DONE),
        ("explain atp999", USAGE),
        ("list", DONE),
        ("list methods", DONE),
        ("list method", USAGE),
        ("model list", DONE),
        ("model add nothing", FAILED),
        ("model", USAGE),
        ("--version", DONE),
        ("--help", DONE),
        ("", USAGE),
        ("good.atp", USAGE),
        ("rnu good.atp", USAGE),
    ],
)
def test_exit_codes(words, code):
    assert main(words.split()) == code


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


OUT_OF_SPACE = RunError(
    [Problem(code="ATP442", message="cannot write", help="free some space")]
)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OUT_OF_SPACE, FAILED, "error[ATP442]: cannot write"),
        (KeyboardInterrupt(), INTERRUPTED, "nothing was written"),
        (MemoryError(), FAILED, "not enough memory"),
        (
            ZeroDivisionError("by\x1b[31m zero"),
            FAILED,
            "internal error: ZeroDivisionError: by\\u00",
        ),
    ],
)
def test_a_run_that_is_stopped_says_why_in_a_line(error, code, words, monkeypatch, capsys):
    monkeypatch.setattr("atpdsl.driver.run_planned", raising(error))
    found = main(["run", "good.atp"])
    out, err = capsys.readouterr()

    assert found == code
    assert words in err
    assert out == ""
    assert "Traceback" not in err


def test_debug_lets_the_traceback_through(monkeypatch):
    monkeypatch.setattr("atpdsl.driver.run_planned", raising(ZeroDivisionError("zero")))

    with pytest.raises(ZeroDivisionError):
        main(["run", "good.atp", "--debug"])


def test_a_reader_that_has_seen_enough_is_no_error():
    words = [sys.executable, "-m", "atpdsl", "list"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()

    assert (process.returncode, said) == (DONE, b"")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_closed_stream_is_no_error(stream, monkeypatch):
    monkeypatch.setattr(sys, stream, None)

    assert main(["check", "good.atp"]) == DONE


def test_a_full_disk_is_no_bug_of_ours(monkeypatch, capsys):
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("atpdsl.driver.run_planned", raising(full))

    assert main(["run", "good.atp", "--quiet"]) == FAILED
    assert capsys.readouterr().err == "cannot write the output: No space left on device\n"


def test_problems_go_to_stderr_with_the_place(capsys):
    main(["check", "bad.atp"])
    out, err = capsys.readouterr()

    assert out == ""
    assert "bad.atp:15:1" in err
    assert "help: did you mean `metric`?" in err


@pytest.mark.parametrize("command", ["check", "run", "plan"])
def test_json_is_json_even_if_there_are_problems(command, capsys):
    main([command, "bad.atp", "--json"])
    document = json.loads(capsys.readouterr().out)

    (found,) = document["specs"] if command == "check" else (document,)
    codes = [problem["code"] for problem in found["problems"]]
    assert "ATP008" in codes
    assert document["schema"].startswith("atpdsl/")


def test_usage_says_what_was_meant(capsys):
    main(["rnu", "good.atp"])
    assert "did you mean `run`?" in capsys.readouterr().err

    main(["good.atp"])
    assert "did you mean `atpdsl run good.atp`?" in capsys.readouterr().err

    main(["run", "good.atp", "--executor", "brige"])
    assert "did you mean `bridge`?" in capsys.readouterr().err


def test_a_result_of_another_spec_is_kept(capsys):
    assert main(["run", "good.atp", "--executor", "null", "--out", "x"]) == DONE
    Path("good.atp").write_text(Path("good.atp").read_text() + "# changed\n")
    assert main(["run", "good.atp", "--executor", "null", "--out", "x"]) == FAILED
    assert "another version of the spec" in capsys.readouterr().err
    assert main(["run", "good.atp", "--executor", "null", "--out", "x", "--overwrite"]) == DONE


def test_exports_are_written_and_kept(capsys):
    result().save("ioi")

    assert main(["export", "ioi", "a.csv", "b.gexf"]) == DONE
    assert Path("a.csv").is_file()
    assert capsys.readouterr().out.startswith("a.csv: all scores")
    assert main(["export", "ioi", "a.csv"]) == FAILED
    assert main(["export", "ioi", "a.csv", "--overwrite"]) == DONE


def test_every_suffix_is_known_before_anything_is_written():
    result().save("ioi")

    assert main(["export", "ioi", "a.csv", "b.xlsx"]) == FAILED
    assert not Path("a.csv").exists()


def test_a_parameter_is_given_once(tmp_path, capsys):
    spec = tmp_path / "spec.atp"
    spec.write_text("atp 1\nparam seed = 0\n")
    code = main(["check", str(spec), "-p", "seed=1", "-p", "seed=2"])
    told = capsys.readouterr().err

    assert code == 1
    assert "ATP427" in told
    assert "-p seed=1,2" in told
