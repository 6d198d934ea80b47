"""Log-based metrics, counted from the canonical entries. Source: google.logging.v2.LogMetric."""

from typing import Any

from worker.deployment import Deployment

OUTCOMES = "outcomes"
SECONDS = "seconds"
QUEUE_SECONDS = "queue-seconds"


def metric_name(deployment: Deployment, kind: str) -> str:
    """The name of one of them: two services in a project do not share it."""
    return f"{deployment.service}-{kind}"


def metric_type(deployment: Deployment, kind: str) -> str:
    """What Cloud Monitoring calls it."""
    return f"logging.googleapis.com/user/{metric_name(deployment, kind)}"


def log_metrics(deployment: Deployment) -> list[dict[str, Any]]:
    """How pushes ended; how long they took; how long messages waited before they were handled.

    `feature` is a label only where a handler ran: any publisher can write any name, and each would
    be a time series of its own.
    """
    handled = 'NOT jsonPayload.outcome=("rejected" OR "refused")'
    return [
        {
            "name": metric_name(deployment, OUTCOMES),
            "description": "Pushes by outcome: docs/outcomes.md.",
            "filter": _canonical(deployment),
            "metricDescriptor": _descriptor("INT64", "1", ["outcome"]),
            "labelExtractors": _extractors(["outcome"]),
        },
        {
            "name": metric_name(deployment, SECONDS),
            "description": "Seconds from the arrival of a push to its answer.",
            "filter": f"{_canonical(deployment)}\n{handled}",
            "metricDescriptor": _descriptor("DISTRIBUTION", "s", ["feature", "outcome"]),
            "labelExtractors": _extractors(["feature", "outcome"]),
            "valueExtractor": "EXTRACT(jsonPayload.seconds)",
            "bucketOptions": _buckets(scale=0.001, growth=1.25),  # 1 ms to 11 minutes
        },
        {
            "name": metric_name(deployment, QUEUE_SECONDS),
            "description": "Seconds from the publish time to the arrival of a push.",
            "filter": f"{_canonical(deployment)}\njsonPayload.queue_seconds>=0",
            "metricDescriptor": _descriptor("DISTRIBUTION", "s", []),
            "valueExtractor": "EXTRACT(jsonPayload.queue_seconds)",
            "bucketOptions": _buckets(scale=0.01, growth=1.35),  # 10 ms to 7 days
        },
    ]


def _canonical(deployment: Deployment) -> str:
    return (
        'resource.type="cloud_run_revision"\n'
        f'resource.labels.service_name="{deployment.service}"\n'
        'jsonPayload.event="message.processed"'
    )


def _descriptor(value_type: str, unit: str, labels: list[str]) -> dict[str, Any]:
    descriptor: dict[str, Any] = {"metricKind": "DELTA", "valueType": value_type, "unit": unit}
    if labels:
        descriptor["labels"] = [{"key": label, "valueType": "STRING"} for label in labels]
    return descriptor


def _extractors(labels: list[str]) -> dict[str, str]:
    return {label: f"EXTRACT(jsonPayload.{label})" for label in labels}


def _buckets(scale: float, growth: float) -> dict[str, Any]:
    return {"exponentialBuckets": {"numFiniteBuckets": 60, "growthFactor": growth, "scale": scale}}
