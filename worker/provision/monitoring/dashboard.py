"""One dashboard: what came in, how it ended, how long it took, what waits, what was given up.

Source: google.monitoring.dashboard.v1.Dashboard.
"""

from typing import Any

from worker.deployment import Deployment
from worker.provision import mark
from worker.provision.monitoring import filters
from worker.provision.monitoring.filters import aggregation, of_log_metric, of_subscription
from worker.provision.monitoring.metrics import OUTCOMES, QUEUE_SECONDS, SECONDS

_COLUMNS = 48  # of the grid
_WIDTH, _HEIGHT = 24, 16
_MINUTE = 60  # seconds
_PERCENTILES = (50, 95, 99)

_Set = tuple[str, str, dict[str, Any]]  # legend, filter, aggregation


def dashboard(deployment: Deployment) -> dict[str, Any]:
    """The dashboard, two charts beside each other."""
    charts = [
        _chart("Outcomes per minute", "STACKED_BAR", "1", _outcomes(deployment)),
        _chart("Handling time", "LINE", "s", _percentiles(deployment, SECONDS)),
        _chart("Queue delay", "LINE", "s", _percentiles(deployment, QUEUE_SECONDS)),
        _chart("Pushes by response class", "STACKED_BAR", "1", _pushes(deployment)),
        _chart("Backlog", "LINE", "1", _waiting(deployment.subscription, deployment.subscription)),
        _chart("Oldest message that is not acked", "LINE", "s", _oldest(deployment)),
        _chart("Dead letters per minute", "STACKED_BAR", "1", _dead_letters(deployment)),
        _chart(
            "Held for a person", "LINE", "1",
            [
                *_waiting("dead letters", deployment.dead_letter_topic),
                *_waiting("quarantine", deployment.quarantine_topic),
            ],
        ),
    ]  # fmt: skip
    return {
        "displayName": f"Feature worker: {deployment.service}",
        "labels": {mark.NAME: ""},  # a dashboard's labels have keys alone
        "mosaicLayout": {"columns": _COLUMNS, "tiles": _tiles(charts)},
    }


def _tiles(charts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    across = _COLUMNS // _WIDTH
    return [
        {
            "xPos": place % across * _WIDTH,
            "yPos": place // across * _HEIGHT,
            "width": _WIDTH,
            "height": _HEIGHT,
            "widget": chart,
        }
        for place, chart in enumerate(charts)
    ]


def _chart(title: str, plot: str, unit: str, sets: list[_Set]) -> dict[str, Any]:
    return {
        "title": title,
        "xyChart": {
            "dataSets": [
                {
                    "plotType": plot,
                    "legendTemplate": legend,
                    "timeSeriesQuery": {
                        "timeSeriesFilter": {"filter": series, "aggregation": how},
                        "unitOverride": unit,
                    },
                }
                for legend, series, how in sets
            ],
            "yAxis": {"scale": "LINEAR"},
        },
    }


def _outcomes(deployment: Deployment) -> list[_Set]:
    how = aggregation(_MINUTE, "ALIGN_DELTA", "REDUCE_SUM", "metric.label.outcome")
    return [("${metric.labels.outcome}", of_log_metric(deployment, OUTCOMES), how)]


def _percentiles(deployment: Deployment, kind: str) -> list[_Set]:
    return [
        (
            f"p{percentile}",
            of_log_metric(deployment, kind),
            aggregation(_MINUTE, "ALIGN_DELTA", f"REDUCE_PERCENTILE_{percentile}"),
        )
        for percentile in _PERCENTILES
    ]


def _pushes(deployment: Deployment) -> list[_Set]:
    how = aggregation(_MINUTE, "ALIGN_DELTA", "REDUCE_SUM", "metric.label.response_class")
    series = of_subscription(deployment.subscription, filters.PUSHES)
    return [("${metric.labels.response_class}", series, how)]


def _waiting(legend: str, subscription: str) -> list[_Set]:
    series = of_subscription(subscription, filters.BACKLOG)
    return [(legend, series, aggregation(_MINUTE, "ALIGN_MEAN"))]


def _oldest(deployment: Deployment) -> list[_Set]:
    series = of_subscription(deployment.subscription, filters.OLDEST)
    return [(deployment.subscription, series, aggregation(_MINUTE, "ALIGN_MAX"))]


def _dead_letters(deployment: Deployment) -> list[_Set]:
    series = of_subscription(deployment.subscription, filters.DEAD_LETTERS)
    return [("forwarded", series, aggregation(_MINUTE, "ALIGN_DELTA", "REDUCE_SUM"))]
