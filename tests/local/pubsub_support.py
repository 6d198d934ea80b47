"""A Pub/Sub of the test's own, whose time stands still until the test moves it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from worker.local.clock import Clock
from worker.local.pubsub import protos
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.service import PubSub
from worker.message import PubsubMessage

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
TOPIC = "projects/demo/topics/features"
DEAD_TOPIC = "projects/demo/topics/features-dead"
SUBSCRIPTION = "projects/demo/subscriptions/feature-worker"
DEAD = "projects/demo/subscriptions/feature-worker-dead"
DEAD_LETTERS = {"dead_letter_topic": DEAD_TOPIC, "max_delivery_attempts": 5}


def stopped_clock(now: float = NOW) -> Clock:
    """Only `advance` moves it."""
    return Clock(machine=lambda: now)


@contextmanager
def opened(folder: Path, clock: Clock | None = None) -> Iterator[PubSub]:
    pubsub = PubSub(folder, clock or stopped_clock())
    try:
        yield pubsub
    finally:
        pubsub.close()


def make_topics(pubsub: PubSub) -> None:
    """Both topics, and a subscription to the dead-letter topic."""
    for name in (TOPIC, DEAD_TOPIC):
        pubsub.create_topic(protos.Topic(name=name))
    subscribe(pubsub, name=DEAD, topic=DEAD_TOPIC)


def subscribe(pubsub: PubSub, **settings: Any) -> Any:
    """The subscription as it was created; `feature-worker` of `features` unless told."""
    settings = {"name": SUBSCRIPTION, "topic": TOPIC} | settings
    return pubsub.create_subscription(protos.Subscription(**settings))


def send(pubsub: PubSub, *data: str, key: str = "", **attributes: str) -> list[str]:
    """Publish each to `features`; the ids."""
    return [
        pubsub.publish_message(TOPIC, PubsubMessage(one.encode(), attributes, key)) for one in data
    ]


def lease(pubsub: PubSub, most: int = 100, subscription: str = SUBSCRIPTION) -> list[Leased]:
    """For 10 seconds."""
    return pubsub.lease(subscription, most, 10.0)


def texts(leased: Iterable[Leased]) -> list[str]:
    return [one.data.decode() for one in leased]


def ack(pubsub: PubSub, leased: Iterable[Leased]) -> None:
    pubsub.ack(SUBSCRIPTION, [one.ack_id for one in leased])


def nack(pubsub: PubSub, leased: Iterable[Leased]) -> None:
    pubsub.nack(SUBSCRIPTION, [one.ack_id for one in leased])
