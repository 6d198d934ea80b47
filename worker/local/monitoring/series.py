"""The metrics of Pub/Sub's subscriptions, in the JSON form of TimeSeries, without sampling delay.

Sources: Google Cloud metrics, pubsub; projects.timeSeries.list; TimeSeries.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from worker.local.logs.times import SECOND, written
from worker.local.monitoring.filter import SeriesFilter
from worker.local.pubsub.measuring import Measures
from worker.local.pubsub.push.deliveries import Deliveries

PREFIX = "pubsub.googleapis.com/subscription/"
_MINUTE = 60.0  # seconds: Pub/Sub's metrics are sampled every 60 s

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """Times are seconds since the epoch, of the clock of the laptop cloud."""

    since: float
    until: float
    now: float


@dataclass(frozen=True, slots=True)
class _Series:
    subscription: str  # its id
    kind: Literal["GAUGE", "DELTA"]
    points: Mapping[tuple[float, float], int]  # by when they begin and end
    labels: Mapping[str, str] = field(default_factory=dict)  # of the metric


class PushMetrics:
    """What Monitoring has of the subscriptions of one project.

    Of a gauge there is the value of now and no history; counts are those of whole minutes.
    """

    def __init__(self, project: str, measures: Measures, deliveries: Deliveries) -> None:
        self._project = project
        self._measures = measures
        self._deliveries = deliveries

    def find(self, wanted: SeriesFilter, interval: Interval, behind: float) -> list[Json]:
        """The series that a filter means. Their times are `behind` seconds behind the clock's."""
        metrics: Mapping[str, Callable[[Interval], Iterable[_Series]]] = {
            "num_undelivered_messages": self._backlog,
            "oldest_unacked_message_age": self._oldest,
            "push_request_count": self._pushes,
            "dead_letter_message_count": self._dead_letters,
        }
        measure = metrics.get(wanted.metric.removeprefix(PREFIX))
        if measure is None or not wanted.metric.startswith(PREFIX):
            return []
        found = [self._json(one, wanted.metric, behind) for one in measure(interval)]
        return [one for one in found if wanted.matches(self._fields(one))]

    def _backlog(self, interval: Interval) -> Iterator[_Series]:
        for name, waiting in self._measures.waiting().items():
            yield _gauge(name, waiting.messages, interval)

    def _oldest(self, interval: Interval) -> Iterator[_Series]:
        for name, waiting in self._measures.waiting().items():
            age = max(interval.now - waiting.oldest, 0.0) if waiting.messages else 0.0
            yield _gauge(name, round(age), interval)

    def _pushes(self, interval: Interval) -> Iterator[_Series]:
        answers = self._deliveries.answers(interval.since, interval.until)
        counted = Counter((one.subscription, _class_of(one.result, one.status)) for one in answers)
        for name, kind in sorted(counted):
            times = [
                one.started
                for one in answers
                if (one.subscription, _class_of(one.result, one.status)) == (name, kind)
            ]
            yield _counts(name, times, interval, {"response_class": kind})

    def _dead_letters(self, interval: Interval) -> Iterator[_Series]:
        forwarded = self._measures.dead_lettered(interval.since, interval.until)
        for name in sorted({subscription for subscription, _ in forwarded}):
            yield _counts(name, [time for one, time in forwarded if one == name], interval)

    def _json(self, series: _Series, metric: str, behind: float) -> Json:
        resource = {"project_id": self._project, "subscription_id": series.subscription}
        return {
            "metric": {"type": metric, "labels": dict(series.labels)},
            "resource": {"type": "pubsub_subscription", "labels": resource},
            "metricKind": series.kind,
            "valueType": "INT64",
            "points": [
                _point(begin - behind, end - behind, value)
                for (begin, end), value in sorted(series.points.items(), reverse=True)
            ],
        }

    def _fields(self, series: Json) -> dict[str, str]:
        labels = {
            f"{part}.labels.{name}": value
            for part in ("metric", "resource")
            for name, value in series[part]["labels"].items()
        }
        types = {f"{part}.type": series[part]["type"] for part in ("metric", "resource")}
        return {"project": self._project, **types, **labels}


def _gauge(subscription: str, value: int, interval: Interval) -> _Series:
    """The value of now, where now is asked for."""
    time = min(interval.now, interval.until)
    asked = interval.since <= interval.now < interval.until
    return _Series(_short(subscription), "GAUGE", {(time, time): value} if asked else {})


def _counts(
    subscription: str,
    times: Iterable[float],
    interval: Interval,
    labels: Mapping[str, str] | None = None,
) -> _Series:
    """How many in each minute; the first and the last one may be shorter."""
    by_minute = Counter(time // _MINUTE * _MINUTE for time in times)
    end = min(interval.until, interval.now)
    points = {
        (max(minute, interval.since), min(minute + _MINUTE, end)): count
        for minute, count in by_minute.items()
    }
    return _Series(_short(subscription), "DELTA", points, labels or {})


def _class_of(result: str, status: int) -> str:
    """The response class of a push that ended. An answer that a fault drops never arrived."""
    if result in ("ack", "unreachable"):
        return result
    if result == "deadline":
        return "deadline_exceeded"
    if result == "dropped":
        return "unreachable"
    return f"remote_server_{status // 100}xx" if status // 100 in (4, 5) else "invalid"


def _short(subscription: str) -> str:
    return subscription.rpartition("/")[2]


def _point(begin: float, end: float, value: int) -> Json:
    times = {"startTime": _time(begin), "endTime": _time(end)}
    return {"interval": times, "value": {"int64Value": str(value)}}


def _time(seconds: float) -> str:
    return written(round(seconds * 1e6) * (SECOND // 1_000_000))
