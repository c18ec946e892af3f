"""Small models with two pairs of different lengths, ready to be tested."""

from __future__ import annotations

import torch

from atpdsl.binding.bind import Bound
from atpdsl.binding.pairs import TokenPairs
from atpdsl.runtime.executor import Silent
from atpdsl.selftesting.checks import Check, Verdict
from atpdsl.selftesting.selftest import Amount
from atpdsl.selftesting.subject import Subject
from atpdsl.selftesting.testing import checks_of
from atpdsl.semantics.experiment import Direction
from tests.engine import experiment, loaded, shape_of, token_pair
from tests.oracle.cases import UNEQUAL, every_position, node_set
from tests.small_models import small_model

KINDS = ("heads.q", "heads.k", "heads.v", "heads.z", "neurons", "mlp", "attn", "resid.post")


def subject(
    family: str = "gpt2",
    kinds: tuple[str, ...] = KINDS,
    *,
    metric: str = "logit_diff",
    direction: Direction = Direction.NOISING,
    executor: str = "native",
) -> Subject:
    """A random model of a family in float64, with two pairs of different lengths."""
    model = small_model(family)
    prompts = zip(UNEQUAL.clean, UNEQUAL.corrupted, UNEQUAL.answers, UNEQUAL.foils, strict=True)
    pairs = tuple(token_pair(*one) for one in prompts)[:2]
    bound = Bound(
        experiment=experiment(metric=metric, methods=(("atp", direction),)),
        shape=shape_of(model.config),
        pairs=TokenPairs(pairs=pairs, pad_id=0, bos_id=None),
        nodes=tuple(node_set(model, kind, every_position(UNEQUAL)[:6]) for kind in kinds),
    )
    return Subject(bound=bound, model=loaded(model), direction=direction, executor=executor)


def every_check(one: Subject, nodes: int = 4) -> tuple[Check, ...]:
    """Every check, with few nodes of each kind."""
    with torch.no_grad():
        return checks_of(one, Amount(nodes=nodes), Silent())


def failed(checks: tuple[Check, ...]) -> list[tuple[str, str]]:
    """Name and kind of the checks that failed."""
    return [(c.name, c.kind) for c in checks if c.verdict is Verdict.FAIL]
