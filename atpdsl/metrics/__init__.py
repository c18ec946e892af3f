"""The metrics and their readings; to add one, write its file and put it in the table."""

from atpdsl.metrics.computed import computed
from atpdsl.metrics.entropy import ENTROPY
from atpdsl.metrics.kl import KL
from atpdsl.metrics.logit_diff import LOGIT_DIFF
from atpdsl.metrics.logprob import LOGPROB
from atpdsl.metrics.metric import Metric, Targets, TokenRows
from atpdsl.metrics.nll import NLL
from atpdsl.metrics.prob_diff import PROB_DIFF
from atpdsl.metrics.readings import READINGS
from atpdsl.registry import Registry
from atpdsl.semantics.experiment import MetricCall

METRICS = Registry("metric", (LOGIT_DIFF, PROB_DIFF, LOGPROB, NLL, KL, ENTROPY))

__all__ = ["METRICS", "READINGS", "Metric", "Targets", "TokenRows", "metric_of"]


def metric_of(call: MetricCall) -> Metric:
    """The metric that a spec asks for: one with a name, or a computed one."""
    if call.formula is None:
        return METRICS[call.name]
    return computed(call.name, call.formula, METRICS)
