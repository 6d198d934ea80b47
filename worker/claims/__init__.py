"""Idempotency: a key is claimed before its message is handled, and done after.

A failed handler gives the key back; marking it first would turn the redelivery into a "duplicate"
and lose the message.
"""

from typing import NamedTuple, Protocol

from worker.message import Message

LEASE_SECONDS = 660.0  # the longest ack deadline (600 s) and a margin
RETENTION_SECONDS = 7 * 24 * 3600.0  # a subscription keeps a message that long at most

IDEMPOTENCY_ATTRIBUTE = "idempotency_key"


class Claim(NamedTuple):
    """A held key. `token` fences: only the current holder can finish or release the key."""

    key: str
    token: str


class Claims(Protocol):
    """A store of keys. Every method is atomic; a lease lapses by itself after `lease_seconds`."""

    def acquire(self, key: str, lease_seconds: float) -> Claim:
        """Hold the key. Raises Duplicate when it is done, Busy when somebody else holds it."""

    def finish(self, claim: Claim) -> None:
        """Mark the key done. Does nothing when the claim was lost to another holder."""

    def release(self, claim: Claim) -> None:
        """Give the key back. Does nothing when the claim was lost to another holder."""


def key_of(message: Message) -> str:
    """The key under which deliveries of the same message meet.

    Within a subscription: the publisher's `idempotency_key` attribute, else the message id. The
    same message goes to every subscription of a topic, and each is handled.
    """
    scope = message.subscription or message.source
    chosen = message.attributes.get(IDEMPOTENCY_ATTRIBUTE)
    return f"{scope}#key={chosen}" if chosen else f"{scope}#id={message.id}"


class claimed:  # noqa: N801 - read as a verb: with claimed(claims, key)
    """Hold the key while the block runs: done when it returns, given back when it raises."""

    def __init__(self, claims: Claims, key: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self._claims = claims
        self._key = key
        self._lease = lease_seconds

    def __enter__(self) -> None:
        self._claim = self._claims.acquire(self._key, self._lease)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._claims.finish(self._claim)
        else:
            self._claims.release(self._claim)
