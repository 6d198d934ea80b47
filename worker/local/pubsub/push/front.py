"""Cloud Run's front end: who is let in, and how many at once.

An instance gets no more requests at once than its concurrency.

More wait here, first come, first served, as Cloud Run holds requests while every instance is busy.
Without it slow start would go on until the worker refuses pushes, and good messages would use up
their delivery attempts. Source: Cloud Run, "Maximum concurrent requests per instance".
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from worker.local.pubsub.leases import PushTarget
from worker.local.pubsub.push.wire import Missed, Stopped, address_of

SERVER = "Google Frontend"  # the header `server` of its own answers
# Endpoint, service account, audience of a push -> why it is not let in: a status, and a sentence.
Gate = Callable[[str, str, str], tuple[int, str] | None]


@dataclass
class _Instance:
    most: int
    inside: int = 0
    waiting: deque[threading.Event] = field(default_factory=deque)


class Front:
    """Lets requests through, in any thread. An address without a limit takes as many as come."""

    def __init__(self) -> None:
        self._instances: dict[str, _Instance] = {}
        self._gate: Gate = lambda *_: None
        self._closed = False
        self._lock = threading.Lock()

    def limit(self, url: str, most: int) -> None:
        """At most so many requests at once to whatever listens there. Raises ValueError."""
        if most < 1:
            raise ValueError("want a request at least")
        with self._lock:
            self._instances[address_of(url).authority] = _Instance(most)

    def guard(self, gate: Gate) -> None:
        """Ask before each push whether it is let in; without it everybody is."""
        self._gate = gate

    def refuses(self, target: PushTarget) -> tuple[int, str] | None:
        """Why a push to there is answered by the front end: a status, and a sentence."""
        return self._gate(
            target.endpoint, target.service_account, target.audience or target.endpoint
        )

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._lock:
            self._closed = True
            for instance in self._instances.values():
                for place in instance.waiting:
                    place.set()

    @contextmanager
    def place(self, url: str, seconds: float) -> Iterator[None]:
        """A place at the instance there for the block, waited for so long. Raises NoAnswer."""
        with self._lock:
            instance = self._instances.get(_authority(url))
        if instance is None:
            yield
            return
        self._enter(instance, seconds)
        try:
            yield
        finally:
            self._leave(instance)

    def _enter(self, instance: _Instance, seconds: float) -> None:
        with self._lock:
            if instance.inside < instance.most and not self._closed:
                instance.inside += 1
                return
            place = threading.Event()
            instance.waiting.append(place)
            if self._closed:
                place.set()
        came = place.wait(seconds)
        with self._lock:
            if place not in instance.waiting:  # it was handed on, be it at the last moment
                return
            instance.waiting.remove(place)
        raise (
            Stopped("push delivery was stopped")
            if came
            else Missed(f"every place at the worker was taken for {seconds:g} s")
        )

    def _leave(self, instance: _Instance) -> None:
        """Hand the place on, to whoever has waited longest."""
        with self._lock:
            if instance.waiting and not self._closed:
                instance.waiting.popleft().set()
            else:
                instance.inside -= 1


def _authority(url: str) -> str:
    try:
        return address_of(url).authority
    except ValueError:  # no address: the request will say so
        return ""
