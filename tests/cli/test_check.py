"""`atpdsl check`: several files, the formats for programs, and `--fix`."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from atpdsl.cli import main
from atpdsl.cli.failures import DONE, FAILED, SPEC
from tests.cli.specs import GOOD

WRONG = GOOD.replace("verify { top = 5; random = 5 }", "verify { tpo: 5, random = 5 }")
INCLUDING = GOOD.replace("atp 1\n", 'atp 1\ninclude "names.atp"\n', 1)


def test_several_specs_are_checked_one_after_the_other(capsys):
    Path("wrong.atp").write_text(WRONG, encoding="utf-8")

    assert main(["check", "good.atp", "wrong.atp"]) == SPEC
    out, err = capsys.readouterr()
    assert out == "good.atp: no problems\n"
    assert "wrong.atp:18:13" in err


def test_several_good_specs_are_good(capsys):
    Path("other.atp").write_text(GOOD, encoding="utf-8")

    assert main(["check", "good.atp", "other.atp"]) == DONE
    assert capsys.readouterr().out == "good.atp: no problems\nother.atp: no problems\n"


def test_a_spec_that_cannot_be_read_does_not_hide_the_others(capsys):
    assert main(["check", "gone.atp", "good.atp", "--json"]) == SPEC
    document = json.loads(capsys.readouterr().out)
    gone, good = document["specs"]

    assert document["schema"] == "atpdsl/check/3"
    assert document["good"] is False
    assert [problem["code"] for problem in gone["problems"]] == ["ATP420"]
    assert (good["spec"], good["good"], good["problems"]) == ("good.atp", True, [])
    assert good["points"][0]["pairs"] == 4


def test_concise_is_a_line_for_each_problem(capsys):
    Path("wrong.atp").write_text(WRONG, encoding="utf-8")

    assert main(["check", "wrong.atp", "--format", "concise"]) == SPEC
    assert capsys.readouterr().out == "wrong.atp:18:13: error[ATP005]: `:` is not used here\n"


def test_github_annotations_go_to_stdout(capsys):
    Path("wrong.atp").write_text(WRONG, encoding="utf-8")

    assert main(["check", "wrong.atp", "--format", "github"]) == SPEC
    assert capsys.readouterr().out.startswith("::error file=wrong.atp,line=18,")


def test_sarif_goes_to_stdout_with_all_specs_in_one_run(capsys):
    Path("wrong.atp").write_text(WRONG, encoding="utf-8")

    assert main(["check", "bad.atp", "wrong.atp", "good.atp", "--format", "sarif"]) == SPEC
    document = json.loads(capsys.readouterr().out)
    (run,) = document["runs"]

    assert document["version"] == "2.1.0"
    assert [result["ruleId"] for result in run["results"]] == ["ATP008", "ATP005"]


@pytest.mark.parametrize("shape", ["github", "concise"])
def test_a_good_spec_gives_programs_nothing(shape, capsys):
    assert main(["check", "good.atp", "--format", shape]) == DONE
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("shape", ["github", "concise", "sarif"])
def test_problems_of_a_file_that_two_specs_include_are_told_once(shape, capsys):
    Path("names.atp").write_text("atp 1\nlett names = []\n", encoding="utf-8")
    for name in ("one.atp", "two.atp"):
        Path(name).write_text(INCLUDING, encoding="utf-8")

    assert main(["check", "one.atp", "two.atp", "--format", shape]) == SPEC
    assert capsys.readouterr().out.count("there is no statement `lett`") == 1


def test_fix_mends_what_can_be_mended(capsys):
    path = Path("wrong.atp")
    path.write_text(WRONG, encoding="utf-8")

    assert main(["check", "--fix", "wrong.atp"]) == DONE
    out, err = capsys.readouterr()
    assert path.read_text(encoding="utf-8") == GOOD
    assert err.splitlines() == [
        "fixed wrong.atp:18:10: write `tpo =` (ATP005: `:` is not used here)",
        "fixed wrong.atp:18:17: write `;` (ATP001: settings are not separated by `,`)",
        "fixed wrong.atp:18:10: change to `top` (ATP105: `verify` has no setting `tpo`)",
        "wrong.atp: 3 fixes",
    ]
    assert out.startswith("wrong.atp: no problems\n")


def test_fix_leaves_a_good_spec_untouched():
    path = Path("good.atp")
    before = path.stat().st_mtime_ns

    assert main(["check", "--fix", "good.atp"]) == DONE
    assert path.stat().st_mtime_ns == before


def test_fix_tells_what_is_left(capsys):
    path = Path("wrong.atp")
    text = WRONG.replace("count = 4", "count = many")
    path.write_text(text, encoding="utf-8")

    assert main(["check", "--fix", "wrong.atp"]) == SPEC
    assert "error[ATP108]" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == GOOD.replace("count = 4", "count = many")


def test_fix_keeps_line_ends_permissions_and_other_files():
    path = Path("wrong.atp")
    path.write_bytes(WRONG.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    before = sorted(Path().iterdir())

    assert main(["check", "--fix", "wrong.atp"]) == DONE
    assert path.read_bytes() == GOOD.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(Path().iterdir()) == before


def test_fix_does_not_touch_included_files():
    names = Path("names.atp")
    names.write_text("atp 1\nlett names = []\n", encoding="utf-8")
    Path("one.atp").write_text(INCLUDING, encoding="utf-8")

    assert main(["check", "--fix", "one.atp"]) == SPEC
    assert names.read_text(encoding="utf-8") == "atp 1\nlett names = []\n"


def test_fix_says_where_it_cannot_write(monkeypatch, capsys):
    Path("wrong.atp").write_text(WRONG, encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert main(["check", "--fix", "wrong.atp"]) == FAILED
    assert "error[ATP442]: cannot write `wrong.atp`" in capsys.readouterr().err
    assert Path("wrong.atp").read_text(encoding="utf-8") == WRONG
