"""The laptop cloud's Pub/Sub with push delivery and nothing else, driven from a test."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from google.pubsub_v1 import types

from tests.support.keyserver import private_key
from tests.support.standin import Call, Reply
from worker.local.clock import Clock
from worker.local.pubsub.leases import Leased, PushTarget
from worker.local.pubsub.push.deliveries import Attempt, Deliveries
from worker.local.pubsub.push.faults import Faults, FaultSettings
from worker.local.pubsub.push.pusher import Pusher
from worker.local.pubsub.push.tokens import Tokens
from worker.local.pubsub.service import PubSub
from worker.message import PubsubMessage

WAIT_SECONDS = 30.0  # for anything that must happen; far more than it takes
TOPIC = "projects/demo/topics/features"
DEAD = "projects/demo/topics/dead"
SUBSCRIPTION = "projects/demo/subscriptions/feature-worker"


def target_of(endpoint: str = "http://127.0.0.1:1/", **changed: Any) -> PushTarget:
    """A subscription as push delivery sees it."""
    plain: dict[str, Any] = {
        "subscription": SUBSCRIPTION, "endpoint": endpoint, "ack_deadline_seconds": 10,
        "unwrapped": False, "write_metadata": False, "service_account": "", "audience": "",
        "dead_letter": False, "ordered": False,
    }  # fmt: skip
    return PushTarget(**{**plain, **changed})


def leased(message_id: str = "1", **changed: Any) -> Leased:
    """A message that was handed out."""
    plain: dict[str, Any] = {
        "ack_id": f"ack-{message_id}", "message_id": message_id, "data": b"{}", "attributes": {},
        "ordering_key": "", "publish_time": 1_795_000_000.25, "attempt": 1, "topic": TOPIC,
    }  # fmt: skip
    return Leased(**{**plain, **changed})


def _key() -> bytes:
    """One for all tests: to make one takes a while."""
    return private_key("push").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


class PushCloud:
    """`attempts` has each attempt when it has ended."""

    def __init__(self, folder: Path, clock: Clock | None = None, **settings: Any) -> None:
        self.clock = clock or Clock()
        self.pubsub = PubSub(folder, self.clock)
        self.deliveries = Deliveries(folder)
        (folder / "push-key.pem").write_bytes(_key())
        self.tokens = Tokens(folder)
        self.faults = Faults()
        self.faults.set(FaultSettings(**settings))
        self.attempts: Queue[Attempt] = Queue()
        self.pusher = Pusher(
            self.pubsub, self.deliveries, self.tokens, self.faults, self.attempts.put
        )

    def __enter__(self) -> Self:
        self.pubsub.create_topic(types.Topic.pb()(name=TOPIC))
        self.pubsub.create_topic(types.Topic.pb()(name=DEAD))
        self.pusher.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.pusher.stop()
        self.deliveries.close()
        self.pubsub.close()

    def subscribe(
        self, endpoint: str, name: str = SUBSCRIPTION, push: Any = None, **settings: Any
    ) -> None:
        """A push subscription of TOPIC."""
        config = types.PushConfig(push_endpoint=endpoint, **(push or {}))
        settings = {"ack_deadline_seconds": 10, **settings}
        subscription = types.Subscription(name=name, topic=TOPIC, push_config=config, **settings)
        self.pubsub.create_subscription(types.Subscription.pb(subscription))

    def endpoint(self, endpoint: str) -> None:
        """Have SUBSCRIPTION push there from now on, or not at all."""
        config = types.PushConfig(push_endpoint=endpoint)
        request = types.ModifyPushConfigRequest(subscription=SUBSCRIPTION, push_config=config)
        self.pubsub.modify_push_config(types.ModifyPushConfigRequest.pb(request))

    def publish(self, data: bytes = b"{}", key: str = "", **attributes: str) -> str:
        """Publish to TOPIC: the message's id."""
        return self.pubsub.publish_message(TOPIC, PubsubMessage(data, attributes, key))

    def ended(self, count: int = 1) -> list[Attempt]:
        """The next so many attempts that end."""
        return [self.attempts.get(timeout=WAIT_SECONDS) for _ in range(count)]

    def wait_until_acked(self) -> None:
        """Return when nothing waits any more."""
        with self.pubsub.changed:
            done = self.pubsub.changed.wait_for(
                lambda: not any(self.pubsub.backlog().values()), WAIT_SECONDS
            )
        assert done, self.pubsub.backlog()


class Gate:
    """An endpoint whose requests wait until they are let go."""

    def __init__(self, reply: Callable[[Call], Reply] = lambda _: Reply()) -> None:
        self._reply = reply
        self._open = threading.Event()
        self._arrived = threading.Semaphore(0)

    def __call__(self, call: Call) -> Reply:
        self._arrived.release()
        self._open.wait(WAIT_SECONDS)
        return self._reply(call)

    def wait_for(self, count: int) -> None:
        """Return when so many more have arrived."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=WAIT_SECONDS), "fewer requests than expected"

    def open(self) -> None:
        """Let all of them go, and those to come."""
        self._open.set()


@contextmanager
def opened(gate: Gate) -> Iterator[Gate]:
    """The gate is open at the end, whatever happened."""
    try:
        yield gate
    finally:
        gate.open()
