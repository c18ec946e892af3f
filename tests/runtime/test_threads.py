import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from atpdsl.runtime import threads
from atpdsl.runtime.threads import (
    ThreadChoice,
    choose_threads,
    prepare_environment,
    usable_cores,
    using_threads,
)


@pytest.fixture(autouse=True)
def free(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*threads.COUNTS, *threads.WAITING):
        monkeypatch.delenv(name, raising=False)


def test_waiting_is_passive_unless_the_user_said_otherwise() -> None:
    nothing: dict[str, str] = {}
    theirs = {"OMP_WAIT_POLICY": "active"}
    prepare_environment(nothing)
    prepare_environment(theirs)

    assert nothing == {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    assert theirs == {"OMP_WAIT_POLICY": "active"}


def test_waiting_is_settled_before_torch_is_imported() -> None:
    program = (
        "import sys\nfrom atpdsl.runtime.threads import prepare_environment\n"
        "assert prepare_environment() and 'torch' not in sys.modules\n"
        "import os, torch\nassert not prepare_environment()\n"
        "assert os.environ['OMP_WAIT_POLICY'] == 'passive'"
    )

    done = subprocess.run([sys.executable, "-c", program], check=False, env=os.environ.copy())

    assert done.returncode == 0


def test_tiny_model_gets_one_thread() -> None:
    choice = choose_threads(1_000_000)

    assert choice == ThreadChoice(count=1, chosen_by="small model", passive=False)


def test_larger_model_gets_the_cores_but_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable_cores", lambda: 64)

    assert choose_threads(100_000_000).count == 8

    monkeypatch.setattr(threads, "usable_cores", lambda: 2)

    assert choose_threads(100_000_000).count == 2


def test_environment_of_the_user_is_never_overridden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", str(torch.get_num_threads()))
    choice = choose_threads(100_000_000)

    assert choice.chosen_by == "environment"
    assert choice.count == torch.get_num_threads()


def test_spec_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")

    assert choose_threads(1, requested=3).count == 3


def test_number_of_threads_is_restored_after_an_exception() -> None:
    before = torch.get_num_threads()
    seen = []

    def fail() -> None:
        with using_threads(ThreadChoice(count=before + 1, chosen_by="spec", passive=True)):
            seen.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert seen == [before + 1]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("text", "share"),
    [("max 100000", None), ("250000 100000", 2), ("50000 100000", 1), ("junk", None)],
)
def test_share_of_a_container_is_whole_processors(
    tmp_path: Path, text: str, share: int | None
) -> None:
    quota = tmp_path / "cpu.max"
    quota.write_text(text)

    assert threads._container_share(quota) == share


def test_there_is_a_core() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
