"""What push delivery needs of Pub/Sub: worker.local.pubsub.service.PubSub has it."""

import threading
from collections.abc import Sequence
from typing import Protocol

from worker.local.clock import Clock
from worker.local.pubsub.leases import Leased, PushTarget


class Broker(Protocol):
    """Hands out messages, and is told what became of them."""

    @property
    def clock(self) -> Clock:
        """The time that leases and backoffs go by."""

    def lease(self, subscription: str, most: int, seconds: float) -> list[Leased]:
        """Messages that may be delivered now."""

    def ack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Never deliver them again."""

    def nack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Deliver them again after their backoff."""

    def release(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Deliver them again; nobody has tried."""

    def extend(self, subscription: str, ack_ids: Sequence[str], seconds: float) -> None:
        """Their leases end so many seconds from now."""

    def next_time(self, subscription: str) -> float | None:
        """When there may be something to lease."""


class PushBroker(Broker, Protocol):
    """Knows besides where messages are pushed, and tells when that may change."""

    @property
    def changed(self) -> threading.Condition:
        """Notified when there may be something to do."""

    def push_targets(self) -> list[PushTarget]:
        """The subscriptions that have a push endpoint."""
