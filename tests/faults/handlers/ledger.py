"""ledger: writes down every run of it where neither a killed worker nor a killed store reaches.

The store is a file opened for appending. A line is one write: whole or not there at all, whoever
writes beside it, on the disk when the call returns. Nothing that a test breaks is needed for it.
"""

import json
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Literal

from pydantic import Field

from worker import Context, Reject, Requirements, Retry, feature

_PATH = Path(os.environ["LEDGER"])
_FILE = os.open(_PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_DSYNC, 0o644)

End = Literal["done", "retry", "crash", "reject"]


class Work(Requirements):
    """What one run takes, and how it ends."""

    end: End = "done"
    seconds: float = 0.0
    first: End | None = Field(None, description="how the first run ends instead")
    first_seconds: float | None = Field(None, description="how long the first run takes instead")


@feature("ledger")
def ledger(want: Work, context: Context) -> None:
    """Write that it begins, work, write how it ends, and end like that."""
    run, message_id = uuid.uuid4().hex, context.message.id
    end, seconds = want.end, want.seconds
    if (want.first or want.first_seconds is not None) and not _has_run(message_id):
        end, seconds = want.first or end, want.first_seconds or 0.0
    _write(run=run, message_id=message_id, pid=os.getpid())
    time.sleep(seconds)
    _write(run=run, end=end)
    if end == "retry":
        raise Retry("not yet")
    if end == "reject":
        raise Reject("can never succeed")
    if end == "crash":
        raise RuntimeError("the bug of the day")


@feature("hang")
def hang(context: Context) -> None:
    """Never end."""
    _write(run=uuid.uuid4().hex, message_id=context.message.id, pid=os.getpid())
    threading.Event().wait()


def _has_run(message_id: str) -> bool:
    return f'"{message_id}"'.encode() in _PATH.read_bytes()


def _write(**line: str | int) -> None:
    os.write(_FILE, json.dumps(line).encode() + b"\n")
