"""Numbers that never come twice, and the ack ids that are made of them."""

import struct
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import NamedTuple

_ACK_ID = struct.Struct(">IQQ")
_MICROSECONDS = 1_000_000


class Ids:
    """Increasing numbers of 16 digits, as message ids have. Safe to share by threads.

    They begin with the machine's time in microseconds, so they do not begin anew with an empty
    folder either: a worker that remembers what it has done would take new messages for old ones.
    """

    def __init__(self, last: int = 0, *, machine: Callable[[], float] = time.time) -> None:
        self._last = last
        self._machine = machine
        self._lock = threading.Lock()

    def next(self) -> int:
        """Greater than any before."""
        with self._lock:
            self._last = max(self._last + 1, int(self._machine() * _MICROSECONDS))
            return self._last


class AckId(NamedTuple):
    """Which lease of which message in which subscription: numbers of this state's tables."""

    subscription: int
    message: int
    lease: int

    def __str__(self) -> str:
        return urlsafe_b64encode(_ACK_ID.pack(*self)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "AckId":
        """The inverse of `str`. Raises ValueError."""
        try:
            packed = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            found = cls(*_ACK_ID.unpack(packed))
        except (struct.error, UnicodeEncodeError):
            raise ValueError("no ack id") from None
        if str(found) != text:
            raise ValueError("no ack id")
        return found
