"""All reads of a project that the checks need, at the same time as far as they can be."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from worker.claims.firestore import COLLECTION
from worker.config import Settings, SettingsInvalid
from worker.deployment import Deployment
from worker.doctor.live import names
from worker.doctor.live.questions import QUESTIONS
from worker.doctor.live.serving import Serving, serving_revision
from worker.doctor.live.snapshot import Json, Live, Skipped, Unread
from worker.project.apis import FIRESTORE, IAM, MONITORING, PUBSUB, SERVICE_USAGE
from worker.project.policy import Policy
from worker.project.project import Project
from worker.rest import CallFailed

_AT_ONCE = 8
_MINUTES = 30  # of the series: Pub/Sub's are some minutes late
_METRICS = "pubsub.googleapis.com/subscription"
_OURS = ("managed-by", "feature-worker")  # the label of what provision made

Ask = Callable[[], Any]


def gather(project: Project, deployment: Deployment) -> Live:
    """What the project says of itself now. Raises CallFailed when it says nothing at all."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = _ask(pool, _first(project, deployment))
        if all(isinstance(answer, Unread) for answer in answers.values()):
            raise CallFailed(answers["number"].reason, answers["number"].status)
        answers |= _ask(pool, {"serving": lambda: _serving(project, answers["service"])})
        answers |= _ask(pool, _later(project, deployment, answers))
    return Live(**answers)


def _ask(pool: ThreadPoolExecutor, asks: Mapping[str, Ask]) -> dict[str, Any]:
    running = {name: pool.submit(_answer, name, ask) for name, ask in asks.items()}
    return {name: one.result() for name, one in running.items()}


def _answer(name: str, ask: Ask) -> Any:
    try:
        return ask()
    except CallFailed as failed:
        return Unread(QUESTIONS[name], " ".join(str(failed).split()), failed.status)


def _first(project: Project, deployment: Deployment) -> dict[str, Ask]:
    """What deploy.toml alone leads to."""
    subscription = deployment.subscription_name(deployment.subscription)
    service = deployment.service_name
    return {
        "number": project.number,
        "policy": project.policy,
        "enabled": lambda: _enabled(project),
        "topic": lambda: project.topic(deployment.topic_name(deployment.topic)),
        "subscription": lambda: project.subscription(subscription),
        "subscription_policy": lambda: _policy(lambda: project.pubsub_policy(subscription)),
        "subscriptions": lambda: _subscriptions(project),
        "service": lambda: project.service(service),
        "service_policy": lambda: _policy(lambda: project.service_policy(service)),
        "alerts": lambda: _alerts(project),
    }


def _later(project: Project, deployment: Deployment, answers: Mapping[str, Any]) -> dict[str, Ask]:
    """What is known only once the subscription and the service are."""
    subscription, settings = answers["subscription"], _settings(answers, deployment)
    account = names.account_name(names.push_email(subscription, deployment))
    dead = names.dead_letter_topic(subscription, deployment)
    quarantine = names.quarantine_topic(settings, deployment)
    database = names.database(settings, deployment)
    bucket = names.bucket(settings, deployment)
    return {
        "push_account": lambda: project.google.get(IAM, f"v1/{account}"),
        "push_account_policy": lambda: _policy(lambda: project.account_policy(account)),
        "dead_letter_topic": lambda: project.topic(dead) if dead else None,
        "dead_letter_policy": lambda: _topic_policy(project, dead),
        "quarantine_topic": lambda: project.topic(quarantine) if quarantine else None,
        "quarantine_policy": lambda: _topic_policy(project, quarantine),
        "database": lambda: _database(project, database, "") if database else None,
        "ttl": lambda: _database(project, database, _TTL) if database else None,
        "bucket": lambda: project.bucket(bucket) if bucket else None,
        "bucket_policy": lambda: _bucket_policy(project, bucket),
        "held": lambda: _held(project, (dead, quarantine), answers["subscriptions"]),
        "oldest_seconds": lambda: _oldest_seconds(project, deployment.subscription),
        "pushes": lambda: _pushes(project, deployment.subscription),
    }


