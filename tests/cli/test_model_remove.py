from __future__ import annotations

from atpdsl.cli import main
from atpdsl.cli.failures import DONE, FAILED
from atpdsl.models.files import added_folder


def test_a_model_that_was_added_is_removed_once(capsys):
    folder = added_folder("smollm2")
    folder.mkdir(parents=True)

    assert main(["model", "remove", "smollm2"]) == DONE
    assert not folder.exists()
    assert capsys.readouterr().out == "smollm2 is removed\n"
    assert main(["model", "remove", "smollm2"]) == FAILED
    assert "no added model is called `smollm2`" in capsys.readouterr().err


def test_nothing_but_added_models_is_removed():
    assert main(["model", "remove", "../models"]) == FAILED
    assert main(["model", "remove", "tiny"]) == FAILED
