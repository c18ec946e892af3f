"""The whole self-test: of a spec's model, or of what comes with atpdsl."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atpdsl.checked import Planned
from atpdsl.problems import RunError
from atpdsl.runtime.executor import Progress
from atpdsl.runtime.threads import prepare_environment

if TYPE_CHECKING:
    from atpdsl.selftesting.checks import SelfTest


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much is tested, and where.

    Attributes:
        nodes: of each kind, and pairs: of the spec's.
        seed: of the nodes that are drawn.
        device: instead of the spec's; None leaves that.
    """

    nodes: int = 8
    pairs: int = 2
    seed: int = 0
    device: str | None = None

    @property
    def dropped(self) -> int:
        """Nodes of each kind for the check that runs the model once per layer and step."""
        return max(1, self.nodes // 4)


def selftest(planned: Planned | None, amount: Amount, progress: Progress) -> SelfTest:
    """Test the engine.

    Args:
        planned: the spec whose model, dtype, pairs, metric and kinds are tested; None tests
            the analytic cases and the embedded model.

    Raises:
        RunError: when the model cannot be loaded or run.
    """
    prepare_environment()
    from atpdsl.selftesting.analytic import analytic_parts
    from atpdsl.selftesting.checks import SelfTest
    from atpdsl.selftesting.embedded import embedded
    from atpdsl.selftesting.testing import model_part

    began = time.perf_counter()
    known = () if planned is not None else tuple(analytic_parts(amount.device or "auto"))
    subject = _on_device(planned or embedded(), amount.device)
    try:
        tested = model_part(subject, amount, progress)
    except RunError as error:
        raise RunError(error.problems, subject.checked.source) from error
    return SelfTest(
        parts=(*known, tested), seed=amount.seed, seconds=time.perf_counter() - began
    )


def _on_device(planned: Planned, device: str | None) -> Planned:
    experiment = planned.checked.experiment
    if device is None or experiment is None:
        return planned
    run = replace(experiment.run, device=device)
    checked = replace(planned.checked, experiment=replace(experiment, run=run))
    return replace(planned, checked=checked)
