from pathlib import Path

import pytest

from atpdsl.runtime import memory
from atpdsl.runtime.memory import available_bytes, readable


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with 8 GB free, and no container."""
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", meminfo)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    return tmp_path


def limit(folder: Path, allowed: str) -> None:
    """A container that uses 3 GB, of which 1 GB are cached files."""
    (folder / "memory.max").write_text(f"{allowed}\n")
    (folder / "memory.current").write_text("3000000000\n")
    (folder / "memory.stat").write_text("anon 2000000000\ninactive_file 1000000000\n")


@pytest.mark.usefixtures("machine")
def test_without_a_container_the_machine_decides() -> None:
    assert available_bytes() == 8_000_000 * 1024


def test_container_leaves_its_limit_less_what_is_used_but_for_cached_files(
    machine: Path,
) -> None:
    limit(machine, "5000000000")

    assert available_bytes() == 3_000_000_000


def test_container_without_a_limit_does_not_count(machine: Path) -> None:
    limit(machine, "max")

    assert available_bytes() == 8_000_000 * 1024


def test_limit_above_the_machine_does_not_add_memory(machine: Path) -> None:
    limit(machine, "50000000000")

    assert available_bytes() == 8_000_000 * 1024


def test_container_over_its_limit_has_nothing_free(machine: Path) -> None:
    limit(machine, "1000000000")

    assert available_bytes() == 0


def test_machine_that_tells_less_is_taken_whole(machine: Path) -> None:
    (machine / "meminfo").unlink()

    total = available_bytes()

    assert total is not None
    assert total > 10**8


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (1_500_000_000, "1.5 GB")],
)
def test_bytes_are_written_as_a_person_writes_them(number: int, text: str) -> None:
    assert readable(number) == text
