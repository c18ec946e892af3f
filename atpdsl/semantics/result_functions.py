"""The functions of `expect`: what can be asked of a result. One table, for checks and docs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atpdsl.semantics.diagnosis import FLAG_QUANTITIES

Gives = Literal["number", "share", "count", "truth"]
Takes = Literal["nodes", "methods", "word", "method", "top", "confidence"]
# In `spearman(atp, truth)`: the measured effects.
TRUTH = "truth"
# In `upper_bound(missed_effect)`: the largest effect of a node that was not measured.
MISSED_EFFECT = "missed_effect"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFunction:
    """One function.

    Attributes:
        example: a whole line of `expect`.
        gives: a `number` in the units of the metric or a correlation, a `share` between 0 and
            1, a `count` of nodes, or a `truth`: holds or not.
        takes: its arguments: `nodes` is one selection with its position, `methods` are two
            methods, `word` is one of `words`; the others have names and may be left out.
        later: part of the language, but not of this version.
    """

    name: str
    doc: str
    example: str
    gives: Gives = "number"
    takes: tuple[Takes, ...] = ()
    words: tuple[str, ...] = ()
    later: bool = False


RESULT_FUNCTIONS: tuple[ResultFunction, ...] = (
    ResultFunction(
        name="recall",
        doc="of the `top` nodes with the largest measured effect, the share that the estimate"
        " has in its own top",
        example="recall(top = 20) >= 90%",
        gives="share",
        takes=("top", "method"),
    ),
    ResultFunction(
        name="spearman",
        doc="rank correlation of two methods, or of one with `truth`, the measured effects",
        example="spearman(atp, truth) > 0.8",
        takes=("methods",),
    ),
    ResultFunction(
        name="misses",
        doc="nodes drawn at random whose effect is above the weakest of the verified top",
        example="misses <= 3",
        gives="count",
        takes=("method",),
    ),
    ResultFunction(
        name="has",
        doc="whether the circuit has the node, or one of several nodes",
        example="has(L9H6 at last)",
        gives="truth",
        takes=("nodes",),
    ),
    ResultFunction(
        name="effect",
        doc="the measured effect of a node, with its sign: mean over pairs",
        example="effect(L9H6 at last) < -0.5",
        takes=("nodes", "method"),
    ),
    ResultFunction(
        name="score",
        doc="the score of a node: |effect| where it is measured, else the estimate",
        example="score(L9H6 at last) > 0.5",
        takes=("nodes", "method"),
    ),
    ResultFunction(
        name="gap",
        doc="clean minus corrupted metric, mean over pairs",
        example="gap > 1",
    ),
    ResultFunction(
        name="clean_metric",
        doc="the metric on the clean prompts, mean over pairs",
        example="clean_metric > 2",
    ),
    ResultFunction(
        name="corrupted_metric",
        doc="the metric on the corrupted prompts, mean over pairs",
        example="corrupted_metric < 0",
    ),
    ResultFunction(
        name="upper_bound",
        doc="a size above which no |mean effect| of a node that was not measured is, with the"
        " `confidence` of `subset_sampling`, or another of 90%, 99% and 99.9%",
        example="upper_bound(missed_effect) < 0.1",
        takes=("word", "method", "confidence"),
        words=(MISSED_EFFECT,),
    ),
    ResultFunction(
        name="flagged",
        doc="how many nodes a diagnostic warns of",
        example="flagged(cancellation) <= 20",
        gives="count",
        takes=("word", "method"),
        words=tuple(FLAG_QUANTITIES),
    ),
    ResultFunction(
        name="faithfulness",
        doc="how much of the metric the circuit alone gives",
        example="faithfulness(5%) >= 0.8",
        later=True,
    ),
    ResultFunction(
        name="cpr",
        doc="the area under the curve of faithfulness over sizes",
        example="cpr > 1",
        later=True,
    ),
)
FUNCTION_OF = {function.name: function for function in RESULT_FUNCTIONS}
