from __future__ import annotations

import os

import pytest

from atpdsl.semantics.paths import PROJECT_MARKS, in_project, objection, project_root


@pytest.mark.parametrize("mark", PROJECT_MARKS)
def test_a_project_is_the_nearest_folder_with_a_mark(tmp_path, mark):
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (tmp_path / mark).mkdir()
    (tmp_path / "a" / mark).touch()

    assert project_root(inner) == tmp_path / "a"


def test_a_folder_without_a_project_stands_for_itself(tmp_path):
    assert project_root(tmp_path) == tmp_path


@pytest.mark.parametrize(
    ("path", "inside"),
    [("../data/x.csv", True), ("x.csv", True), ("../../x.csv", False), ("link/x", False)],
)
def test_a_path_is_in_the_project_or_not(tmp_path, path, inside):
    specs = tmp_path / "project" / "specs"
    specs.mkdir(parents=True)
    (tmp_path / "project" / "atpdsl.toml").touch()
    os.symlink(tmp_path, specs / "link")

    assert in_project(path, specs) is inside


def test_two_dots_may_stand_in_a_path_that_stays_in_the_project(tmp_path):
    specs = tmp_path / "specs"
    specs.mkdir()
    (tmp_path / "atpdsl.toml").touch()

    assert objection("../data.csv", folder=specs) == ""
    assert objection("../../data.csv", folder=specs)
    assert objection("../data.csv")
    assert objection("/data.csv", folder=specs)
