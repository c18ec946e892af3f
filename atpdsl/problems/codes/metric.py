"""Codes of problems with computed metrics (170 to 179)."""

from __future__ import annotations

from atpdsl.problems.codes.code import Code

CODES_METRIC = (
    Code(
        code="ATP170",
        title="this has no place in a metric",
        explanation="""\
A metric is a metric's name, `logit_diff`, or is computed with `+ - * /` and brackets from
numbers and readings: `logit(right) - 0.5 * logit(wrong)`. Numbers have no unit. A word of the
prompts is no number; a reading makes one of it, `prob(" {IO}")`.""",
        bad="metric logit_diff > 2",
        good="metric logit_diff / 2",
    ),
    Code(
        code="ATP171",
        title="no such reading",
        explanation="""\
Readings are what a metric is computed from: `logit(...)`, `prob(...)`, `logprob(...)`,
`loss(...)` and `rank(...)` of some tokens, and all metrics that have a name. `atpdsl list
metrics` names all of them.""",
        bad="metric porb(right) - prob(wrong)",
        good="metric prob(right) - prob(wrong)",
    ),
    Code(
        code="ATP172",
        title="a reading takes one set of tokens",
        explanation="""\
A reading such as `prob` has to be told of which tokens: `right` or `wrong`, the answers of
that side; a text, a list or a range of texts; or a formula that gives some. Several tokens
stand in one list. Metrics with a name, as `entropy`, take none: what they read is fixed.""",
        bad="metric prob at last",
        good="metric prob(right) at last",
    ),
    Code(
        code="ATP173",
        title="a metric divides by zero",
        explanation="What is divided by is 0 whatever the model says.",
        bad="metric logit_diff / 0",
        good="metric logit_diff / 2",
    ),
    Code(
        code="ATP174",
        title="a position inside a metric",
        explanation="""\
A metric reads the logits of one run at one position, and every reading in it reads there. The
position stands once, behind the whole metric. Differences between positions are not metrics of
one prediction; measure them in two runs.""",
        bad="metric logit(right at S2) - logit(wrong)",
        good="metric logit(right) - logit(wrong) at S2",
    ),
    Code(
        code="ATP175",
        title="a metric with the name of another",
        explanation="""\
The name before `=` stands beside the numbers in every result. The name of another metric, or
of a reading, would say something false there.""",
        bad="metric kl = logit_diff",
        good="metric gap = logit_diff",
    ),
    Code(
        code="ATP176",
        title="a metric that reads nothing",
        explanation="""\
A metric without a reading is the same number in every run, so no node has an effect on it.""",
        bad="metric 1 + 1",
        good="metric logit_diff + 1",
    ),
    Code(
        code="ATP177",
        title="no gradient to estimate from",
        explanation="""\
Estimates multiply differences of activations with the metric's gradient. A rank is a whole
number that changes in steps: its gradient is zero where it exists, so every estimate would be
0, whatever the node does. Exact patching needs no gradient.""",
        bad="metric rank(right)\nmethod atp",
        good="metric rank(right)\nmethod ap",
    ),
)
