"""Ctrl-C where it does no harm: at once, but not between two steps that belong together."""

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Ctrl-C, SIGTERM and a closed terminal raise KeyboardInterrupt, but not in a `held` block."""

    def __init__(self) -> None:
        self._pending = 0
        self._kept = 0.0  # how many are kept until the block is done
        self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._pending >= self._kept:
            raise KeyboardInterrupt
        self._pending += 1

    @contextmanager
    def held(self, kept: float = math.inf) -> Iterator[None]:
        """Keep an interrupt until the block is done; after `kept` of them, one more ends it."""
        self._kept = kept
        try:
            yield
        finally:
            pending, self._pending, self._kept = self._pending, 0, 0.0
        if pending:
            raise KeyboardInterrupt

    def ignore(self) -> None:
        """From here on nothing interrupts: for the end."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def restore(self) -> None:
        """As it was before."""
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)
