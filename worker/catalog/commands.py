"""The commands, the query and the link that go with a feature, ready to be copied."""

from dataclasses import dataclass
from pathlib import Path

from worker.catalog.described import Described
from worker.catalog.text import as_json
from worker.client.gcloud import logging_read, topic_publish
from worker.client.logs import logs_link, logs_query
from worker.deployment import Deployment, DeploymentInvalid, read_deployment
from worker.message import PubsubMessage

_CANONICAL = "message.processed"  # the event of the one entry of each push


@dataclass(frozen=True, slots=True)
class Where:
    """The deployment that the commands are for; `project` is "" where it is not known."""

    topic: str = Deployment.model_fields["topic"].default
    service: str = Deployment.model_fields["service"].default
    project: str = ""


def where_of(settings: Path | None = None, project: str | None = None) -> Where:
    """What deploy.toml says, and its defaults; it need not know a project.

    Raises DeploymentInvalid.
    """
    try:
        found = read_deployment(settings, project=project)
    except DeploymentInvalid as error:
        if not error.project_unknown:
            raise
        found = read_deployment(settings, project="unknown")
        return Where(found.topic, found.service)
    return Where(found.topic, found.service, found.project)


def publish_command(one: Described, where: Where) -> str:
    """`gcloud pubsub topics publish` for its first example."""
    data = as_json(one.examples[0], indent=None).encode()
    topic = f"projects/{where.project}/topics/{where.topic}" if where.project else where.topic
    return topic_publish(topic, PubsubMessage(data))


def read_command(one: Described, where: Where) -> str:
    """`gcloud logging read` for how its messages ended."""
    return logging_read(query(one, where), where.project)


def query(one: Described, where: Where) -> str:
    """Logs Explorer's query for how its messages ended."""
    return logs_query(where.service, {"event": _CANONICAL, "feature": one.name}, None)


def link(one: Described, where: Where) -> str:
    """Logs Explorer with that query; without a project it asks which."""
    return logs_link(query(one, where), where.project)
