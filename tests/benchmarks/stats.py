"""The arithmetic of a comparison: percentiles, medians, ratios, spreads. Units are the caller's."""

import math
from collections.abc import Sequence
from statistics import median

TIMES = "\N{MULTIPLICATION SIGN}"  # behind a ratio


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the ordered values do not exceed.

    Exact (nearest rank), never between two values. Raises ValueError where there is none.
    """
    if not ordered:
        raise ValueError("no values")
    rank = math.ceil(round(share * len(ordered), 6))  # 0.07 * 100 is 7.000000000000001
    return ordered[max(rank, 1) - 1]


def ratio(ours: float, other: float) -> float:
    """How many times the other's ours is; infinite where the other is nothing."""
    return ours / other if other else math.inf


def spread(values: Sequence[float]) -> float:
    """From the lowest to the highest, as a share of the median: how much the rounds disagree."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0
