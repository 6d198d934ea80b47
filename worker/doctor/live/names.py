"""Which resources a deployment uses: as it is set up in the project, else as deploy.toml says."""

from urllib.parse import urlsplit

from worker.config import Settings
from worker.deployment import Deployment, bucket_of
from worker.doctor.live.snapshot import Json, Read, Unread

_DELETED = "_deleted-topic_"  # what Pub/Sub says instead of a topic that was deleted


def push_email(subscription: Read[Json | None], deployment: Deployment) -> str:
    """The account whose token is on each push."""
    if subscription is None or isinstance(subscription, Unread):
        return deployment.email(deployment.push_account)
    email = subscription.get("pushConfig", {}).get("oidcToken", {}).get("serviceAccountEmail")
    return str(email or deployment.email(deployment.push_account))


def account_name(email: str) -> str:
    """`projects/P/serviceAccounts/EMAIL`; the address says its project, or else Google finds it."""
    domain = email.partition("@")[2]
    project = domain.removesuffix(".iam.gserviceaccount.com")
    return f"projects/{project if project != domain else '-'}/serviceAccounts/{email}"


def dead_letter_topic(subscription: Read[Json | None], deployment: Deployment) -> str:
    """`projects/P/topics/T`, "" where the subscription has none or it was deleted."""
    if isinstance(subscription, Unread):
        return deployment.topic_name(deployment.dead_letter_topic)
    topic = (subscription or {}).get("deadLetterPolicy", {}).get("deadLetterTopic", "")
    return "" if topic == _DELETED else str(topic)


def quarantine_topic(settings: Settings | None, deployment: Deployment) -> str:
    """`projects/P/topics/T`, "" where the worker quarantines elsewhere."""
    if settings is None:
        return deployment.topic_name(deployment.quarantine_topic)
    kind, _, topic = settings.quarantine.partition(":")
    return topic if kind == "topic" else ""


def database(settings: Settings | None, deployment: Deployment) -> str:
    """The Firestore database of the claims, "" where they are kept elsewhere."""
    if settings is None:
        return deployment.database
    kind, _, name = settings.claims.partition(":")
    return (name or "(default)") if kind == "firestore" else ""


def bucket(settings: Settings | None, deployment: Deployment) -> str:
    """The bucket of the artifacts, "" where they are kept elsewhere."""
    return deployment.bucket if settings is None else bucket_of(settings.artifacts)


def readers(topic: str, subscriptions: list[Json]) -> list[Json]:
    """The subscriptions of a topic."""
    return [one for one in subscriptions if one.get("topic") == topic]


def host_of(address: object) -> str:
    """HOST or HOST:PORT of an address, "" where it has none; never who it logs in as."""
    try:
        return urlsplit(str(address or "")).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def path_of(address: object) -> str:
    """The path of an address, without what follows it."""
    try:
        return urlsplit(str(address or "")).path
    except ValueError:
        return ""


def push_host(subscription: Json) -> str:
    """Where a subscription pushes to, "" where it does not."""
    return host_of(subscription.get("pushConfig", {}).get("pushEndpoint"))


def service_hosts(service: Json) -> set[str]:
    """The addresses that Cloud Run gave the service."""
    return {host_of(one) for one in (service.get("uri"), *service.get("urls", []))} - {""}


def short(name: object) -> str:
    """The last part of a resource's name."""
    return str(name).rpartition("/")[2]
