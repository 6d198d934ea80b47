"""The REST API of the Pub/Sub emulator, the real gcloud pointed at it, and what servers log."""

import base64
import itertools
import json
import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from tests.support.emulator import PROJECT
from tests.support.server import WAIT_SECONDS, ServerProcess
from worker.logentry import to_log_entry
from worker.pipeline import CANONICAL_EVENT


@dataclass(frozen=True)
class Gcloud:
    """The real gcloud: no account, a configuration folder of its own, only the emulator."""

    path: str
    host: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "CLOUDSDK_CONFIG": str(self.folder),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{self.host}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_PROJECT": PROJECT,
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        }

    def __call__(self, *arguments: str) -> str:
        """What `gcloud pubsub ARGUMENTS` prints on stdout."""
        done = subprocess.run(
            [self.path, "pubsub", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def publish(self, topic: str, message: str, *options: str) -> str:
        """The message id that `gcloud pubsub topics publish` printed."""
        value = "--format=value(messageIds[0])"
        return self("topics", "publish", topic, f"--message={message}", value, *options)


class PubSub:
    """Topics and subscriptions of one test, with names of their own; gone when it is closed."""

    _numbers = itertools.count(1)

    def __init__(self, host: str) -> None:
        self._url = f"http://{host}/v1/"
        self._prefix = f"test{next(self._numbers)}"
        self._made: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Subscriptions first: what is still nacked must not be pushed into the next test."""
        for name in reversed(self._made):
            requests.delete(self._url + name, timeout=WAIT_SECONDS)

    def call(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer of one call; anything but success fails the test."""
        answer = requests.request(method, self._url + path, json=body, timeout=WAIT_SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())

    def name(self, kind: str, name: str) -> str:
        """A name nobody else uses, projects/demo/KIND/testN-NAME (or a full one as it is).

        What has it is deleted at the end.
        """
        full = name if "/" in name else f"projects/{PROJECT}/{kind}/{self._prefix}-{name}"
        self._made.append(full)
        return full

    def topic(self, name: str = "topic") -> str:
        topic = self.name("topics", name)
        self.call("PUT", topic, {})
        return topic

    def subscription(self, topic: str, name: str, **settings: Any) -> str:
        """A pull subscription, unless `pushConfig` says otherwise."""
        subscription = self.name("subscriptions", name)
        self.call("PUT", subscription, {"topic": topic, **settings})
        return subscription

    def push(self, topic: str, url: str, name: str = "push", **settings: Any) -> str:
        """A push subscription; `settings` are those of the REST API."""
        config = {"pushEndpoint": url, **settings.pop("pushConfig", {})}
        return self.subscription(topic, name, pushConfig=config, **settings)

    def publish(
        self, topic: str, payload: Any, attributes: Mapping[str, str] | None = None, key: str = ""
    ) -> str:
        """Publish (anything but bytes as JSON) and return the message id."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        message = {"data": base64.b64encode(data).decode(), "attributes": dict(attributes or {})}
        if key:
            message["orderingKey"] = key
        answer = self.call("POST", f"{topic}:publish", {"messages": [message]})
        return str(answer["messageIds"][0])

    def pull(self, subscription: str) -> dict[str, Any]:
        """Wait for one message, ack it, and return it with its data decoded."""
        until = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < until:  # each call waits in the emulator
            answer = self.call("POST", f"{subscription}:pull", {"maxMessages": 1})
            for received in answer.get("receivedMessages", []):
                ack = {"ackIds": [received["ackId"]]}
                self.call("POST", f"{subscription}:acknowledge", ack)
                message = dict(received["message"])
                return {**message, "data": base64.b64decode(message.get("data", ""))}
        raise AssertionError(f"nothing arrived on {subscription}")

    def is_empty(self, subscription: str) -> bool:
        """Whether a pull finds nothing now."""
        body = {"maxMessages": 1, "returnImmediately": True}
        return not self.call("POST", f"{subscription}:pull", body).get("receivedMessages")


def wait_past_a_redelivery(pubsub: PubSub, entries: "Entries") -> None:
    """Return when everything that the server has nacked so far was pushed to it again.

    The emulator repeats after 1.0 to 1.1 s. A message published now that is nacked twice is done
    after two such times, and nothing is guessed.
    """
    topic = pubsub.topic("later")
    pubsub.push(topic, entries.server.url, "later")
    entries.wait(pubsub.publish(topic, failing("retry", times=2)), outcome="done")


def failing(how: str, times: int = 1) -> dict[str, Any]:
    """A payload whose handler fails that many times and is done then."""
    return {"feature": "fails_first", "requirements": {"how": how, "times": times}}


class Entries:
    """A server's stdout as Cloud Logging has it: each line read the way Cloud Run reads it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server

    def of(self, message_id: str, event: str = CANONICAL_EVENT) -> list[dict[str, Any]]:
        """The entries of a message so far, in their order."""
        found = [to_log_entry(line) for line in self.server.lines]
        return [
            entry
            for entry in found
            if entry.get("jsonPayload", {}).get("message_id") == message_id
            and entry["jsonPayload"]["event"] == event
        ]

    def outcomes(self, message_id: str) -> list[str]:
        """How the deliveries of a message ended so far."""
        return [entry["jsonPayload"]["outcome"] for entry in self.of(message_id)]

    def wait(self, message_id: str, event: str = CANONICAL_EVENT, **fields: Any) -> dict[str, Any]:
        """Wait for a message's first entry with these payload fields."""
        return self.wait_for(message_id=message_id, event=event, **fields)

    def wait_for(self, **fields: Any) -> dict[str, Any]:
        """Wait for the first entry with these payload fields."""
        found = self.server.wait_for(
            lambda record: all(record.get(k) == v for k, v in fields.items())
        )
        return next(to_log_entry(line) for line in self.server.lines if _is(line, found))


def _is(line: bytes, record: Mapping[str, Any]) -> bool:
    with suppress(ValueError):
        return bool(json.loads(line) == record)
    return False
