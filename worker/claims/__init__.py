"""Idempotency: a key is claimed before its message is handled, and done after.

A failed handler gives the key back; marking it first would turn the redelivery into a "duplicate"
and lose the message.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from worker.message import Message
from worker.outcome import Retry

IDEMPOTENCY_ATTRIBUTE = "idempotency_key"


class Claim(NamedTuple):
    """A held key. `token` fences: only the current holder can finish or release the key.

    `version` is the store's own: what it knows the record by. `problem` says why the store does
    not know of the claim, where CLAIMS_ON_ERROR=run lets a message go without.
    """

    key: str
    token: str
    version: str = ""
    problem: str = ""


class StoreFailed(Retry):
    """The store of claims did not answer, or not in time: without it nothing is run.

    The reason is one line: which store and why, without keys, addresses or passwords. `doubtful`
    is what may have been acquired nevertheless: only the answer was lost.
    """

    def __init__(self, reason: str, doubtful: "Claim | None" = None) -> None:
        super().__init__(reason)
        self.doubtful = doubtful

    @property
    def fields(self) -> Mapping[str, Any]:
        """The reason again, under a name that only this has: to filter and to alert on."""
        return {"claims_error": self.reason}


class Claims(Protocol):
    """Keys that are held or done. Each method is atomic and takes a bounded time.

    A key that nobody holds any more can still be finished: that its message was handled stays true.
    What cannot be known or done raises StoreFailed.
    """

    def acquire(self, key: str) -> Claim:
        """Hold the key. Raises Duplicate when it is done, Busy when somebody else holds it."""

    def finish(self, claim: Claim) -> None:
        """Mark the key done, unless somebody else holds it now."""

    def release(self, claim: Claim) -> None:
        """Give the key back, unless somebody else holds it or it is done."""


class OwnClaims(Claims, Protocol):
    """Those of this process."""

    def close(self) -> None:
        """Give back all that is held: this process is about to end. Never raises."""


class Store(Claims, Protocol):
    """Claims on lease: who does not renew them in time loses them to whoever asks next.

    A lease lapses by itself, on the store's clock where it has one.
    """

    def renew(self, claim: Claim) -> Claim | None:
        """The claim with a new lease, None when it was lost."""


def key_of(message: Message, service: str = "") -> str:
    """The key under which deliveries of the same message meet.

    Within a subscription: the publisher's `idempotency_key` attribute, else the message id. The
    same message goes to every subscription of a topic, and each is handled. `service` stands for a
    subscription that the delivery does not name.
    """
    scope = message.subscription or message.source or service
    chosen = message.attributes.get(IDEMPOTENCY_ATTRIBUTE)
    return f"{scope}#key={chosen}" if chosen else f"{scope}#id={message.id}"


class claimed:  # noqa: N801 - read as a verb: with claimed(claims, key)
    """Hold the key while the block runs: done when it returns, given back when it raises.

    A store that fails at the end changes nothing of what the block came to; `fields` tell of it.
    """

    def __init__(self, claims: Claims, key: str) -> None:
        self._claims = claims
        self._key = key
        self.fields: Mapping[str, Any] = {}  # for the canonical entry

    def __enter__(self) -> None:
        self._claim = claim = self._claims.acquire(self._key)
        if claim.problem:
            self.fields = {"unprotected": True, "claims_error": claim.problem}

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        end = self._claims.finish if kind is None else self._claims.release
        try:
            end(self._claim)
        except StoreFailed as failed:
            self.fields = {**self.fields, **failed.fields}
