"""The metrics; to add one, write its file and put it in the table."""

from atpdsl.metrics.kl import KL
from atpdsl.metrics.logit_diff import LOGIT_DIFF
from atpdsl.metrics.logprob import LOGPROB
from atpdsl.metrics.metric import Metric, Targets
from atpdsl.metrics.nll import NLL
from atpdsl.metrics.prob_diff import PROB_DIFF
from atpdsl.registry import Registry

METRICS = Registry("metric", (LOGIT_DIFF, PROB_DIFF, LOGPROB, NLL, KL))

__all__ = ["METRICS", "Metric", "Targets"]
