"""Makes an environment for each peer, with its own pins, under `benchmarks/.environments`.

    python -m benchmarks.peers.environments [nnsight] [circuitkit] [auto_circuit]

TransformerLens needs none: it is what the bridge executor stands on, so it is installed with
this package. Needs a package index; each environment takes one to three gigabytes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / ".environments"
OURS = "this package's own"
READY = ".ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Another tool.

    Attributes:
        module: measures it, `python -m benchmarks.peers.MODULE`.
        title: what tables call it, with its version.
        requirements: what pip is asked for; empty where it comes with this package.
        imports: what must be importable for it to count as installed.
    """

    module: str
    title: str
    requirements: tuple[str, ...]
    imports: str

    @property
    def python(self) -> Path:
        """The interpreter that has it."""
        if not self.requirements:
            return Path(sys.executable)
        return FOLDER / self.module / "bin" / "python"

    @property
    def installed(self) -> bool:
        """Whether its environment was made to the end."""
        return not self.requirements or (FOLDER / self.module / READY).is_file()

    @property
    def hint(self) -> str:
        """What to do where it is not installed."""
        return f"not installed (python -m benchmarks.peers.environments {self.module})"


TORCH = "torch==2.13.0"
PEERS = (
    Peer(
        module="transformer_lens",
        title="TransformerLens 4.3",
        requirements=(),
        imports="transformer_lens",
    ),
    Peer(
        module="nnsight",
        title="nnsight 0.8.1",
        requirements=("nnsight==0.8.1", TORCH, "transformers==5.23.0", "numpy==2.4.6"),
        imports="nnsight",
    ),
    Peer(
        module="circuitkit",
        title="circuitkit 0.2.0",
        requirements=("circuitkit==0.2.0", "transformer-lens==3.8.0", TORCH),
        imports="circuitkit.backends.eap.attribute_node",
    ),
    Peer(
        module="auto_circuit",
        title="auto-circuit 1.0.1",
        # It does not say what it needs: `attrs` is undeclared, HookedTransformer went from
        # TransformerLens, and the binary packages that it pulls in were built for NumPy 1.
        requirements=(
            "auto-circuit==1.0.1",
            "transformer-lens<3",
            "attrs",
            "numpy<2",
            "pyarrow<18",
            "jax<0.5",
            TORCH,
        ),
        imports="auto_circuit.prune_algos.mask_gradient",
    ),
)


def make(peer: Peer) -> bool:
    """Makes a peer's environment; says whether it can be imported there."""
    folder = FOLDER / peer.module
    say(f"{peer.title}: {' '.join(peer.requirements)}")
    began = time.perf_counter()
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(peer.python), "-m", "pip", "install", "--quiet", *peer.requirements]
    for command in (pip, [str(peer.python), "-c", f"import {peer.imports}"]):
        done = subprocess.run(  # noqa: S603 (the commands are those above)
            command, cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode:
            say(f"{peer.title} does not install here:\n{done.stderr[-2000:]}")
            return False
    (folder / READY).write_text("\n".join(peer.requirements) + "\n", encoding="utf-8")
    say(f"{peer.title} is ready after {time.perf_counter() - began:.0f} s")
    return True


def say(line: str) -> None:
    """Progress; standard output is for tables."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    made = [peer for peer in PEERS if peer.requirements]
    parser = argparse.ArgumentParser(prog="benchmarks.peers.environments", description=__doc__)
    parser.add_argument("peers", nargs="*", choices=[[], *(p.module for p in made)])
    parser.add_argument("--again", action="store_true", help="make those that are there anew")
    chosen = parser.parse_args(arguments)
    wanted = [peer for peer in made if not chosen.peers or peer.module in chosen.peers]
    failed = [p for p in wanted if (chosen.again or not p.installed) and not make(p)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
