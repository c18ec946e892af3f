"""The part of the vocabulary that a metric reads."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from atpdsl.metrics import Metric, Targets
from atpdsl.metrics.metric import TokenRows


def columns(metric: Metric, targets: Targets) -> tuple[Tensor | None, Targets]:
    """The tokens whose logits the metric reads, and the targets counted among them.

    Returns:
        the tokens [n], sorted, and targets whose ids are numbers of these; None and the
        targets as they are where the metric reads the whole vocabulary.
    """
    if not metric.of_logits:
        return None, targets
    rows = (targets.answers, targets.foils, *(one.ids for one in targets.sets))
    tokens = torch.unique(torch.cat([ids.flatten() for ids in rows]))

    def numbers(ids: Tensor) -> Tensor:
        return torch.searchsorted(tokens, ids)

    return tokens, replace(
        targets,
        answers=numbers(targets.answers),
        foils=numbers(targets.foils),
        sets=tuple(TokenRows(ids=numbers(one.ids), mask=one.mask) for one in targets.sets),
    )
