"""A worker in this process, with parts that a test can swap and entries that it can read."""

import threading
from collections.abc import Callable
from typing import Any

from worker.testing import EntriesSink as ListSink
from worker.testing import ListQuarantine
from worker.testing import worker_of as make_worker

__all__ = ["WAIT_SECONDS", "ListQuarantine", "ListSink", "in_thread", "make_worker"]

WAIT_SECONDS = 30.0  # for what must happen; far more than it takes


def in_thread(work: Callable[[], Any]) -> threading.Thread:
    """Start `work` on a thread of its own."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
