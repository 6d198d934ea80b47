"""Handlers that tests of the real server put beside ours: each ends a message in its own way."""

import logging
import os
import sys
import threading
import time

from worker import Context, Reject, Retry, feature


@feature("see_attributes")
def see_attributes(context: Context) -> None:
    """Write down which attributes arrived."""
    context.log.info("attributes.seen", attributes=dict(context.message.attributes))


@feature("hold")
def hold(pipe: str, context: Context) -> None:
    """Say that it runs, then wait for one byte from a named pipe."""
    context.log.info("hold.started")
    with open(pipe, "rb", buffering=0) as file:  # noqa: PTH123 - unbuffered: one byte, one handler
        file.read(1)


@feature("hang")
def hang(context: Context) -> None:
    """Never end."""
    context.log.info("hang.started")
    threading.Event().wait()


@feature("one_by_one", concurrency=1)
def one_by_one(pipe: str, context: Context) -> None:
    """As `hold`, and let no other of its kind begin."""
    hold.run(pipe, context)


@feature("take")
def take(seconds: str, context: Context) -> None:
    """Take that many seconds."""
    context.log.info("take.started")
    time.sleep(float(seconds))


@feature("ask_again")
def ask_again(context: Context) -> None:
    """Ask for another delivery."""
    raise Retry("not now")


@feature("never")
def never(context: Context) -> None:
    """Can never succeed."""
    raise Reject("not ever")


@feature("crash")
def crash(context: Context) -> None:
    """Fail with the payload in the exception's text, as careless code does."""
    raise RuntimeError(f"cannot handle {context.description}")


@feature("chatter")
def chatter(context: Context) -> None:
    """Print and log as careless code does: half lines, long lines, several threads."""
    sys.stdout.write("half a line")
    print("a line that is too long for one write " + "x" * 100_000, end="")  # noqa: T201 - is what this handler is for
    logging.getLogger("a.library").warning("from a library", extra={"size": 1})
    context.log.info("chatter.logged")
    print("the end", end="")  # noqa: T201 - as above


@feature("big_entries")
def big_entries(context: Context) -> None:
    """Log more than a pipe takes at once."""
    for size in (10, 3_000, 4_096, 5_000, 20_000, 100_000):
        context.log.info("big.logged", size=size, blob=os.urandom(size).hex()[:size])
        logging.getLogger("a.library").warning("é" * size)
