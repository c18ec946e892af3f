"""Contests of processes: every contestant alone in one, with memory as the system has it.

In a contest within one process freed memory is kept for all (`measuring.settle`), which is
something that this package does by itself while it runs a plan, and others do not. Here each
runs as its users run it. The rounds are the same: one after the other, never two at once.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

from benchmarks.measuring import Measured, Work, contest, cpu_seconds, settle

Make = Callable[[str], Work]
"""Makes the work of a contestant, in its own process; has to be a function of a module, or a
`functools.partial` of one."""


def contest_apart(
    make: Make, names: Sequence[str], rounds: int, *, warm: int = 1
) -> dict[str, Measured]:
    """As `measuring.contest`, with a process for every contestant."""
    # Before torch is imported there.
    os.environ["OMP_NUM_THREADS"] = "1"
    context = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    processes = []
    try:
        for name in names:
            mine, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(make, name, theirs), daemon=True)
            process.start()
            theirs.close()
            lines[name] = mine
            processes.append(process)
            # Loaded before the next one starts: nobody disturbs anybody.
            mine.recv()
        turns: dict[str, Work] = {name: _turn(line) for name, line in lines.items()}
        return contest(turns, rounds, clock=lambda work: float(str(work())), warm=warm)
    finally:
        for line in lines.values():
            line.close()
        for process in processes:
            process.join(timeout=10)
            process.kill()


def _turn(line: Connection) -> Work:
    def run() -> object:
        line.send(True)
        return line.recv()

    return run


def _serve(make: Make, name: str, line: Connection) -> None:
    """Runs the work whenever asked to, and tells how long it took."""
    settle(memory=False)
    work = make(name)
    line.send(True)
    while True:
        try:
            line.recv()
        except EOFError:
            return
        line.send(cpu_seconds(work))
