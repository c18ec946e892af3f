"""All benchmarks in their short versions, and one table: ours, floor, ratio, peer, ratio.

    python -m benchmarks.summary [--keep FOLDER] [--only atp exact ...]

Each benchmark has a process of its own, one after the other; each peer that is installed runs
in its own environment, beside the floor. A peer's last number is its ratio to the floor over
ours, both of the same work: how many times faster this package is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.peers.environments import PEERS, ROOT
from benchmarks.tables import console

CLAIMS = ("floor", "atp", "exact", "prefix", "memory", "scaling", "estimates")
NATIVE, BRIDGE = "native", "bridge"
FLOOR = "floor"
HEADS = "AtP, heads q/k/v/z + MLPs"
GRAD_DROP = "atp-gd (GradDrop), heads z + MLPs"

Lines = Sequence[Mapping[str, Any]]
"""Records as they were written; see `benchmarks.measuring.Record`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A peer's work, and ours that is compared with it."""

    peer: str
    work: str
    ours: str


COMPARISONS = (
    Comparison(peer="nnsight", work="tutorial, heads z + MLPs", ours=HEADS),
    Comparison(peer="transformer_lens", work="attribution_patch, heads z + MLPs", ours=HEADS),
    Comparison(peer="circuitkit", work="EAP, heads z + MLPs", ours=HEADS),
    Comparison(peer="circuitkit", work=GRAD_DROP, ours="AtP*, heads + MLPs"),
    Comparison(peer="auto_circuit", work="EAP by mask gradients, all edges", ours=HEADS),
)


def main() -> int:
    """Run everything, and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--only", nargs="+", choices=[*CLAIMS, "peers"])
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the lines as JSON")
    chosen = parser.parse_args()
    wanted = chosen.only or [*CLAIMS, "peers"]
    with tempfile.TemporaryDirectory() as made:
        folder = chosen.keep or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        failed = [claim for claim in CLAIMS if claim in wanted and not run(claim, folder)]
        if "peers" in wanted:
            failed += [
                peer.title
                for peer in PEERS
                if peer.installed
                and not run(f"peers.{peer.module}", folder, python=peer.python)
            ]
        records = {path.stem: read(path) for path in sorted(folder.glob("*.json"))}
    console().print(table(records))
    for name in failed:
        sys.stderr.write(f"{name} failed; see above\n")
    return 1 if failed else 0


def run(claim: str, folder: Path, *, python: Path | None = None) -> bool:
    """Runs one benchmark in its short version; its own table goes to the terminal."""
    found = folder / f"{claim}.json"
    command = [str(python or sys.executable), "-m", f"benchmarks.{claim}", "--short"]
    done = subprocess.run(  # noqa: S603 (our own modules)
        [*command, "--json", str(found)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    return done.returncode == 0


def read(path: Path) -> Lines:
    """The lines that a benchmark wrote."""
    return list(json.loads(path.read_text(encoding="utf-8")))


def table(records: Mapping[str, Lines]) -> Table:
    """The last table."""
    found = Table(title="All claims, short versions", title_justify="left")
    for column in ("work", "by"):
        found.add_column(column)
    for column in ("ours", FLOOR, "ratio"):
        found.add_column(column, justify="right")
    found.add_column("compared with")
    for column in ("it", "ratio"):
        found.add_column(column, justify="right")
    for row in (*atp_rows(records), *peer_rows(records), *other_rows(records)):
        found.add_row(*row)
    return found


def atp_rows(records: Mapping[str, Lines]) -> Iterator[tuple[str, ...]]:
    """Estimates against the floor."""
    lines = records.get("atp", ())
    floor = next((one for one in lines if one["work"] == FLOOR), None)
    for one in lines:
        if floor is None or one["work"] == FLOOR:
            continue
        if one["reference"] == FLOOR:
            ratio = f"{one['ratio']['median']:.2f}"
            yield (
                one["work"],
                one["who"],
                amount(one),
                amount(floor),
                ratio,
                "",
                "",
                "",
            )
        else:
            yield compared(one)


def peer_rows(records: Mapping[str, Lines]) -> Iterator[tuple[str, ...]]:
    """Peers, each against the floor of its own process, and that against ours."""
    ours = {
        (one["work"], one["who"]): one
        for one in records.get("atp", ())
        if one["reference"] == FLOOR
    }
    peers = {peer.module: peer for peer in PEERS}
    for one in COMPARISONS:
        peer = peers[one.peer]
        lines = records.get(f"peers.{one.peer}", ())
        theirs = next((line for line in lines if line["work"] == one.work), None)
        mine = next(
            (ours[k] for k in ((one.ours, NATIVE), (one.ours, BRIDGE)) if k in ours), None
        )
        title = f"{peer.title}: {one.work}"
        if not peer.installed:
            yield one.ours, "", "", "", "", title, peer.hint, ""
        elif theirs is None or mine is None:
            missing = "only in the long version" if theirs is None else ""
            yield one.ours, "", "", "", "", title, missing, ""
        else:
            own, other = mine["ratio"]["median"], theirs["ratio"]["median"]
            yield (
                one.ours,
                mine["who"],
                f"{own:.2f} floors",
                "1",
                f"{own:.2f}",
                title,
                f"{other:.2f} floors",
                f"{other / own:.1f} x",
            )


def other_rows(records: Mapping[str, Lines]) -> Iterator[tuple[str, ...]]:
    """Exact patching, prefixes, memory, scaling and estimates, against what they were."""
    for claim in ("exact", "prefix", "memory", "scaling", "estimates"):
        for one in records.get(claim, ()):
            if one["reference"] != FLOOR and one["ratio"]["median"] != 1:
                yield compared(one)


def compared(one: Mapping[str, Any]) -> tuple[str, ...]:
    """A line whose reference is not the floor."""
    ratio = f"{one['ratio']['median']:.2f} x"
    return one["work"], one["who"], amount(one), "", "", one["reference"], "", ratio


def amount(one: Mapping[str, Any]) -> str:
    """What was measured, with its unit."""
    return f"{one['seconds']:.3g} {one['unit']}"


if __name__ == "__main__":
    sys.exit(main())
