"""Claims in the memory of one process: for one instance with one worker, and for tests."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from worker.claims import RETENTION_SECONDS, Claim
from worker.outcome import Busy, Duplicate

MAX_KEYS = 100_000


@dataclass(frozen=True, slots=True)
class _Record:
    token: str
    expires: float  # seconds on the clock: end of the lease


class MemoryClaims:
    """At most `max_keys` done keys are remembered, the oldest are forgotten first.

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
        self._max_keys = max_keys
        self._retention = retention_seconds
        self._held: dict[str, _Record] = {}
        # key -> end of its retention, in the order of finishing
        self._done: OrderedDict[str, float] = OrderedDict()
        self._tokens = count(1)
        self._lock = threading.Lock()

    def acquire(self, key: str, lease_seconds: float) -> Claim:
        """Hold the key. Raises Duplicate when it is done, Busy when somebody else holds it."""
        with self._lock:
            now = self._clock()
            self._forget(now)
            if key in self._done:
                raise Duplicate("an earlier delivery of this message was done")
            held = self._held.get(key)
            if held is not None and now < held.expires:
                raise Busy("another delivery of this message is being handled")
            token = str(next(self._tokens))
            self._held[key] = _Record(token, now + lease_seconds)
            return Claim(key, token)

    def finish(self, claim: Claim) -> None:
        """Mark the key done. Does nothing when the claim was lost to another holder."""
        with self._lock:
            if self._drop(claim):
                self._done[claim.key] = self._clock() + self._retention
                if len(self._done) > self._max_keys:
                    self._done.popitem(last=False)

    def release(self, claim: Claim) -> None:
        """Give the key back. Does nothing when the claim was lost to another holder."""
        with self._lock:
            self._drop(claim)

    def _drop(self, claim: Claim) -> bool:
        held = self._held.get(claim.key)
        if held is None or held.token != claim.token:
            return False
        del self._held[claim.key]
        return True

    def _forget(self, now: float) -> None:
        """Drop done keys past their retention: constant work, since they expire in order."""
        while self._done:
            key, expires = next(iter(self._done.items()))
            if now < expires:
                return
            del self._done[key]
