"""Claims in the memory of one process: for one instance with one worker, and for tests."""

import threading
import time
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from worker.claims import RETENTION_SECONDS, Claim
from worker.claims.ring import Ring, digest_of
from worker.outcome import Busy, Duplicate

MAX_KEYS = 100_000


class _Held(NamedTuple):
    token: str
    expiry: float  # seconds on the clock: end of the lease
    digest: bytes


class MemoryClaims:
    """At most `max_keys` (1 or more) done keys are remembered, the oldest are forgotten first.

    Keys that are held are bounded by the handler threads; none is forgotten before its lease ends.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_keys: int = MAX_KEYS,
        retention_seconds: float = RETENTION_SECONDS,
    ) -> None:
        self._clock = clock
        self._retention = retention_seconds
        self._held: dict[str, _Held] = {}
        self._done = Ring(max_keys)  # the same retention for all: they expire as they were done
        self._tokens = count(1)
        self._lock = threading.Lock()

    def acquire(self, key: str, lease_seconds: float) -> Claim:
        """Hold the key. Raises Duplicate when it is done, Busy when somebody else holds it."""
        digest = digest_of(key)
        with self._lock:
            now = self._clock()
            if self._done.holds(digest, now):
                raise Duplicate("an earlier delivery of this message was done")
            held = self._held.get(key)
            if held is not None and now < held.expiry:
                raise Busy("another delivery of this message is being handled")
            token = str(next(self._tokens))
            self._held[key] = _Held(token, now + lease_seconds, digest)
            return Claim(key, token)

    def finish(self, claim: Claim) -> None:
        """Mark the key done. Does nothing when the claim was lost to another holder."""
        with self._lock:
            held = self._drop(claim)
            if held is not None:
                self._done.add(held.digest, self._clock() + self._retention)

    def release(self, claim: Claim) -> None:
        """Give the key back. Does nothing when the claim was lost to another holder."""
        with self._lock:
            self._drop(claim)

    def _drop(self, claim: Claim) -> _Held | None:
        held = self._held.get(claim.key)
        if held is None or held.token != claim.token:
            return None
        return self._held.pop(claim.key)
