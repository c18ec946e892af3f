"""`include`: which files may be read, what they bring, and where their mistakes are told."""

from __future__ import annotations

import os
import time

import pytest

from atpdsl.elaboration.including import DEEPEST_INCLUDE, library_names
from atpdsl.problems.render import plain
from atpdsl.semantics.experiment import FilePrompts, TemplatePrompts
from tests.elaboration.elaborated import (
    IOI,
    experiment_of,
    experiments_of,
    problems_of,
    program_of,
)

NAMES = 'let people = ["Ann", "Bob", "Cid"]\n'
TASK = "atp 1\n" + NAMES + IOI.replace('["Mary", "John", "Tom"]', "people")


@pytest.fixture
def project(tmp_path):
    """A project with a folder of specs, one of shared files, and something outside."""
    (tmp_path / "project" / "specs").mkdir(parents=True)
    (tmp_path / "project" / "shared").mkdir()
    (tmp_path / "project" / "atpdsl.toml").touch()
    (tmp_path / "outside.atp").write_text("atp 1\n" + NAMES)
    (tmp_path / "project" / "shared" / "task.atp").write_text(TASK)
    return tmp_path / "project"


def slots_of(lines: str, base) -> tuple[str, ...]:
    (part,) = experiment_of(lines, base).prompts.parts
    assert isinstance(part, TemplatePrompts)
    return part.slots[0].values


def test_a_file_brings_its_names(project):
    text = 'include "../shared/task.atp"\n' + IOI.replace(
        "prompts ioi", "prompts mine"
    ).replace('["Mary", "John", "Tom"]', "people")

    assert slots_of(text, project / "specs") == ("Ann", "Bob", "Cid")


def test_a_name_keeps_the_names_of_a_file_apart(project):
    text = (
        'include "../shared/task.atp" as task\nlet people = ["Eva", "Eve"] + task.people\n'
        "prompts from task.ioi { slot IO, S in people }"
    )

    assert slots_of(text, project / "specs") == ("Eva", "Eve", "Ann", "Bob", "Cid")


def test_the_only_set_of_included_files_is_measured(project):
    whole = 'atp 1\ninclude "../shared/task.atp"\nmodel "tiny"\nmetric logit_diff\n'
    experiment = experiment_of(whole + "nodes { mlp at S2 }\nmethod atp", project / "specs")

    assert experiment.prompts.name == "ioi"


def test_which_of_several_included_sets_is_meant_has_to_be_said(project):
    (project / "two.atp").write_text(TASK + IOI.replace("prompts ioi", "prompts two"))
    whole = 'atp 1\ninclude "two.atp"\nmodel "tiny"\nmetric logit_diff\n'
    (problem,) = program_of(whole + "nodes { mlp at S2 }\nmethod atp", project).problems

    assert problem.code == "ATP149"
    assert "`ioi`, `two`" in problem.message
    assert problem.help is not None
    assert problem.help.startswith("write `run { prompts = ioi }`, or `prompts from ioi {")


@pytest.mark.parametrize(
    ("includes", "choice", "names"),
    [
        ('include "../shared/task.atp"', "ioi", ["ioi"]),
        ('include "../shared/task.atp"', "[two, ioi]", ["two", "ioi"]),
        ('include "../shared/task.atp" as a', "a.two", ["two"]),
    ],
)
def test_run_chooses_among_included_sets(project, includes, choice, names):
    path = project / "shared" / "task.atp"
    path.write_text(path.read_text() + IOI.replace("prompts ioi", "prompts two"))
    whole = f'atp 1\n{includes}\nmodel "tiny"\nmetric logit_diff\nnodes {{ mlp at last }}\n'
    text = whole + f"method atp\nrun {{ prompts = {choice} }}"
    found = experiments_of(text, project / "specs")

    assert [experiment.prompts.name for experiment in found] == names


def test_sets_of_two_files_that_are_measured_have_two_names(project):
    whole = 'atp 1\ninclude "../shared/task.atp" as a\nmodel "tiny"\nmetric logit_diff\n'
    rest = f"nodes {{ mlp at S2 }}\nmethod atp\n{IOI}\nrun {{ prompts = [ioi, a.ioi] }}"
    (problem,) = program_of(whole + rest, project / "specs").problems

    assert problem.code == "ATP147"
    assert problem.message == "two of these sets of prompts are called `ioi`"


