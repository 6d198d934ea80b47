"""What `smoke` says while it waits: one line that is rewritten, or a line for each stage."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from worker.client.text import printable

_LOOK_SECONDS = 0.2  # between two pictures of the line
_COLUMNS = 79  # of the line: one that wraps cannot be rewritten
_CLEAR = "\r\x1b[K"


class Progress:
    """Says nothing where it is quiet; rewrites a line only on a terminal."""

    def __init__(
        self, stream: TextIO, *, quiet: bool, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = not quiet and stream.isatty()
        self._seconds = seconds
        self._began = seconds()
        self._stage = ""

    def say(self, stage: str) -> None:
        """It goes on with this from now on."""
        self._stage = printable(stage)
        if self._live:
            self._draw()
        elif not self._quiet:
            self._write(f"{self._stage}\n")

    def sleep(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Wait, with a line that moves."""
        while self._live and seconds > _LOOK_SECONDS:
            sleep(_LOOK_SECONDS)
            seconds -= _LOOK_SECONDS
            self._draw()
        sleep(seconds)

    def clear(self) -> None:
        """Leave no line behind."""
        if self._live and self._stage:
            self._write(_CLEAR)

    def _draw(self) -> None:
        line = f"{self._seconds() - self._began:4.0f} s  {self._stage}"
        cut = line if len(line) <= _COLUMNS else f"{line[: _COLUMNS - 1]}…"
        self._write(f"{_CLEAR}{cut}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


@contextmanager
def progress(stream: TextIO, *, quiet: bool) -> Iterator[Progress]:
    """What shows the progress of the block, and is gone after it."""
    shown = Progress(stream, quiet=quiet)
    try:
        yield shown
    finally:
        shown.clear()
