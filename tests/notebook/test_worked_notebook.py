"""The notebooks that are shipped: run from top to bottom, and small as they are committed.

`ATPDSL_NOTEBOOKS=1 pytest tests/notebook` writes their outputs anew, without the pages.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
MOST_BYTES = 250_000
CELLS = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def outputs(notebook: NotebookNode) -> list[list[NotebookNode]]:
    return [cell.get("outputs", []) for cell in notebook.cells if cell.cell_type == "code"]


def without_pages(notebook: NotebookNode) -> NotebookNode:
    """The notebook as it is committed: pages go, and what differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "<iframe" in data.get("text/html", ""):
                del data["text/html"]
    return notebook


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> dict[str, NotebookNode]:
    """Every notebook after a run of its own, in a folder of its own."""
    done = {}
    for path in NOTEBOOKS:
        notebook = read(path)
        place = {"metadata": {"path": str(tmp_path_factory.mktemp(path.stem))}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
        done[path.stem] = notebook
        if os.environ.get("ATPDSL_NOTEBOOKS"):
            nbformat.write(without_pages(copy.deepcopy(notebook)), path)
    return done


@CELLS
def test_a_notebook_is_valid_and_small(path):
    notebook = read(path)
    nbformat.validate(notebook)
    text = path.read_text(encoding="utf-8")

    assert path.stat().st_size < MOST_BYTES
    assert "<iframe" not in text
    assert "Traceback" not in text
    assert str(Path.home()) not in text


@CELLS
def test_every_cell_was_run_in_order(path):
    counts = [cell.execution_count for cell in read(path).cells if cell.cell_type == "code"]

    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.slow
@CELLS
def test_a_notebook_runs_from_top_to_bottom(path, executed):
    here, there = outputs(executed[path.stem]), outputs(read(path))

    assert [len(one) for one in here] == [len(one) for one in there]
    for fresh, kept in zip(here, there, strict=True):
        for new, old in zip(fresh, kept, strict=True):
            assert new.output_type == old.output_type
            # The page is there in a run, and is not kept.
            assert set(old.get("data", {})) <= set(new.get("data", {}))


@pytest.mark.slow
def test_the_worked_notebook_says_what_is_written_about_it(executed):
    cells = [cell for cell in executed["ioi"].cells if cell.cell_type == "code"]
    result, broken, compared = cells[1], cells[2], cells[7]
    shown = result.outputs[0].data

    assert '<iframe sandbox="allow-scripts" srcdoc="' in shown["text/html"]
    assert shown["image/svg+xml"].startswith("<svg")
    assert "expect    1 of 1 hold" in shown["text/plain"]
    assert "there is no layer 9 for `heads.z`" in broken.outputs[0].data["text/plain"]
    assert "method atp: direction noising -> denoising" in compared.outputs[0].text