def test_a_file_that_two_others_include_is_read_once(project):
    (project / "base.atp").write_text("atp 1\n" + NAMES)
    for name in ("early", "late"):
        text = f'atp 1\ninclude "base.atp"\nlet {name} = people\n'
        (project / f"{name}.atp").write_text(text)
    text = 'include "early.atp"\ninclude "late.atp"\nexport "x.csv"\n' + IOI.replace(
        '["Mary", "John", "Tom"]', "early"
    )
    program = program_of(text, project)

    assert program.problems == ()
    assert program.files == ("early.atp", "base.atp", "late.atp")
    assert [file.path.name for file in program.included] == list(program.files)
    assert [part.name for part in program.source.parts] == list(program.files)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('include "../../outside.atp"', "ATP130"),
        ('include "/etc/passwd"', "ATP130"),
        ('include "~/x.atp"', "ATP130"),
        ('include "a\\\\b.atp"', "ATP130"),
        ('include "a\\u{0}.atp"', "ATP130"),
        ('include ""', "ATP130"),
        ('include "link.atp"', "ATP130"),
        ('include "loop.atp"', "ATP130"),
        ('include "none.atp"', "ATP131"),
        ('include "../shared"', "ATP131"),
        ('include "bytes.atp"', "ATP131"),
        ('include "lib:nothing_like_it"', "ATP132"),
        ('include "lib:../names"', "ATP132"),
        ('include "spec.atp"', "ATP133"),
        ('include "round.atp"', "ATP133"),
        ('include "../shared/task.atp"\ninclude "../shared/../shared/task.atp"', "ATP134"),
        ('include "sweeps.atp"', "ATP135"),
        ('include "later.atp"', "ATP101"),
        ('include "empty.atp"', "ATP100"),
        ('include "broken.atp"', "ATP001"),
        ('include "huge.atp"', "ATP011"),
        ('include "../shared/task.atp"\nlet people = 3', "ATP136"),
        ('include "../shared/task.atp" as t\nexport "{t.peple}.csv"', "ATP141"),
        ('include "../shared/task.atp" as t\nverify { top = t.peple }', "ATP141"),
    ],
)
def test_what_is_wrong_with_an_include_is_told(project, lines, expected):
    specs = project / "specs"
    os.symlink(project.parent / "outside.atp", specs / "link.atp")
    os.symlink(specs / "loop.atp", specs / "loop.atp")
    (specs / "bytes.atp").write_bytes(b"\xff\xfe")
    (specs / "spec.atp").write_text("atp 1\n")
    (specs / "round.atp").write_text('atp 1\ninclude "round.atp"\n')
    (specs / "sweeps.atp").write_text("atp 1\nsweep s in 0..2\n")
    (specs / "later.atp").write_text("atp 2\nlet s = 2\n")
    (specs / "empty.atp").write_text("")
    (specs / "broken.atp").write_text("atp 1\nlet x = 3 4\n")
    (specs / "huge.atp").write_text("atp 1\n" + " " * (1 << 20))

    assert expected in [code for code, _ in problems_of(lines, specs)]


def test_links_inside_the_project_may_be_followed(project):
    os.symlink(project / "shared" / "task.atp", project / "specs" / "link.atp")
    text = 'include "link.atp"\nprompts from ioi { }'

    assert slots_of(text, project / "specs") == ("Ann", "Bob", "Cid")


def test_without_a_project_only_the_own_folder_may_be_read(tmp_path):
    (tmp_path / "specs").mkdir()
    (tmp_path / "task.atp").write_text(TASK)

    assert problems_of('include "../task.atp"', tmp_path / "specs") == [
        ("ATP130", '"../task.atp"')
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("../shared/tsk.atp", "../shared/task.atp"),
        ("lib:nmaes", "lib:names"),
        ("names", "lib:names"),
    ],
)
def test_a_misspelled_file_has_a_suggestion(project, written, meant):
    (problem,) = program_of(f'include "{written}"', project / "specs").problems

    assert problem.help == f"did you mean `{meant}`?"


def test_files_are_included_one_inside_the_other_but_not_without_end(project):
    for number in range(DEEPEST_INCLUDE + 2):
        text = f'atp 1\ninclude "{number + 1}.atp"\n'
        (project / f"{number}.atp").write_text(text)
    (problem,) = program_of('include "0.atp"', project).problems

    assert problem.code == "ATP131"
    assert f"{DEEPEST_INCLUDE} one inside the other" in problem.message


def test_a_mistake_in_an_included_file_is_shown_there(project):
    (project / "bad.atp").write_text('atp 1\n\nlet x = "a\\q" 5\nverify { top = 3 }\n')
    program = program_of('include "bad.atp"\nlet y = 1 / 0\nverify { top = y }', project)
    shown = plain(program.problems, program.source)

    assert " --> bad.atp:3:" in shown
    assert " --> bad.atp:4:1" in shown
    assert " --> spec.atp:3:9" in shown


def test_a_mistake_in_a_set_that_is_used_is_shown_in_its_file(project):
    (project / "shared" / "task.atp").write_text(
        TASK.replace("{S as S2} gave", "{S as S2} {people} gave")
    )
    text = 'include "../shared/task.atp" as t\nprompts from t.ioi { count = 8 }'
    program = program_of(text, project / "specs")
    (problem,) = (p.placed(program.source) for p in program.problems)

    assert problem.code == "ATP142"
    assert problem.at is not None
    assert problem.at.source is not None
    assert problem.at.source.name == "../shared/task.atp"


