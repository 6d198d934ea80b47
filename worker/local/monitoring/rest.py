"""Cloud Monitoring's REST API, version 3: the list of time series.

Source: projects.timeSeries.list.
"""

from typing import Any

from flask import Blueprint, request

from worker.local.clock import Clock
from worker.local.errors import ApiError, Code
from worker.local.logs.times import SECOND, nanoseconds
from worker.local.monitoring.filter import parse
from worker.local.monitoring.series import PREFIX, Interval, PushMetrics

_NO_FIGURES = (
    "there are no Pub/Sub metrics: Google's emulator keeps no figures (start dev without"
    " --emulator to have them)"
)


def blueprint(metrics: PushMetrics | None, project: str, clock: Clock) -> Blueprint:
    """The routes. Without `metrics`, as with Google's emulator, those of Pub/Sub are refused."""
    routes = Blueprint("monitoring", __name__)
    routes.register_error_handler(ApiError, lambda error: (error.body(), error.code.status))

    @routes.get("/v3/projects/<name>/timeSeries")
    def list_series(name: str) -> dict[str, Any]:
        wanted = parse(request.args.get("filter", ""))
        since, until = _asked()
        _check_form()
        if metrics is None and wanted.metric.startswith(PREFIX):
            raise ApiError(Code.UNIMPLEMENTED, _NO_FIGURES)
        if metrics is None or name != project:
            return {"timeSeries": []}
        behind = clock.ahead()
        interval = Interval(since + behind, until + behind, clock.now())
        found = metrics.find(wanted, interval, behind)
        series = [one for one in found if one["points"]]
        return {"timeSeries": [_headers(one) for one in series] if _wants_headers() else series}

    return routes


def _asked() -> tuple[float, float]:
    """The interval, in seconds since the epoch of the machine; its last second counts in full.

    Callers write whole seconds, and what happened just now is to be seen.
    """
    end = _time("interval.endTime")
    start = _time("interval.startTime") if "interval.startTime" in request.args else end
    if start > end:
        raise ApiError(Code.INVALID_ARGUMENT, "interval.startTime is after interval.endTime")
    return start, end // 1 + 1


def _time(name: str) -> float:
    text = request.args.get(name, "")
    if not text:
        raise ApiError(Code.INVALID_ARGUMENT, f"{name} is missing: want an RFC 3339 time")
    try:
        return nanoseconds(text) / SECOND
    except ValueError as error:
        raise ApiError(Code.INVALID_ARGUMENT, f"{name}: {error}") from None


def _check_form() -> None:
    if any(name.startswith(("aggregation.", "secondaryAggregation.")) for name in request.args):
        raise ApiError(
            Code.UNIMPLEMENTED, "aggregation: the laptop cloud has the points as they are, no sums"
        )
    if request.args.get("view", "FULL") not in ("FULL", "HEADERS"):
        raise ApiError(Code.INVALID_ARGUMENT, "view: want FULL or HEADERS")


def _wants_headers() -> bool:
    return request.args.get("view") == "HEADERS"


def _headers(series: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in series.items() if name != "points"}
