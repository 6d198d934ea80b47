"""Where log entries go: one JSON line each on stdout, which Cloud Run reads."""

import os
import select
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from worker.jsonline import encode

ENTRY_LIMIT = 200 * 1024  # bytes of one line: well under Cloud Logging's 256 KiB an entry
SHARED_LIMIT = 4096  # bytes that a pipe takes whole (PIPE_BUF) when several processes write to it


class Sink(Protocol):
    """Where entries go. Never raises: an entry that has no place to go must not lose a message."""

    def write(self, entry: Mapping[str, Any]) -> None:
        """Take one entry."""

    def batch(self) -> "Batch":
        """A sink for the entries of one push; leaving it delivers what it holds."""


class Batch(Sink, Protocol):
    """The entries of one push."""

    def close(self) -> None:
        """Deliver what is held; return when it is safe."""


class StdoutSink:
    """One line per entry on a file descriptor, written whole under a lock, unbuffered."""

    def __init__(self, descriptor: int = 1, limit: int = ENTRY_LIMIT) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._lock = threading.Lock()

    def write(self, entry: Mapping[str, Any]) -> None:
        """Write the entry as a line; to stderr when the descriptor is closed or full."""
        line = encode(entry, self._limit)
        with self._lock:
            try:
                _write_whole(self._descriptor, line)
            except OSError:
                with suppress(OSError):  # nowhere is left to say it
                    os.write(2, line)

    def batch(self) -> Batch:
        """Lines are written at once, so a batch is this sink itself."""
        return self

    def close(self) -> None:
        """Nothing is held."""


def _write_whole(descriptor: int, line: bytes) -> None:
    while line:
        try:
            line = line[os.write(descriptor, line) :]  # in the usual case all of it at once
        except BlockingIOError:
            select.select([], [descriptor], [])
