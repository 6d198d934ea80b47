"""Monitoring's time series: those that a test plants, found by the filters that we write."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State

_CONDITION = re.compile(
    r'(metric\.type|(?:metric|resource)\.labels?\.\w+|resource\.type)\s*=\s*"([^"]*)"'
)
_RESOURCES = {"pubsub": "pubsub_subscription", "run": "cloud_run_revision"}
_OF_METRIC = ("response_class", "response_code", "response_code_class", "delivery_type", "state")
_LATEST = 60  # seconds between two points


def plant(state: State, metric: str, labels: Mapping[str, str], points: Sequence[float]) -> None:
    """`points` are newest first, one a minute until now. Labels that no resource has are the
    metric's."""
    kind = "INT64" if all(isinstance(point, int) for point in points) else "DOUBLE"
    own = {name: value for name, value in labels.items() if name in _OF_METRIC}
    rest = {name: value for name, value in labels.items() if name not in own}
    resource = _RESOURCES.get(metric.partition(".")[0], "global")
    end = datetime.now(UTC).replace(microsecond=0)  # not after what is asked for next
    state.series.append({
        "metric": {"type": metric, "labels": own},
        "resource": {"type": resource, "labels": {"project_id": PROJECT, **rest}},
        "metricKind": "GAUGE",
        "valueType": kind,
        "points": [
            _point(point, kind, end - timedelta(seconds=_LATEST * age))
            for age, point in enumerate(points)
        ],
    })  # fmt: skip


def _point(value: float, kind: str, end: datetime) -> Json:
    shown = {"int64Value": str(value)} if kind == "INT64" else {"doubleValue": value}
    at = f"{end:%Y-%m-%dT%H:%M:%S.%f}Z"
    return {"interval": {"startTime": at, "endTime": at}, "value": shown}


def list_series(state: State, request: Request) -> Json:
    """Source: monitoring v3 projects.timeSeries.list. Raises Refused for what it cannot read."""
    wanted = dict(_condition(one) for one in request.query.get("filter", "").split(" AND "))
    if "metric.type" not in wanted:
        raise Refused(400, 'The filter must name one metric: metric.type="...".')
    try:
        start, end = (
            datetime.fromisoformat(request.query[f"interval.{edge}Time"])
            for edge in ("start", "end")
        )
    except (KeyError, ValueError):
        raise Refused(400, "Field interval needs startTime and endTime.") from None
    found = []
    for one in state.series:
        inside = [point for point in one["points"] if start <= _end(point) <= end]
        if inside and all(_value(one, name) == value for name, value in wanted.items()):
            found.append({**one, "points": inside})
    return {"timeSeries": found}


def _condition(text: str) -> tuple[str, str]:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise Refused(400, f"The filter cannot be read: {text}")
    return found[1], found[2]


def _end(point: Json) -> datetime:
    return datetime.fromisoformat(point["interval"]["endTime"])


def _value(series: Json, name: str) -> str | None:
    kind, _, rest = name.partition(".")
    if rest == "type":
        return str(series[kind]["type"])
    found = series[kind]["labels"].get(rest.partition(".")[2])
    return None if found is None else str(found)


ROUTES = (route("monitoring", "GET", "/v3/projects/{project}/timeSeries", list_series),)
