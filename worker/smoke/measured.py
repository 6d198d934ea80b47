"""Time series of Cloud Monitoring -> what they say of the subscription. Nothing in here raises.

Sources: TimeSeries; pubsub.googleapis.com/subscription/push_request_count (by response_class),
num_undelivered_messages, oldest_unacked_message_age (seconds).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from worker.smoke.evidence import Backlog
from worker.smoke.processed import time_of

_MOST = 10**9  # of messages, and of seconds: more is no measurement

Series = Sequence[Mapping[str, Any]]


def responses_of(series: Series, since: datetime) -> dict[str, int]:
    """How many pushes ended with each response_class, in intervals that ended after `since`."""
    found: dict[str, int] = {}
    for one in series:
        metric = one.get("metric")
        labels = metric.get("labels") if isinstance(metric, Mapping) else None
        name = str(labels.get("response_class", "")) if isinstance(labels, Mapping) else ""
        count = sum(value for time, value in _points(one) if time >= since)
        if name and count:
            found[name] = found.get(name, 0) + count
    return found


def backlog_of(undelivered: Series, oldest_age: Series) -> Backlog | None:
    """The newest measurement, None where there is none yet."""
    counts = [point for one in undelivered for point in _points(one)]
    if not counts:
        return None
    time, messages = max(counts)
    ages = [point for one in oldest_age for point in _points(one)]
    at, age = max(ages, default=(time, 0))
    return Backlog(messages, at - timedelta(seconds=age) if age else None, time)


def _points(series: Mapping[str, Any]) -> Iterator[tuple[datetime, int]]:
    points = series.get("points")
    for point in points if isinstance(points, list) else []:
        try:
            time = time_of(point["interval"]["endTime"])
            value = int(point["value"]["int64Value"])
        except (LookupError, TypeError, ValueError, OverflowError):
            continue  # a point of another kind
        if time is not None and 0 <= value <= _MOST:
            yield time, value
