"""`python -m worker publish`: publish a message, and say where its result will be seen."""

import json
import os
import re
from datetime import UTC, datetime

import click

from worker.cli import fail
from worker.cli.content import content_options
from worker.client.gcloud import logging_read, publish_command
from worker.client.logs import CLOCK_SKEW, logs_link, logs_query
from worker.client.text import printable
from worker.message import PubsubMessage

# Wider than Google's rules on purpose: the emulator takes the project "demo".
_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{0,61}[a-z0-9]")
_TOPIC = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}")
_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


@click.command("publish", short_help="Publish a message, and say where its result shows.")
@click.argument("topic")
@content_options
@click.option(
    "--project", metavar="ID", help="Project of TOPIC and the logs. [default: GOOGLE_CLOUD_PROJECT]"
)
@click.option(
    "--service",
    metavar="NAME",
    default="feature-worker",
    show_default=True,
    help="The Cloud Run service whose logs will show the result.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    *, topic: str, content: PubsubMessage, project: str | None, service: str, as_json: bool
) -> None:
    """Publish PAYLOAD to TOPIC, a name or projects/P/topics/T, and print where to see the result.

    PAYLOAD is JSON text, - for stdin, or @file. With PUBSUB_EMULATOR_HOST it goes to the emulator,
    else to Pub/Sub with your application-default credentials. Exit code: 0 published, 2 not.

    \b
    Example: python -m worker publish features --project my-project --feature smoke_test
    Example: python -m worker publish projects/my-project/topics/features @payload.json
    Example: PUBSUB_EMULATOR_HOST=127.0.0.1:8085 python -m worker publish features \\
               '{"feature": "smoke_test", "description": "verify logs"}' --project demo
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not _SERVICE.fullmatch(service):
        fail("--service is no Cloud Run service name (want a-z, 0-9 and -)")
    name = full_topic(topic, project)
    logs_project = project or name.split("/")[1]
    since = datetime.now(UTC) - CLOCK_SKEW
    message_id = _publish(name, content)
    query = logs_query(service, {"message_id": message_id}, since)
    found = {
        "message_id": message_id,
        "topic": name,
        "gcloud_publish": publish_command(name, content),
        "logs_query": query,
        "logs_link": logs_link(query, logs_project),
        "gcloud_logging_read": logging_read(query, logs_project),
    }
    click.echo(json.dumps(found, indent=2) if as_json else _for_people(found))


def full_topic(topic: str, project: str | None) -> str:
    """`projects/P/topics/T`, or the end of the command."""
    parts = topic.split("/")
    match parts:
        case ["projects", of_topic, "topics", name]:
            project = project or of_topic
        case [name]:
            of_topic = project = project or os.environ.get("GOOGLE_CLOUD_PROJECT", "")
        case _:
            fail("TOPIC wants a name, or projects/PROJECT/topics/NAME")
    if not of_topic:
        fail("the project is not known: give --project or set GOOGLE_CLOUD_PROJECT")
    if not all(_PROJECT.fullmatch(one) for one in (of_topic, project)):
        fail("the project is no project id (want a-z, then a-z, 0-9 and -)")
    if not _TOPIC.fullmatch(name):
        fail(
            "TOPIC is no topic name (want a letter, then letters, digits and ._~%+-, "
            "3 to 255 in all, not goog...)"
        )
    return f"projects/{of_topic}/topics/{name}"


def _publish(topic: str, content: PubsubMessage) -> str:
    from worker.pubsub import Publisher, PublishFailed

    try:
        return Publisher().publish(topic, content)
    except PublishFailed as error:
        fail(printable(str(error)))


def _for_people(found: dict[str, str]) -> str:
    emulated = os.environ.get("PUBSUB_EMULATOR_HOST")
    where = "On Cloud Run, Logs Explorer shows" if emulated else "Logs Explorer shows"
    query = found["logs_query"].replace("\n", "\n  ")
    return f"""\
published {printable(found["message_id"])} to {found["topic"]}

The same with gcloud:
  {found["gcloud_publish"]}

{where} the result with this query:
  {query}

as a link:
  {found["logs_link"]}

and in a terminal:
  {found["gcloud_logging_read"]}"""
