"""A declarative language and compiler for circuit discovery in transformer language models.

`run` is the main entry: a spec file in, a `Result` out. Nothing here imports torch before a
model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from atpdsl.problems import Problem, RunError, SpecError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from atpdsl.checked import PlannedStudy, Study
    from atpdsl.checking import Access
    from atpdsl.results.comparison import Comparison
    from atpdsl.results.difference import Difference
    from atpdsl.results.result import Result
    from atpdsl.results.sweep import Sweep
    from atpdsl.selftesting.checks import SelfTest

__version__ = "0.1.0"

__all__ = [
    "Problem",
    "RunError",
    "SpecError",
    "check",
    "compare",
    "diff",
    "load",
    "load_comparison",
    "load_sweep",
    "plan",
    "run",
    "selftest",
    "sweep",
]


def check(spec: str | Path, **given: object) -> Study:
    """Everything that can be known of a spec without running a model.

    Args:
        spec: the spec file.
        given: values for the spec's `param` and `sweep` names.

    Raises:
        SpecError: when the file cannot be read; its own mistakes are in `.problems`.
    """
    from atpdsl import driver

    return driver.check(Path(spec), _access(given))


def plan(spec: str | Path, **given: object) -> PlannedStudy:
    """The plans of a spec, one for each of its points (`.points`, or `.only()`).

    Each has `.rows()` for its cost and `.to_networkx()` for its operations.

    Raises:
        SpecError: when the spec has errors.
    """
    from atpdsl import driver

    return driver.plan(Path(spec), _access(given))


def run(
    spec: str | Path, *, out: str | Path | None = None, overwrite: bool = False, **given: object
) -> Result:
    """Run a spec of one point: `.scores` (DataFrame), `.graph` (networkx), `.top(20)`.

    Args:
        spec: the spec file.
        out: the result directory; `runs/<spec name>` in the current folder if not given.
        overwrite: replace the result of another spec.
        given: values for the spec's `param` and `sweep` names.

    Raises:
        SpecError: when the spec has errors, or is a sweep.
        RunError: when it cannot be run or the result cannot be written.
    """
    from atpdsl import driver

    return driver.run(Path(spec), _access(given), out=_path(out), overwrite=overwrite)


def sweep(
    spec: str | Path, *, out: str | Path | None = None, overwrite: bool = False, **given: object
) -> Sweep:
    """Run every point of a spec: `.table` (DataFrame), `.result(seed=0)`, iteration.

    The arguments are those of `run`; a list of values makes one more dimension.

    Raises:
        SpecError: when the spec has errors.
        RunError: when the results cannot be written; a point that fails is in the table.
    """
    from atpdsl import driver

    planned = driver.plan(Path(spec), _access(given))
    return driver.sweep(planned, out=_path(out), overwrite=overwrite)


def compare(  # noqa: PLR0913 (all but the first have a default and a name)
    spec: str | Path,
    *,
    methods: Iterable[str] = (),
    truth: str = "abs_mean",
    backward_weight: float = 2.0,
    most_forwards: int = 200_000,
    out: str | Path | None = None,
    overwrite: bool = False,
    **given: object,
) -> Comparison:
    """Several methods on the same nodes against the exact truth: `.table`, `.curves`.

    Args:
        spec: the spec file, with one point.
        methods: labels of the spec, or names of methods; if left out, the spec's estimates
            where it has two or more, else AtP, AtP with the QK fix, AtP* and the baselines.
        truth: the size of a true effect: `abs_mean`, |mean effect| over pairs, or `mean_abs`.
        backward_weight: forward passes that a backward pass counts as.
        most_forwards: the most patched forward passes that the exact truth may take.
        out: the folder; `runs/<spec name>-compared` in the current folder if not given.
        overwrite: replace what another run left there.
        given: values for the spec's `param` and `sweep` names.

    Raises:
        SpecError: when the spec has errors or several points, or a method is unknown.
        RunError: when it cannot be run or the result cannot be written.
        ValueError: for a `truth` that is none of the two.
    """
    from atpdsl import driver
    from atpdsl.comparing import Wanted
    from atpdsl.results.comparison import Truth

    wanted = Wanted(
        methods=(methods,) if isinstance(methods, str) else tuple(methods),
        truth=Truth(truth),
        backward_weight=backward_weight,
        most_forwards=most_forwards,
    )
    prepared = driver.plan_comparison(driver.check(Path(spec), _access(given)), wanted)
    return driver.compare(prepared, out=_path(out), overwrite=overwrite)


def diff(  # noqa: PLR0913 (all but the first two have a default and a name)
    first: Result | str | Path,
    second: Result | str | Path,
    *,
    top: int = 20,
    tolerance: float | None = 1e-6,
    min_overlap: float | None = None,
    min_correlation: float | None = None,
    methods: Iterable[str | tuple[str, str]] = (),
) -> Difference:
    """How two results differ: `.spec`, `.methods`, `.nodes` (DataFrame), `.identical`.

    Args:
        first, second: results, or their folders.
        top: how many of the best nodes to compare.
        tolerance: the largest relative change of a score for `.within`; None for any.
        min_overlap: the least share of the top nodes that both must have (Jaccard).
        min_correlation: the least rank correlation.
        methods: labels, or pairs of one label of each; those that both have if left out.

    Raises:
        RunError: when there is no result, or the two have no method in common.
    """
    from atpdsl.results import difference

    named = (methods,) if isinstance(methods, str) else methods
    return difference.diff(
        *(load(one) if isinstance(one, str | Path) else one for one in (first, second)),
        top=top,
        tolerance=difference.Tolerance(
            change=tolerance, overlap=min_overlap, correlation=min_correlation
        ),
        methods=[(one, one) if isinstance(one, str) else one for one in named],
    )


def selftest(
    spec: str | Path | None = None,
    *,
    nodes: int = 8,
    pairs: int = 2,
    seed: int = 0,
    device: str | None = None,
    **given: object,
) -> SelfTest:
    """Compare the engine with slow twins: `.ok`, `.checks`, `.failed`.

    Args:
        spec: the spec file whose model, dtype, pairs, metric and node kinds are tested; the
            analytic cases and the embedded model if left out.
        nodes: of each kind, and `pairs` of the spec's.
        seed: of the nodes that are drawn.
        device: instead of the spec's.
        given: values for the spec's `param` and `sweep` names.

    Raises:
        SpecError: when the spec has errors or several points.
        RunError: when the model cannot be loaded or run.
    """
    from atpdsl import driver
    from atpdsl.selftesting.selftest import Amount

    planned = None if spec is None else driver.plan(Path(spec), _access(given)).only()
    amount = Amount(nodes=nodes, pairs=pairs, seed=seed, device=device)
    return driver.selftest(planned, amount, None)


def _path(out: str | Path | None) -> Path | None:
    return None if out is None else Path(out)


def _access(given: Mapping[str, object]) -> Access:
    """Values as they would be written after `-p`."""
    from atpdsl.checking import Access

    return Access(given={name: _written(value) for name, value in given.items()})


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list | tuple | range):
        return ",".join(_written(item) for item in value)
    return str(value)


def load(directory: str | Path) -> Result:
    """A result that was saved before.

    Raises:
        RunError: when there is none, or it is damaged.
    """
    from atpdsl.results.result import Result

    return Result.load(Path(directory))


def load_sweep(directory: str | Path) -> Sweep:
    """A sweep that was saved before.

    Raises:
        RunError: when there is none, or it is damaged.
    """
    from atpdsl.results.sweep import Sweep

    return Sweep.load(directory)


def load_comparison(directory: str | Path) -> Comparison:
    """A comparison of methods that was saved before.

    Raises:
        RunError: when there is none, or it is damaged.
    """
    from atpdsl.results.comparison import Comparison

    return Comparison.load(directory)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """`%load_ext atpdsl`: the cell magic `%%atp` and the line magic `%atp`."""
    from importlib import import_module

    # By its name: notebooks are made with this package, and not it with them.
    shell.register_magics(import_module("atpdsl.notebook.magics").AtpMagics)
