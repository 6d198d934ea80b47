"""Google's clients for Node against the laptop cloud: `make node-clients` installs them."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.differential.endpoint import Endpoint
from tests.support.tools import missing, tool
from worker.local.cloud import Cloud, Plan

NODE = Path(__file__).parent / "node"
SECONDS = 60

pytestmark = pytest.mark.server


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(Plan(tmp_path)) as running:
        running.start()
        yield running


def run(script: str, **environment: str) -> Any:
    """What the script prints."""
    node = tool("node")
    if not (NODE / "node_modules" / "google-gax").is_dir():
        missing("Google's clients for Node are not installed (make node-clients)")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Nobody asks whether this is a machine of Google's.
    offline = {"METADATA_SERVER_DETECTION": "none", "GOOGLE_CLOUD_PROJECT": "demo"}
    done = subprocess.run(
        [node, NODE / script],
        env={**kept, **offline, **environment}, capture_output=True, text=True, timeout=SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_pubsub_client_publishes_pulls_and_is_pushed(cloud: Cloud) -> None:
    with Endpoint() as endpoint:
        said = run(
            "pubsub.mjs", PUBSUB_EMULATOR_HOST=cloud.address.host, ENDPOINT=f"{endpoint.url}/push"
        )
        pushes = endpoint.wait_for(3)

    published = said["published"]
    assert len(set(published)) == 3
    assert {push.message["messageId"] for push in pushes} == set(published)
    assert {push.message["orderingKey"] for push in pushes} == {"one"}
    texts = [one["text"] for one in said["received"]]
    assert texts[:2] == ["first", "second"]
    assert texts[-2:] == ["second", "third"]
    assert dict.fromkeys(one["id"] for one in said["received"]) == dict.fromkeys(published)
    for one in said["received"]:
        assert one["orderingKey"] == "one"
        assert one["attributes"] == {"colour": "blue", "name": "Zoë"}
    names = [f"projects/demo/subscriptions/node-{kind}" for kind in ("pull", "push")]
    assert said["subscriptions"] == names
    assert said["labels"] == {"client": "node"}
    assert said["ackDeadlineSeconds"] == 20
    assert said["missing"] == "5: Resource not found (resource=nowhere)."
    assert "projects/demo/topics/node-topic" not in said["topics"]


def test_the_logging_client_writes_and_reads_with_a_filter(cloud: Cloud) -> None:
    said = run("logging.mjs", GRPC_HOST=cloud.rpc_host)

    (found,) = said["found"]
    assert found["data"] == {"order": 7, "text": "Größe"}
    assert (found["severity"], found["labels"]) == ("ERROR", {"team": "one"})
    assert found["timestamp"] == said["timestamp"]
    assert [one["data"] for one in said["text"]] == ["plain text"]
    assert (said["page"], said["next"]) == (1, True)
    assert said["refused"].startswith("3: ")
    assert "line 1" in said["refused"]
    assert "node-log" in said["logs"]
    assert said["rest"] == []


def test_the_lock_names_no_registry() -> None:
    packages = json.loads((NODE / "package-lock.json").read_text())["packages"]

    assert packages["node_modules/@google-cloud/pubsub"]["integrity"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
