"""Small plans, and ways to look into them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from atpdsl.binding.nodeset import NodeSet
from atpdsl.binding.pairs import TokenPair
from atpdsl.models.shape import ModelShape
from atpdsl.planning.cost import counts
from atpdsl.planning.outcome import Counts
from atpdsl.planning.plan import Plan, schedule, walk
from atpdsl.semantics.diagnosis import Diagnosis
from atpdsl.semantics.experiment import Direction, MetricCall, RunSettings, VerifyCall
from tests.engine import NOWHERE, experiment, make_plan, token_pair

Found = TypeVar("Found")

N_LAYERS = 4
SHAPE = ModelShape(
    architecture="test",
    family="gpt2",
    n_layers=N_LAYERS,
    n_heads=2,
    n_kv_heads=2,
    d_model=16,
    d_head=8,
    d_mlp=64,
    d_vocab=50,
    n_context=64,
)
HEADS = NodeSet(kind="heads.z", layers=(0, 2), indices=(0, 1), positions=("0", "1", "2", "3"))
QUERIES = NodeSet(kind="heads.q", layers=(1,), indices=(0,), positions=("2", "3"))
MLPS = NodeSet(kind="mlp", layers=(1, 3), indices=(0,), positions=("last",))
SETS = (HEADS, MLPS)
# The first two tokens agree, or three of them.
PAIR = token_pair([0, 1, 2, 3], [0, 1, 5, 3], 7, 8, {"S": (2, 1)})
LATER = token_pair([0, 1, 2, 3], [0, 1, 2, 6], 7, 8)
EQUAL = token_pair([0, 1, 2, 3], [0, 1, 2, 3], 7, 8)
VERIFY = VerifyCall(top=2, random=1, methods=("atp",), span=NOWHERE)
NOISING, DENOISING = Direction.NOISING, Direction.DENOISING


def planned(
    *methods: str | tuple[str, Direction],
    pairs: Sequence[TokenPair] = (PAIR, LATER),
    sets: Sequence[NodeSet] = SETS,
    verify: VerifyCall | None = None,
    diagnosis: Diagnosis | None = None,
    metric: str | MetricCall = "logit_diff",
    settings: Any = None,
    **run: Any,
) -> Plan:
    """A plan before all passes; `run` are settings of the run."""
    asked = experiment(
        metric=metric,
        methods=[(m, NOISING) if isinstance(m, str) else m for m in methods],
        settings=settings,
        verify=verify,
        diagnosis=diagnosis,
        run=RunSettings(**run),
    )
    return make_plan(pairs, sets, asked, SHAPE)


def of_kind(plan: Plan, kind: type[Found]) -> list[Found]:
    """The operations of one type, operands first."""
    return [op for op in walk(plan) if isinstance(op, kind)]


def total(plan: Plan) -> Counts:
    """All passes of a plan."""
    return sum((counts(op, plan) for op in schedule(plan)), Counts())
