"""Statements and keys that say how far estimates can be trusted; see `schema`."""

from __future__ import annotations

from atpdsl.semantics.diagnosis import Partition
from atpdsl.semantics.flags import DEFAULT_FLAGS
from atpdsl.semantics.shape import Key, Shape, later_keys

MOST_RESAMPLES = 100_000
MOST_SAMPLES = 10_000_000


def _flag(part: str) -> Key:
    return Key(
        name="flag",
        type="expression",
        default=DEFAULT_FLAGS[part].text,
        doc="which nodes it warns of: a condition on its quantities",
    )


def _confidence(doc: str, default: float) -> Key:
    # A bound at 100% is infinite, and one below 50% bounds nothing.
    return Key(
        name="confidence",
        type="share",
        default=default,
        minimum=0.5,
        maximum=0.9999,
        doc=doc,
    )


VERIFY = Shape(
    word="verify",
    doc="exact effects for the nodes that estimates put first, and for others",
    form="verify { SETTINGS }",
    example="verify { top = 20; random = 20 }",
    keys=(
        Key(
            name="top",
            type="amount",
            default=20,
            minimum=0,
            doc="best nodes of each estimate: a count, or `5%` of all nodes",
        ),
        Key(
            name="random",
            type="amount",
            default=0,
            minimum=0,
            doc="other nodes, drawn at random: a count, or `5%` of all nodes",
        ),
        Key(name="method", type="expression", doc="which estimates; all if left out"),
        Key(
            name="stop_when",
            type="expression",
            doc="go on, the largest bound first, until so few of the true best nodes can have"
            " been missed, as `misses(top = 10) < 5%`",
        ),
        Key(
            name="most",
            type="amount",
            minimum=1,
            doc="with `stop_when`: at most so many more nodes, a count, or `5%` of all nodes",
        ),
        Key(
            name="budget",
            type="expression",
            doc="the most time that verification may take",
            later=True,
            instead="limit the number of nodes: `most = 500`",
        ),
        Key(
            name="confidence",
            type="expression",
            doc="of the bounds, as `95%`",
            later=True,
            instead="write it into `diagnose { subset_sampling { confidence = 95% } }`",
        ),
        *later_keys(edges="which edges to verify"),
    ),
    once=True,
)
CANCELLATION = Shape(
    word="cancellation",
    doc="nodes whose effects along different paths cancel, so that the estimate is brittle",
    example="cancellation { flag = direct * indirect < 0 }",
    keys=(
        _flag("cancellation"),
        Key(
            name="direct_effect",
            type="bool",
            default=False,
            doc="measure the direct effect of each verified node, too: everything after the"
            " node stays as it is",
        ),
    ),
)
SATURATION = Shape(
    word="saturation",
    doc="queries and keys whose attention moves too far for a gradient",
    example="saturation { flag = change > 0.2 and ratio > 2 }",
    keys=(_flag("saturation"),),
)
UNCERTAINTY = Shape(
    word="uncertainty",
    doc="how far the pairs agree about a node",
    example="uncertainty { bootstrap = 1000; confidence = 95% }",
    keys=(
        _flag("uncertainty"),
        Key(
            name="bootstrap",
            type="int",
            default=0,
            minimum=0,
            maximum=MOST_RESAMPLES,
            doc="resamples of the pairs for an interval of each score; 0 makes none",
        ),
        _confidence("of that interval", 0.95),
    ),
)
SUBSET_SAMPLING = Shape(
    word="subset_sampling",
    doc="bounds on the effects of nodes that were not measured, from random sets of nodes"
    " that are patched together",
    example="subset_sampling { samples = 2000; inclusion = 1% }",
    keys=(
        Key(
            name="samples",
            type="int",
            default=1000,
            minimum=4,
            maximum=MOST_SAMPLES,
            doc="how many sets are patched, each in one pair",
        ),
        Key(
            name="inclusion",
            type="share",
            default=0.01,
            minimum=0.0001,
            maximum=0.5,
            doc="the share of the nodes that is in each set",
        ),
        Key(
            name="partition",
            type="word",
            default=Partition.BALANCED.value,
            choices=tuple(partition.value for partition in Partition),
            synonyms=(("random", "independent"), ("bernoulli", "independent")),
            doc="`balanced`: all nodes are dealt into sets, again and again; `independent`:"
            " each node is in each set with the same probability (the paper's)",
        ),
        _confidence("of the bound that `upper_bound` and the summary tell", 0.99),
        Key(
            name="min_effect",
            type="float",
            minimum=0,
            doc="count the nodes for which an effect of this size is not ruled out",
        ),
    ),
)
DIAGNOSE = Shape(
    word="diagnose",
    doc="where estimates may be wrong, and what may have been missed",
    form="diagnose { DIAGNOSTIC [{ SETTINGS }] ... }",
    example="diagnose { cancellation; uncertainty }",
    parts=(CANCELLATION, SATURATION, UNCERTAINTY, SUBSET_SAMPLING),
    once=True,
)
