"""Upper bounds on effects that were not measured, from sets of nodes patched together.

Kramar et al. 2024, section 3.3: if effects add up, the mean effect of the sets that have a
node, minus that of the sets that do not, estimates the node's own effect. A one-sided Welch
test then says which effects are too large to be believed. Instead of searching for the
smallest size that the test rejects, it is written down: |difference| + t * standard error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from atpdsl.numerics.student import t_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class TwoArms(Protocol):
    """Effects of sets with and without each node, [N]; `planning.outcome.Arms` is one."""

    @property
    def with_count(self) -> Integers:
        """Sets that have the node."""

    @property
    def with_mean(self) -> Floats:
        """Their mean effect."""

    @property
    def with_variance(self) -> Floats:
        """The unbiased variance of their effects."""

    @property
    def without_count(self) -> Integers:
        """Sets that could have had the node and do not."""

    @property
    def without_mean(self) -> Floats:
        """Their mean effect."""

    @property
    def without_variance(self) -> Floats:
        """The unbiased variance of their effects."""

    @property
    def blocks(self) -> int | None:
        """Blocks per repetition of a balanced partition, None for independent sets."""

    @property
    def candidates(self) -> NDArray[np.bool_]:
        """Which nodes the sets were drawn from."""


def standard_errors(arms: TwoArms) -> tuple[Floats, Floats]:
    """Standard error of each node's difference of arms, and its degrees of freedom, [N].

    Welch's, s_W^2 = s_+^2 / c_+ + s_-^2 / c_-. The blocks of a balanced partition are not
    independent: every node of the set with a node is missing from the sets without it. Under
    additivity the variance is b / (b - 1) times as large with b blocks per repetition.

    Both are nan below two sets in either arm. Degrees of freedom are inf where nothing varies.
    """
    enough = (arms.with_count > 1) & (arms.without_count > 1)
    c_with = np.where(enough, arms.with_count, 2)
    c_without = np.where(enough, arms.without_count, 2)
    s_with = np.where(enough, arms.with_variance, np.nan) / c_with
    s_without = np.where(enough, arms.without_variance, np.nan) / c_without
    square = s_with + s_without
    # Shares of the whole, so that squares of tiny variances do not vanish.
    share = s_with / np.where(square == 0, 1, square)
    inverse = share**2 / (c_with - 1) + (1 - share) ** 2 / (c_without - 1)
    nu = np.where(square == 0, np.inf, np.maximum(1 / inverse, 1.0))
    factor = 1.0 if arms.blocks is None else arms.blocks / (arms.blocks - 1)
    return np.sqrt(factor * square), np.where(np.isnan(square), np.nan, nu)


def upper_bounds(arms: TwoArms, confidence: float) -> Floats:
    """What each node's |mean effect| does not exceed, one node at a time, [N].

    theta = |mean with - mean without| + t_{nu, confidence} s_W.

    Args:
        confidence: in (0, 1): a node with an effect above its bound happens with a
            probability of at most 1 - confidence, under the assumptions.

    Returns:
        nan for candidates without two sets in each arm; 0 for nodes that are no candidates.

    Raises:
        ValueError: when `confidence` is not in (0, 1).
    """
    error, nu = standard_errors(arms)
    difference = np.abs(arms.with_mean - arms.without_mean)
    theta = difference + t_quantiles(confidence, nu) * error
    return np.where(arms.candidates, theta, 0.0)


def bound(
    arms: TwoArms, unmeasured: NDArray[np.bool_], confidence: float
) -> tuple[float | None, int | None]:
    """What no unmeasured node's |mean effect| exceeds, and the node that is nearest to it.

    The largest of the nodes' own bounds. That any of them is exceeded is tested by testing
    each at the same level, without a correction: the combined null hypothesis ("some node is
    at least as large as theta") is only rejected where all are (an intersection-union test).

    Args:
        unmeasured: [N] which nodes it is about; those that are no candidates are 0.

    Returns:
        The bound, and the number of the node to measure next. (0.0, None) where there is
        nothing to bound; (None, node) where a node was in too few sets to say anything.

    Raises:
        ValueError: when `confidence` is not in (0, 1).
    """
    theta = upper_bounds(arms, confidence)
    nodes = np.flatnonzero(unmeasured & arms.candidates)
    if not len(nodes):
        return 0.0, None
    unknown = nodes[np.isnan(theta[nodes])]
    if len(unknown):
        return None, int(unknown[0])
    largest = int(nodes[np.argmax(theta[nodes])])
    return float(theta[largest]), largest
