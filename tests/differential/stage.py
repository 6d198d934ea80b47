"""What a scenario works with: one Pub/Sub, topics of its own, and endpoints that keep pushes."""

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

import requests

from tests.differential.endpoint import Answer, Endpoint, Push, acks
from tests.emulator.support import PubSub
from tests.support.server import WAIT_SECONDS

CONTROL_NACKS = 3


class Stage:
    """`host` is HOST:PORT of either Pub/Sub. What is made here is gone at the end."""

    def __init__(self, host: str) -> None:
        self._root = f"http://{host}/v1/"
        self._made = ExitStack()
        self._endpoints = ExitStack()
        self._controls = count(1)
        self.api = PubSub(host)

    def __enter__(self) -> Self:
        self._made.enter_context(self.api)
        return self

    def __exit__(self, *_: object) -> None:
        """Subscriptions go first: an endpoint that ends would be pushed to in vain."""
        self._made.close()
        self._endpoints.close()

    def endpoint(
        self, answer: Callable[[Push], Answer] = acks, *, listens: bool = True
    ) -> Endpoint:
        made = Endpoint(answer)
        self._endpoints.callback(made.close)
        if listens:
            made.listen()
        return made

    def settle(self) -> None:
        """Return when everything that was nacked before was pushed again.

        Without a retry policy the emulator repeats after a second; ours after the shortest push
        backoff, which doubles. A message that is nacked three times takes far longer than that.
        """
        control = self.endpoint(lambda push: Answer(503 if push.times <= CONTROL_NACKS else 200))
        name = f"control-{next(self._controls)}"
        topic = self.api.topic(name)
        self.api.push(topic, control.url, name)
        self.api.publish(topic, "control")
        control.wait_for(CONTROL_NACKS + 1)

    def reply(
        self, method: str, path: str, body: Any = None, seconds: float = WAIT_SECONDS
    ) -> "Reply":
        """Any answer to a call of the REST API, a refusal included."""
        try:
            answer = requests.request(method, self._root + path, json=body, timeout=seconds)
        except requests.Timeout:
            return Reply(0, {})
        text = answer.text
        return Reply(answer.status_code, json.loads(text) if text.startswith("{") else {})

    def publish(self, topic: str, *messages: Mapping[str, Any], seconds: float = 30.0) -> "Reply":
        """Publish messages as the REST API takes them."""
        return self.reply("POST", f"{topic}:publish", {"messages": list(messages)}, seconds)


@dataclass(frozen=True)
class Reply:
    """`status` is 0 when there was none."""

    status: int
    json: dict[str, Any]

    @property
    def word(self) -> str:
        """What became of the call."""
        if not self.status:
            return "no answer"
        return "taken" if self.status == requests.codes.ok else f"refused: {self.status}"


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def in_short(found: Mapping[Any, str]) -> str:
    """The one thing that is true of all, or what is true of each."""
    values = set(found.values())
    return values.pop() if len(values) == 1 else listed(f"{k}: {v}" for k, v in found.items())


def listed(words: Iterable[str]) -> str:
    return "; ".join(words)