def test_a_clash_shows_both_places(project):
    text = 'let people = ["Ann"]\ninclude "../shared/task.atp"\nexport "{people}.csv"'
    problem = program_of(text, project / "specs").problems[0]
    placed = problem.placed(program_of(text, project / "specs").source)

    assert problem.code == "ATP136"
    assert [label.source.name for label in placed.also if label.source] == [
        "spec.atp",
        "../shared/task.atp",
    ]


def test_paths_in_an_included_file_count_from_there(project):
    (project / "shared" / "words.txt").write_text("Eva\nEve\n")
    (project / "shared" / "task.atp").write_text(
        'atp 1\nlet people = lines("words.txt")\n'
        + IOI.replace('["Mary", "John", "Tom"]', "people")
    )

    assert slots_of(
        'include "../shared/task.atp"\nprompts from ioi { }', project / "specs"
    ) == ("Eva", "Eve")


@pytest.mark.parametrize("folder", [".", "sub", "../shared"])
def test_prompts_from_a_file_count_from_the_included_file(project, folder):
    base = project / "specs"
    (base / folder).mkdir(exist_ok=True)
    (base / folder / "data.atp").write_text(
        'atp 1\nprompts rows from csv("rows.csv") {\n'
        '  clean = row.a\n  corrupted = row.b\n  answer " x" vs " y"\n}\n'
    )
    text = f'include "{folder}/data.atp"\nprompts from rows {{ limit = 3 }}'
    (part,) = experiment_of(text, base).prompts.parts

    assert isinstance(part, FilePrompts)
    assert (base / part.path).resolve() == (base / folder / "rows.csv").resolve()
    assert part.limit == 3


@pytest.mark.parametrize("path", ["/etc/passwd", "../rows.csv", "~/x"])
def test_an_included_file_reads_nothing_outside_its_own_folder(project, path):
    (project / "shared" / "task.atp").write_text(
        f'atp 1\nprompts rows from csv("{path}") {{ clean = row.a; corrupted = row.b }}\n'
    )
    text = 'include "../shared/task.atp"\nprompts from rows { }'

    assert problems_of(text, project / "specs") == [("ATP117", f'"{path}"')]


def test_the_library_brings_names():
    assert "names" in library_names()
    text = 'include "lib:names"\n' + IOI.replace('["Mary", "John", "Tom"]', "names")
    (part,) = experiment_of(text).prompts.parts

    assert isinstance(part, TemplatePrompts)
    assert len(part.slots[0].values) >= 90


@pytest.mark.parametrize("name", library_names())
def test_every_file_of_the_library_can_be_included(name):
    program = program_of(f'include "lib:{name}" as task\nlet x = 3\nexport "{{x}}.csv"')

    assert {problem.code for problem in program.problems} <= {"ATP151"}


def test_names_of_included_files_are_known_to_editors(project):
    text = 'include "../shared/task.atp" as t\nprompts from t.ioi { slot IO, S in t.people }'
    program = program_of(text, project / "specs")
    found = {d.name: d for d in program.definitions}
    source = program.source

    assert [(d.name, d.kind.value) for d in program.definitions] == [
        ("t", "include"),
        ("t.people", "let"),
        ("t.ioi", "prompts"),
    ]
    assert [source.text[s.start : s.end] for s in found["t"].uses] == ["t", "t"]
    assert [source.text[s.start : s.end] for s in found["t.ioi"].uses] == ["ioi"]
    part, span = source.locate(found["t.people"].span)
    assert part.text[span.start : span.end] == "people"
    assert program.included[0].path == (project / "shared" / "task.atp").resolve()


def test_unused_names_of_included_files_are_no_warning(project):
    text = 'include "../shared/task.atp"\n' + IOI.replace("prompts ioi", "prompts mine")

    assert problems_of(text, project / "specs") == []


def test_names_of_a_file_that_cannot_be_read_are_not_missed(project):
    text = (
        'include "none.atp" as gone\nprompts from gone.ioi { count = 8 }\n'
        'export "{gone.x}.csv"\nverify { top = gone.most }'
    )
    program = program_of(text, project)

    assert [problem.code for problem in program.problems] == ["ATP131"]
    assert [name.text for name in program.points[0].tree.broken] == ["prompts", "export"]


def test_files_that_include_each_other_on_many_ways_are_bounded(tmp_path):
    """Eight files on each of eight levels: names on nearly 17 million ways."""

    def includes(level: int) -> str:
        return "".join(f'include "f{level}{n}.atp" as a{n}\n' for n in range(8))

    for level in range(8):
        more = includes(level + 1) if level < 7 else ""
        for number in range(8):
            (tmp_path / f"f{level}{number}.atp").write_text(f"atp 1\n{more}let v = 1\n")
    begin = time.process_time()
    found = problems_of(includes(0), tmp_path)

    assert time.process_time() - begin < 10
    assert {code for code, _ in found} == {"ATP131", "ATP015"}
