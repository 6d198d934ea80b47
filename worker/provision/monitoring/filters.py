"""Filters and aggregations of time series, as dashboards and alert policies write them."""

from typing import Any

from worker.deployment import Deployment
from worker.provision.monitoring.metrics import metric_type

BACKLOG = "num_undelivered_messages"
OLDEST = "oldest_unacked_message_age"
PUSHES = "push_request_count"
DEAD_LETTERS = "dead_letter_message_count"


def of_log_metric(deployment: Deployment, kind: str, **labels: str) -> str:
    """The series of one of our log-based metrics, of those with these labels."""
    parts = [
        f'metric.type="{metric_type(deployment, kind)}"',
        'resource.type="cloud_run_revision"',
        *(f'metric.labels.{name}="{value}"' for name, value in labels.items()),
    ]
    return " AND ".join(parts)


def of_subscription(subscription: str, metric: str, *conditions: str) -> str:
    """The series of one of Pub/Sub's metrics. Source: Google Cloud metrics, pubsub."""
    parts = [
        f'metric.type="pubsub.googleapis.com/subscription/{metric}"',
        'resource.type="pubsub_subscription"',
        f'resource.labels.subscription_id="{subscription}"',
        *conditions,
    ]
    return " AND ".join(parts)


def aggregation(seconds: int, aligner: str, reducer: str = "", *group: str) -> dict[str, Any]:
    """One point for so many seconds, of each series or of each group."""
    found: dict[str, Any] = {"alignmentPeriod": f"{seconds}s", "perSeriesAligner": aligner}
    if reducer:
        found["crossSeriesReducer"] = reducer
    if group:
        found["groupByFields"] = list(group)
    return found
