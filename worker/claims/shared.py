"""Claims in a store that processes share: kept alive here, and safe while the store is not.

Each key is claimed twice: in the memory of this process, which costs nothing and always answers,
and then in the store. A thread renews what is held for long, and repeats what could not be told.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

from worker.claims import Claim, Store, StoreFailed
from worker.claims.circuit import RETRY_SECONDS, Circuit
from worker.claims.memory import MemoryClaims
from worker.outcome import Busy, Draining, Duplicate

MAX_UNTOLD = 10_000  # with CLAIMS_ON_ERROR=run the store may be away for long
_ROUNDS = 12  # in the time of a lease: how often the keeper looks at what is held
_RENEW_AFTER = 4  # of these

Given = TypeVar("Given")
Got = TypeVar("Got")
Tell = Callable[[Claim], None]

_log = logging.getLogger(__name__)


class _Held:
    """A key that this process holds. Who talks to the store about it has the lock."""

    def __init__(self, near: Claim, far: Claim) -> None:
        self.near = near
        self.far = far
        self.rounds = 0  # since it was acquired or renewed
        self.ended = False
        self.lock = threading.Lock()


class _Untold(NamedTuple):
    """What the store has to be told as soon as it answers."""

    tell: Tell
    claim: Claim


class SharedClaims:
    """The claims of one process in `store`; `near` are the same ones in its memory.

    While the store fails, nothing is run (StoreFailed), unless `run_on_error`: then a key is held
    in this process only, and the claim says why.
    """

    def __init__(
        self,
        store: Store,
        near: MemoryClaims,
        lease_seconds: float,
        *,
        run_on_error: bool = False,
        circuit: Circuit | None = None,
    ) -> None:
        self._store = store
        self._near = near
        self._run_on_error = run_on_error
        self._circuit = circuit or Circuit()
        self._held: dict[str, _Held] = {}
        self._untold: dict[str, _Untold] = {}
        self._closed = threading.Event()
        self._round_seconds = lease_seconds / _ROUNDS
        threading.Thread(target=self._keep, name="claims", daemon=True).start()

    def acquire(self, key: str) -> Claim:
        """Hold the key. Raises Duplicate, Busy or StoreFailed, and Draining once it was closed."""
        near = self._near.acquire(key)
        try:
            far = self._acquire_far(key)
        except Duplicate:
            self._near.finish(near)  # the next time the store need not be asked
            raise
        except BaseException:
            self._near.release(near)
            raise
        self._held[key] = _Held(near, far)
        if self._closed.is_set():  # meanwhile: it would not be given back any more
            with suppress(StoreFailed):
                self.release(far)
            raise Draining("this instance is shutting down")
        return far

    def finish(self, claim: Claim) -> None:
        """Mark the key done, unless somebody else holds it now.

        Raises StoreFailed when the store does not know of it yet: it is told when it answers.
        """
        self._end(claim, self._near.finish, self._store.finish)

    def release(self, claim: Claim) -> None:
        """Give the key back, unless somebody else holds it or it is done. As `finish`."""
        self._end(claim, self._near.release, self._store.release)

    def close(self) -> None:
        """Give back all that is held, so that no other process has to wait for the leases."""
        self._closed.set()
        for held in list(self._held.values()):
            with held.lock, suppress(StoreFailed):
                if not held.ended:
                    self._ask(self._store.release, held.far)
        self._tell_what_is_untold()

    def _acquire_far(self, key: str) -> Claim:
        try:
            return self._ask(self._store.acquire, key)
        except StoreFailed as failed:
            if failed.doubtful:
                self._tell_later(self._store.release, failed.doubtful)
            if not self._run_on_error:
                raise
            return Claim(key, token="", problem=failed.reason)

    def _end(self, claim: Claim, near: Tell, far: Tell) -> None:
        held = self._held.pop(claim.key)
        with held.lock:
            held.ended = True
            try:
                self._ask(far, held.far)
            except StoreFailed:
                self._tell_later(far, held.far)
                raise
            finally:
                near(held.near)

    def _ask(self, call: Callable[[Given], Got], given: Given) -> Got:
        """Call the store. Raises what it raises; StoreFailed at once while it is known to fail."""
        if not self._circuit.lets_through():
            raise StoreFailed("the store of claims failed several times, it is not asked just now")
        try:
            got = call(given)
        except StoreFailed as failed:
            if self._circuit.failed():
                text = "%s; it is tried every %g s until it answers"
                _log.warning(text, failed.reason, RETRY_SECONDS)
            raise
        except (Busy, Duplicate):
            self._answered()
            raise
        self._answered()
        return got

    def _answered(self) -> None:
        if self._circuit.worked():
            _log.warning("the store of claims answers again")

    def _tell_later(self, tell: Tell, claim: Claim) -> None:
        self._untold[claim.key] = _Untold(tell, claim)
        if len(self._untold) > MAX_UNTOLD:
            self._untold.pop(next(iter(self._untold)), None)

    # The keeper's thread:

    def _keep(self) -> None:
        while not self._closed.wait(self._round_seconds):
            self._look()

    def _look(self) -> None:
        for held in list(self._held.values()):
            held.rounds += 1
            if held.rounds >= _RENEW_AFTER and not held.far.problem:
                self._renew(held)
        self._tell_what_is_untold()

    def _renew(self, held: _Held) -> None:
        with held.lock, suppress(StoreFailed):
            if held.ended:
                return
            renewed = self._ask(self._store.renew, held.far)
            held.rounds = 0
            if renewed is None:
                held.rounds = -(10**9)  # never again
                _log.warning("a claim was lost: its handler may run a second time elsewhere")
            else:
                held.far = renewed

    def _tell_what_is_untold(self) -> None:
        for key, untold in list(self._untold.items()):
            try:
                self._ask(untold.tell, untold.claim)
            except StoreFailed:
                return
            if self._untold.get(key) is untold:
                del self._untold[key]
