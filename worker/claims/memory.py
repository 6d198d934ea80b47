"""Claims in the memory of one process: for one instance with one worker, and for tests."""

import math
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from worker.claims import Claim
from worker.claims.ring import Ring, digest_of
from worker.config import RETENTION_SECONDS
from worker.outcome import Busy, Duplicate

MAX_KEYS = 100_000


class _Held(NamedTuple):
    token: str
    expiry: float  # seconds on the clock: end of the lease
    digest: bytes


class MemoryClaims:
    """At most `max_keys` (1 or more) done keys are remembered, the oldest are forgotten first.

    Keys that are held are bounded by the handler threads; none is forgotten before its lease ends.
    A lease need not end: who holds a key here dies together with this memory.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_keys: int = MAX_KEYS,
        lease_seconds: float = math.inf,
        retention_seconds: float = RETENTION_SECONDS,
    ) -> None:
        self._clock = clock
        self._lease = lease_seconds
        self._retention = retention_seconds
        self._held: dict[str, _Held] = {}
        self._done = Ring(max_keys)  # the same retention for all: they expire as they were done
        self._tokens = count(1)
        self._lock = threading.Lock()

    def acquire(self, key: str) -> Claim:
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
            self._held[key] = _Held(token, now + self._lease, digest)
            return Claim(key, token)

    def renew(self, claim: Claim) -> Claim | None:
        """The claim with a new lease, None when it was lost."""
        with self._lock:
            held = self._held.get(claim.key)
            if held is None or held.token != claim.token:
                return None
            self._held[claim.key] = held._replace(expiry=self._clock() + self._lease)
            return claim

    def finish(self, claim: Claim) -> None:
        """Mark the key done, unless somebody else holds it now."""
        with self._lock:
            held = self._held.get(claim.key)
            if held is not None and held.token != claim.token:
                return
            now, digest = self._clock(), held.digest if held else digest_of(claim.key)
            if held or not self._done.holds(digest, now):
                self._held.pop(claim.key, None)
                self._done.add(digest, now + self._retention)

    def release(self, claim: Claim) -> None:
        """Give the key back, unless somebody else holds it or it is done."""
        with self._lock:
            held = self._held.get(claim.key)
            if held is not None and held.token == claim.token:
                del self._held[claim.key]

    def close(self) -> None:
        """Nothing has to be given back: nobody else knows of it."""
