"""Handlers for the emulator tests, beside ours and the probes: one fails, one shows its message."""

from collections import Counter
from typing import Literal

from pydantic import Field

from worker import Context, Reject, Requirements, Retry, feature

_runs: Counter[str] = Counter()


class Failing(Requirements):
    how: Literal["retry", "crash", "reject"]
    times: int = Field(1, description="runs of one message that fail before the next one is done")


@feature("fails_first")
def fails_first(want: Failing, context: Context) -> None:
    """Fail `times` times, then be done."""
    _runs[context.message.id] += 1
    context.log.info("fails_first.run", run=_runs[context.message.id])
    if _runs[context.message.id] > want.times:
        return
    if want.how == "retry":
        raise Retry("not yet")
    if want.how == "reject":
        raise Reject("never")
    raise RuntimeError("the bug of the day")


@feature("shows_message")
def shows_message(context: Context) -> None:
    """Write down what a handler can know of its message."""
    message = context.message
    context.log.info(
        "message.seen",
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
        data=message.data,
        publish_time=message.publish_time,
        id_derived=message.id_derived,
    )