_TTL = f"/collectionGroups/{COLLECTION}/fields/expires_at"


def _policy(ask: Callable[[], Policy]) -> Policy | None:
    """The policy; None where the resource itself is not there."""
    try:
        return ask()
    except CallFailed as failed:
        if failed.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _topic_policy(project: Project, topic: str) -> Policy | None:
    return _policy(lambda: project.pubsub_policy(topic)) if topic else None


def _bucket_policy(project: Project, bucket: str) -> Policy | None:
    return _policy(lambda: project.bucket_policy(bucket)) if bucket else None


def _enabled(project: Project) -> frozenset[str]:
    path = f"v1/projects/{project.id}/services?filter=state:ENABLED&pageSize=200"
    services = project.google.pages(SERVICE_USAGE, path, "services")
    on = (one for one in services if one.get("state", "ENABLED") == "ENABLED")
    return frozenset(names.short(one.get("name")) for one in on)


def _subscriptions(project: Project) -> list[Json]:
    path = f"v1/projects/{project.id}/subscriptions?pageSize=1000"
    return project.google.pages(PUBSUB, path, "subscriptions")


def _alerts(project: Project) -> list[Json]:
    path = f"v3/projects/{project.id}/alertPolicies?pageSize=500"
    label, value = _OURS
    policies = project.google.pages(MONITORING, path, "alertPolicies")
    return [one for one in policies if one.get("userLabels", {}).get(label) == value]


def _serving(project: Project, service: Any) -> Json | None:
    """The revision that serves, in the form of a template: both have the same fields."""
    if isinstance(service, Unread):
        raise CallFailed(service.reason, service.status)
    if service is None:
        return None
    older = serving_revision(service)
    template: Json = service.get("template", {})
    return project.revision(older) if older else template


def _settings(answers: Mapping[str, Any], deployment: Deployment) -> Settings | None:
    service, serving = answers["service"], answers["serving"]
    if isinstance(serving, Unread) or not service or not serving:
        return None
    try:
        return Serving(service, serving).settings(deployment)
    except (SettingsInvalid, Skipped):
        return None


def _database(project: Project, database: str, path: str) -> Json | None:
    name = f"v1/projects/{project.id}/databases/{quote(database)}{path}"
    return project.google.get(FIRESTORE, name)


def _held(
    project: Project, topics: tuple[str, ...], subscriptions: list[Json] | Unread
) -> dict[str, int]:
    if isinstance(subscriptions, Unread):
        raise CallFailed(subscriptions.reason, subscriptions.status)
    found = {}
    for one in (one for topic in topics if topic for one in names.readers(topic, subscriptions)):
        name = str(one["name"])
        series = _series(project, "num_undelivered_messages", names.short(name))
        found[name] = sum(int(_newest(one)) for one in series)
    return found


def _oldest_seconds(project: Project, subscription: str) -> float:
    series = _series(project, "oldest_unacked_message_age", subscription)
    return max((_newest(one) for one in series), default=0.0)


def _pushes(project: Project, subscription: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in _series(project, "push_request_count", subscription):
        kind = str(one.get("metric", {}).get("labels", {}).get("response_class", ""))
        found[kind] = found.get(kind, 0) + sum(
            int(_value(point)) for point in one.get("points", [])
        )
    return found


def _series(project: Project, metric: str, subscription: str) -> list[Json]:
    return project.series(f"{_METRICS}/{metric}", _MINUTES, subscription_id=subscription)


def _newest(series: Json) -> float:
    points = series.get("points", [])
    return _value(points[0]) if points else 0.0


def _value(point: Json) -> float:
    value = point.get("value", {})
    return float(value.get("int64Value") or value.get("doubleValue") or 0)
