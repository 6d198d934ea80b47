"""Attempts -> a plot: how many ended how, and how fast, in equal parts of a time."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from worker.local.pubsub.push.records import TimelineBucket


def timeline(
    ended: Iterable[tuple[float, float, str]], since: float, until: float, buckets: int
) -> list[TimelineBucket]:
    """`buckets` parts from `since` to `until` (seconds) of (started, seconds, ending).

    What began at another time is left out. Raises ValueError for a time or a number that is none.
    """
    if not since < until or buckets < 1:
        raise ValueError("a timeline wants a time that is not empty, and 1 bucket or more")
    width = (until - since) / buckets
    counts: list[Counter[str]] = [Counter() for _ in range(buckets)]
    seconds: list[list[float]] = [[] for _ in range(buckets)]
    for started, took, ending in ended:
        if not since <= started < until:
            continue
        place = min(int((started - since) / width), buckets - 1)
        counts[place][ending] += 1
        if ending != "pending":
            seconds[place].append(took)
    return [
        TimelineBucket(
            since + place * width,
            width,
            dict(counts[place]),
            *_percentiles(sorted(seconds[place])),
        )
        for place in range(buckets)
    ]


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    """The nearest-rank percentiles 50 and 99 of sorted values."""
    if not values:
        return 0.0, 0.0
    middle, late = (values[math.ceil(len(values) * part) - 1] for part in (0.50, 0.99))
    return middle, late
