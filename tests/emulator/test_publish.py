"""`python -m worker publish`: its message is handled, and the gcloud command it prints is true."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.support import Entries, Gcloud, PubSub
from tests.support.emulator import PROJECT
from tests.support.server import ROOT, WAIT_SECONDS, ServerProcess

pytestmark = pytest.mark.emulator

PAYLOAD = '{"feature": "shows_message", "description": "it\'s \\"quoted\\", $HOME, größe"}'
ATTRIBUTES = {"source": "backend", "list": "a,b", "größe": "'ü' $HOME"}


def publish(gcloud: Gcloud, *arguments: str) -> str:
    """What the command prints. Neither this shell's settings nor its account take part."""
    done = subprocess.run(
        [sys.executable, "-m", "worker", "publish", *arguments],
        env={"PATH": gcloud.environment["PATH"], "PUBSUB_EMULATOR_HOST": gcloud.host},
        cwd=ROOT, capture_output=True, encoding="utf-8", timeout=WAIT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def seen(entries: Entries, message_id: str) -> dict[str, Any]:
    """What the handler saw of the message."""
    entries.wait(message_id, outcome="done")
    (entry,) = entries.of(message_id, "message.seen")
    payload = entry["jsonPayload"]
    return {name: payload[name] for name in ("data", "attributes")}


def test_a_published_message_is_handled_and_the_printed_gcloud_command_publishes_the_same(
    pubsub: PubSub, gcloud: Gcloud, server: ServerProcess, entries: Entries, tmp_path: Path
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    attributes = [f"--attribute={key}={value}" for key, value in ATTRIBUTES.items()]
    printed = json.loads(publish(gcloud, topic, PAYLOAD, *attributes, "--json"))
    assert seen(entries, printed["message_id"]) == {"data": PAYLOAD, "attributes": ATTRIBUTES}

    # In a bare shell, as a reader pastes it: the command itself points gcloud to the emulator.
    bare = {"PATH": gcloud.environment["PATH"], "CLOUDSDK_CONFIG": str(tmp_path), "LANG": "C.UTF-8"}
    pasted = subprocess.run(
        ["bash", "-c", printed["gcloud_publish"] + " --format='value(messageIds[0])'"],
        env=bare, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False,
    )  # fmt: skip
    assert pasted.returncode == 0, pasted.stderr
    again = pasted.stdout.strip()
    assert again != printed["message_id"]
    assert seen(entries, again) == {"data": PAYLOAD, "attributes": ATTRIBUTES}


def test_what_publish_prints_for_people_names_the_message(
    pubsub: PubSub, gcloud: Gcloud, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    name = topic.rpartition("/")[2]
    text = publish(gcloud, name, "--project", PROJECT, "--feature", "smoke_test")
    first, *rest = text.splitlines()
    published, message_id, *where = first.split()
    assert (published, where) == ("published", ["to", topic])
    assert entries.wait(message_id)["jsonPayload"]["outcome"] == "done"
    assert any(f'jsonPayload.message_id="{message_id}"' in line for line in rest)
