"""A subscription of a quarantine or dead-letter topic: messages are pulled and kept on lease.

A message is acked when it is removed. All others are given back at the end; if this process is
killed, they come back by themselves when their lease lapses.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from typing import Protocol, Self

from worker.desk import DeskFailed
from worker.desk.held import Held
from worker.desk.reading import of_received, own_id
from worker.pubsub import Received
from worker.rest import CallFailed

LEASE_SECONDS = 30
RENEW_SECONDS = 10.0
MOST = 1000  # messages at a time, unless the limit says else
_AT_ONCE = 100
_EMPTY_PULLS = 3  # in a row are the end of the backlog: one alone may be empty for no reason
_PAUSE_SECONDS = 0.3  # between these


class Source(Protocol):
    """What the place needs of worker.pubsub.Subscriber. Every method raises CallFailed."""

    def pull(self, most: int) -> list[Received]:
        """Some of what is there."""

    def acknowledge(self, ack_ids: list[str]) -> None:
        """They are done with."""

    def modify_ack_deadline(self, ack_ids: list[str], seconds: int) -> None:
        """Keep them for that long; 0 gives them back."""


class SubscriptionPlace:
    """`name` is projects/P/subscriptions/S. What others hold at the time is not seen.

    A pull is `uninterrupted`: its answer must be known, or nobody can give back what it brought.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        limit: int = MOST,
        *,
        uninterrupted: Callable[[], AbstractContextManager[None]] = nullcontext,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self.cut = False
        self._source = source
        self._limit = limit
        self._uninterrupted = uninterrupted
        self._sleep = sleep
        self._acks: dict[str, str] = {}  # message id -> its newest ack id
        self._copies: dict[str, list[str]] = {}  # Held.id -> the message ids of it
        self._ended = threading.Event()
        self._renewer = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> Self:
        self._renewer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give back what is left; what cannot be given back comes back when its lease lapses."""
        self._ended.set()
        self._renewer.join()
        with suppress(CallFailed):
            self._source.modify_ack_deadline(list(self._acks.values()), 0)

    def messages(self) -> Iterable[Held]:
        """Everything that can be had, copies of the same message as one."""
        pulled = [(of_received(received), received) for received in self._backlog()]
        contents: dict[str, set[bytes]] = {}
        for held, _ in pulled:
            contents.setdefault(held.id, set()).add(held.data)
        found: dict[str, Held] = {}
        for held, received in pulled:
            if len(contents[held.id]) > 1:  # an id for two messages: neither must go for the other
                held = replace(held, id=own_id(received, self.name))  # noqa: PLW2901
            found[held.id] = _newer(found.get(held.id, held), held)
            self._copies.setdefault(held.id, []).append(received.id)
        return found.values()

    def remove(self, held: Held) -> None:
        """Ack every copy of it."""
        copies = self._copies[held.id]
        try:
            self._source.acknowledge([self._acks[one] for one in copies if one in self._acks])
        except CallFailed as failed:
            raise DeskFailed(f"cannot ack in {self.name}: {failed}") from None
        for one in copies:
            self._acks.pop(one, None)

    def count(self, held: Held, replays: int) -> None:
        """A message in Pub/Sub cannot be changed; the copy that the worker quarantines counts."""

    def _backlog(self) -> Iterable[Received]:
        empty = 0
        while not self.cut:
            fresh = self._pull(min(_AT_ONCE, self._limit - len(self._acks)))
            yield from fresh
            empty = 0 if fresh else empty + 1
            if empty == _EMPTY_PULLS:
                return
            if empty:
                self._sleep(_PAUSE_SECONDS)
            self.cut = len(self._acks) >= self._limit

    def _pull(self, most: int) -> list[Received]:
        """Messages that were not there before, on lease from now on."""
        known = set(self._acks)
        try:
            with self._uninterrupted():
                pulled = self._source.pull(most)
                self._acks |= {one.id: one.ack_id for one in pulled}
            self._source.modify_ack_deadline([one.ack_id for one in pulled], LEASE_SECONDS)
        except CallFailed as failed:
            raise DeskFailed(f"cannot pull from {self.name}: {failed}") from None
        return [one for one in {one.id: one for one in pulled}.values() if one.id not in known]

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            with suppress(CallFailed):  # the next time will do, or the messages come again
                self._source.modify_ack_deadline(list(self._acks.values()), LEASE_SECONDS)


def _newer(one: Held, other: Held) -> Held:
    """Of two copies the one that was replayed more often, with the deliveries of both."""
    newer = max(one, other, key=lambda held: held.replays)
    return replace(newer, attempts=max(one.attempts, other.attempts))
