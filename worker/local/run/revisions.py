"""The revisions of the service since the laptop cloud started: the last one serves, or does not."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

_KEPT = 100  # revisions; in a long day of work each saved file makes one


class State(Enum):
    """How far a revision came."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"
    RETIRED = "retired"  # it served, and was stopped for the next one


@dataclass(frozen=True, slots=True)
class Revision:
    """One start of the worker. Times are seconds since the epoch, of the machine."""

    name: str
    created: float
    environment: Mapping[str, str] = field(default_factory=dict)  # the worker's settings, shown
    concurrency: int = 0  # requests at once; 0: not known before it is ready
    state: State = State.STARTING
    changed: float = 0.0  # when it came to its state
    message: str = ""  # why it failed, and what to do


class Revisions:
    """Safe to share by threads. `now` is the machine's time, in seconds since the epoch."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._all: list[Revision] = []
        self._ended: Callable[[], int | None] = lambda: None
        self._lock = threading.RLock()
        self.url = ""  # of the service, without a slash; that of the last one that was ready

    def begin(self, name: str, environment: Mapping[str, str]) -> None:
        """A new one starts."""
        now = self._now()
        with self._lock:
            self._ended = lambda: None
            self._all.append(Revision(name, now, environment, changed=now))
            del self._all[:-_KEPT]

    def watch(self, ended: Callable[[], int | None]) -> None:
        """How to ask the newest one for its exit code: None while it runs."""
        with self._lock:
            self._ended = ended

    def ready(self, url: str, concurrency: int) -> None:
        """The newest one serves at this address, so many requests at once."""
        with self._lock:
            self.url = url.rstrip("/")
            self._become(State.READY, concurrency=concurrency)

    def retire(self) -> None:
        """The newest one is going to be stopped: its end is none that it came to by itself."""
        with self._lock:
            self._look()
            if self._newest_is(State.READY):
                self._become(State.RETIRED, message="The worker was stopped.")

    def stopped(self, code: int) -> None:
        """It is: with this exit code."""
        with self._lock:
            self._ended = lambda: None
            if self._newest_is(State.STARTING):
                self._become(State.FAILED, message=_ended_before(code))

    def all(self) -> list[Revision]:
        """Newest first."""
        with self._lock:
            self._look()
            return self._all[::-1]

    def _look(self) -> None:
        """Notice that the newest one has ended."""
        code = self._ended()
        if code is None:
            return
        if self._newest_is(State.READY):
            self._become(State.FAILED, message=f"The worker ended by itself, {_code(code)}.")
        elif self._newest_is(State.STARTING):
            self._become(State.FAILED, message=_ended_before(code))

    def _newest_is(self, state: State) -> bool:
        return bool(self._all) and self._all[-1].state is state

    def _become(self, state: State, **others: Any) -> None:
        if self._all:
            changed = replace(self._all[-1], state=state, changed=self._now(), **others)
            self._all[-1] = changed


def _ended_before(code: int) -> str:
    return (
        "The user-provided container failed to start and listen on the port defined by the PORT"
        f" environment variable: the worker ended before it served, {_code(code)}. Its log entries"
        " say why."
    )


def _code(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
