"""SIGKILL at every line of the worker that a delivery executes, each with a message of its own.

`python -m tests.faults.killpoints KIND` delivers message 1, 2 ... of the kind in a process that
kills itself at line 1, 2 ..., and prints the ids of those processes. `killpoints KIND NUMBER`
delivers so many of these messages until each is acked. All is as the environment says, but HTTP.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import worker.claims.redis
import worker.claims.shared  # once for all: what is forked from here has it
from tests.faults import messages
from tests.faults.messages import Kind, Sent, pushed
from worker.build import build
from worker.config import read_settings
from worker.message import Push
from worker.pipeline import Worker, process
from worker.registry import load

_WORKER = f"{Path(worker.__file__).parent}{os.sep}"
_HEADERS = (("content-type", "application/json"),)
_AGAIN_SECONDS = 0.1


class Killer:
    """A trace function: SIGKILL at the line number `at` of those that it sees."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, frame: FrameType, event: str, _: Any) -> "Killer | None":
        if not frame.f_code.co_filename.startswith(_WORKER):
            return None
        if event == "line":
            self._left -= 1
            if not self._left:
                os.kill(os.getpid(), signal.SIGKILL)
        return self


def kill_at_each_line(kind: Kind) -> Iterator[int]:
    """The processes that died, until one was done before it came to its line."""
    load("handlers")  # once for all, as well
    for at in count(1):
        pid = os.fork()
        if not pid:
            _deliver_until(at, pushed(kind, at))
        if not os.waitpid(pid, 0)[1]:
            return
        yield pid


def _deliver_until(line: int, message: Sent) -> None:
    """Deliver it, but die at the line."""
    made, push = _build(), Push(_HEADERS, message.body)
    sys.settrace(Killer(line))
    process(made, push)
    sys.settrace(None)
    os._exit(0)


def deliver_until_acked(sent: list[Sent]) -> None:
    """Deliver them again and again, but for those that were acked."""
    made = _build()
    while sent:
        sent = [one for one in sent if process(made, Push(_HEADERS, one.body)).status != 200]
        time.sleep(_AGAIN_SECONDS if sent else 0)


def _build() -> Worker:
    return build(read_settings(os.environ))


if __name__ == "__main__":
    asked: Kind = getattr(messages, sys.argv[1])
    if number := sys.argv[2:]:
        deliver_until_acked([pushed(asked, at) for at in range(1, int(number[0]) + 1)])
    else:
        sys.stdout.write(f"{list(kill_at_each_line(asked))}\n")
