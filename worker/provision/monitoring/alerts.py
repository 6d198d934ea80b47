"""Alert policies: few, each with what to do. Source: google.monitoring.v3.AlertPolicy."""

from dataclasses import dataclass
from typing import Any

from worker.deployment import Deployment
from worker.provision import mark
from worker.provision.monitoring import filters
from worker.provision.monitoring.filters import aggregation, of_log_metric, of_subscription
from worker.provision.monitoring.metrics import OUTCOMES

_WINDOW_SECONDS = 300
_LATE_SECONDS = 600  # the longest that a message can be in its handler: the highest ack deadline
_FAILED_SHARE = 0.1  # of the pushes
_AUTO_CLOSE = "1800s"  # the shortest that there is
_FAILURES = "remote_server_4xx|remote_server_5xx|unreachable|invalid|deadline_exceeded"


@dataclass(frozen=True, slots=True)
class Alert:
    """`key` is its name in docs/runbook.md; `text` is what a person reads first, in Markdown."""

    key: str
    title: str
    severity: str
    text: str
    threshold: dict[str, Any]


def alert_policies(deployment: Deployment) -> list[dict[str, Any]]:
    """The policies, without the channels that say whom they tell."""
    return [_policy(deployment, alert) for alert in alerts(deployment)]


def alerts(deployment: Deployment) -> list[Alert]:
    """What is worth waking somebody: each has a section in docs/runbook.md."""
    held = f"projects/{deployment.project}/subscriptions"
    return [
        Alert(
            "crashes", "handlers crash", "ERROR",
            "A handler raised an unexpected exception. Its messages come again, and become dead "
            f"letters after {deployment.max_delivery_attempts} attempts. Open Error Reporting, "
            "mend the bug, deploy.",
            _more_than_none(of_log_metric(deployment, OUTCOMES, outcome="crashed")),
        ),
        Alert(
            "quarantine-growing", "messages are rejected", "WARNING",
            "Messages that can never succeed were quarantined and acked. "
            f"`python -m worker quarantine list --from {held}/{deployment.quarantine_topic}` "
            "shows them and why.",
            _more_than_none(of_log_metric(deployment, OUTCOMES, outcome="rejected")),
        ),
        Alert(
            "dead-letters", "messages become dead letters", "ERROR",
            f"Pub/Sub gave messages up after {deployment.max_delivery_attempts} attempts. "
            f"`python -m worker quarantine list --from {held}/{deployment.dead_letter_topic}` "
            "shows them.",
            _more_than_none(of_subscription(deployment.subscription, filters.DEAD_LETTERS)),
        ),
        Alert(
            "oldest-unacked", "messages wait too long", "ERROR",
            f"A message waits since more than {_LATE_SECONDS} seconds. `python -m worker smoke` "
            "says what is broken.",
            _late(deployment),
        ),
        Alert(
            "push-errors", "pushes fail", "ERROR",
            f"More than {_FAILED_SHARE:.0%} of the pushes were not acked: refused, failed, or not "
            "answered. `python -m worker smoke` says what is broken.",
            _failing(deployment),
        ),
    ]  # fmt: skip


def _policy(deployment: Deployment, alert: Alert) -> dict[str, Any]:
    name = f"{deployment.service}: {alert.title}"
    return {
        "displayName": name,
        "documentation": {
            "content": f'{alert.text}\n\nWhat to do: docs/runbook.md, "{alert.key}".',
            "mimeType": "text/markdown",
        },
        "userLabels": {**mark.LABELS, "alert": alert.key},
        "conditions": [{"displayName": name, "conditionThreshold": alert.threshold}],
        "combiner": "OR",
        "enabled": True,
        "severity": alert.severity,
        "alertStrategy": {"autoClose": _AUTO_CLOSE},
    }


def _threshold(series: str, value: float, how: dict[str, Any], seconds: int = 0) -> dict[str, Any]:
    return {
        "filter": series,
        "aggregations": [how],
        "comparison": "COMPARISON_GT",
        "thresholdValue": value,
        "duration": f"{seconds}s",
        "trigger": {"count": 1},
    }


def _more_than_none(series: str) -> dict[str, Any]:
    return _threshold(series, 0, aggregation(_WINDOW_SECONDS, "ALIGN_DELTA", "REDUCE_SUM"))


def _late(deployment: Deployment) -> dict[str, Any]:
    series = of_subscription(deployment.subscription, filters.OLDEST)
    return _threshold(series, _LATE_SECONDS, aggregation(60, "ALIGN_MAX"), _WINDOW_SECONDS)


def _failing(deployment: Deployment) -> dict[str, Any]:
    failures = f'metric.labels.response_class=monitoring.regex.full_match("{_FAILURES}")'
    how = aggregation(_WINDOW_SECONDS, "ALIGN_DELTA", "REDUCE_SUM")
    share = _threshold(
        of_subscription(deployment.subscription, filters.PUSHES, failures),
        _FAILED_SHARE, how, _WINDOW_SECONDS,
    )  # fmt: skip
    return share | {
        "denominatorFilter": of_subscription(deployment.subscription, filters.PUSHES),
        "denominatorAggregations": [how],
    }
