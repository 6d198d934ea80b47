"""A worker's lines on their way to the terminal, which must hold up neither worker nor log."""

import _thread
import threading
import time
from collections import deque

from worker.cli.console import Terminal

_MOST = 200  # lines that wait; nobody reads more than that at once
_PAUSE_SECONDS = 1.0  # of a flood, between two screens of it: the processor has more to do


class Showing:
    """Shows lines in a thread of its own. Of a flood it shows a part: the log has all of it."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._waiting: deque[tuple[bytes, str]] = deque()
        self._left_out = 0
        self._busy = False
        self._changed = threading.Condition()
        threading.Thread(target=self._run, name="terminal", daemon=True).start()

    def line(self, line: bytes, stream: str) -> None:
        """Show it soon: a line of the worker's "stdout" or "stderr"."""
        with self._changed:
            if len(self._waiting) < _MOST:
                self._waiting.append((line, stream))
            else:
                self._left_out += 1
            self._changed.notify_all()

    def say(self, text: str = "", style: str = "") -> None:
        """A line of our own, after all lines that came before it. Raises BrokenPipeError."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._waiting or self._left_out or self._busy))
        self._terminal.say(text, style)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._waiting or self._left_out)
                self._busy = True
                lines = list(self._waiting)
                left_out, self._left_out = self._left_out, 0
                self._waiting.clear()
            try:
                self._show(lines, left_out)
            except OSError:  # nobody reads our own output any more: | head
                _thread.interrupt_main()
            if left_out:
                time.sleep(_PAUSE_SECONDS)

    def _show(self, lines: list[tuple[bytes, str]], left_out: int) -> None:
        for line, stream in lines:
            if stream == "stdout":
                self._terminal.line(line)
            else:
                self._terminal.error_line(line)
        if left_out:
            self._terminal.say(f"({left_out} more lines: the page has all of them)", "dim")
