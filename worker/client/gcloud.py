"""The gcloud commands that do the same: quoted so that a shell hands over exactly these words."""

import itertools
import os
from collections.abc import Mapping

from worker.client.text import quote
from worker.message import PubsubMessage


def publish_command(topic: str, content: PubsubMessage) -> str:
    """`gcloud pubsub topics publish` for this message, to the emulator where there is one."""
    command = topic_publish(topic, content)
    return command if command.startswith("#") else " ".join([*_for_the_emulator(), command])


def topic_publish(topic: str, content: PubsubMessage) -> str:
    """`gcloud pubsub topics publish` for this message; a comment where gcloud cannot publish it.

    `topic` is projects/P/topics/T, or T alone for the project that gcloud is set to.
    """
    try:
        message = content.data.decode()
    except UnicodeDecodeError:
        return "# gcloud cannot: the payload is not UTF-8 text"
    if "\0" in message:
        return "# gcloud cannot: no command line holds a NUL character"
    words = [f"gcloud pubsub topics publish {quote(topic.rpartition('/')[2])}"]
    if "/" in topic:
        words.append(f"--project={quote(topic.split('/')[1])}")
    if message:
        words.append(f"--message={quote(message)}")
    if content.attributes:
        words.append(f"--attribute={quote(attribute_flag(content.attributes))}")
    if content.ordering_key:
        words.append(f"--ordering-key={quote(content.ordering_key)}")
    return " ".join(words)


def _for_the_emulator() -> list[str]:
    """Its own variables: it ignores PUBSUB_EMULATOR_HOST and would publish to the real Pub/Sub."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if not emulator:
        return []
    return [
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB={quote(f'http://{emulator}/')}",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true",
    ]


def attribute_flag(attributes: Mapping[str, str]) -> str:
    """The value of gcloud's --attribute, with another delimiter where a comma would be read as one.

    Source: `gcloud topic escaping`.
    """
    pairs = [f"{key}={value}" for key, value in attributes.items()]
    joined = "".join(pairs)
    if "," not in joined and not joined.startswith("^"):
        return ",".join(pairs)
    free = (c for c in map(chr, itertools.count(ord(":"))) if c not in joined and c not in "=^")
    delimiter = next(free)
    return f"^{delimiter}^{delimiter.join(pairs)}"


def logging_read(query: str, project: str) -> str:
    """`gcloud logging read` for the query. It prints [] until the entries have arrived.

    `project` "" is the one that gcloud is set to.
    """
    words = [f"gcloud logging read {quote(query.replace(chr(10), ' AND '))}"]
    if project:
        words.append(f"--project={quote(project)}")
    return " ".join([*words, "--format=json"])
