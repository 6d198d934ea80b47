"""Every way a message can end, and the exceptions that choose one.

An exception says what happens to the message:

    Stop
    ├── Reject            can never succeed: quarantined, then acked
    │   ├── BadEnvelope   the request is not a push we can read
    │   ├── BadPayload    the message is not a feature payload
    │   └── UnknownFeature
    ├── Retry             may succeed later: nacked, Pub/Sub delivers again
    ├── Duplicate         already handled: acked, nothing run
    ├── Busy              another delivery of it is being handled: nacked
    ├── TimedOut          the time of this push is used up: nacked
    ├── Refused           not our subscription, or not a push at all: nothing read, nothing told
    ├── Overloaded        no handler thread is free: nacked at once
    └── Draining          this instance is shutting down: nacked

Anything else that a handler raises is a crash: nacked, with the stack trace in the log.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

NOTICE = 25  # Cloud Logging has a level between INFO and WARNING, the standard library has not.


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table: what a push ends as, and what follows from it.

    The first of `statuses` is the usual answer. Only 200 and 204 ack with the real service and
    with its emulator alike, so 200 is the only ack used here.
    """

    name: str
    statuses: tuple[int, ...]
    level: int  # logging level number of the canonical entry
    message: str  # what happens to the message
    operator: str  # what the person on call should do

    @property
    def status(self) -> int:
        """HTTP status of the usual answer."""
        return self.statuses[0]


DONE = Outcome(
    "done",
    (200,),
    logging.INFO,
    "Acked: its handler returned.",
    "Nothing.",
)
DUPLICATE = Outcome(
    "duplicate",
    (200,),
    logging.INFO,
    "Acked without running: an earlier delivery of the same key was done.",
    "Nothing. If there are many: handlers finish after the ack deadline, or the publisher "
    "repeats an idempotency_key.",
)
REJECTED = Outcome(
    "rejected",
    (200, 500),
    logging.WARNING,
    "Quarantined with its bytes and the reason, then acked (200). "
    "If it could not be quarantined: nacked (500).",
    "Read the reason, mend the publisher or the handler, then replay the message: "
    "python -m worker quarantine.",
)
RETRY = Outcome(
    "retry",
    (503,),
    logging.WARNING,
    "Nacked: the handler asked for another delivery, or the store of claims cannot be used.",
    "Look at what the handler waits for, if it goes on. With claims_error: at the store.",
)
BUSY = Outcome(
    "busy",
    (503,),
    NOTICE,
    "Nacked: another delivery of the same key is being handled.",
    "Nothing. Often: raise the subscription's ack deadline and ACK_DEADLINE_SECONDS.",
)
TIMED_OUT = Outcome(
    "timed_out",
    (504,),
    logging.ERROR,
    "Nacked before the ack deadline. A handler that still runs keeps its claim: "
    "if it finishes, the next delivery is a duplicate.",
    "Make the handler faster, or raise the subscription's ack deadline and ACK_DEADLINE_SECONDS.",
)
CRASHED = Outcome(
    "crashed",
    (500,),
    logging.ERROR,
    "Nacked: the handler, or the worker itself, raised an unexpected exception.",
    "Open Error Reporting, mend the bug, deploy: the message comes back by itself.",
)
REFUSED = Outcome(
    "refused",
    (401, 403, 413),
    logging.WARNING,
    "Not taken: the caller is not our subscription (401, 403), "
    "or the body is larger than any Pub/Sub message (413).",
    "401, 403: compare the subscription's push account and audience with PUSH_SERVICE_ACCOUNT "
    "and PUSH_AUDIENCE. 413: find who sends it; it is no Pub/Sub message.",
)
OVERLOADED = Outcome(
    "overloaded",
    (429,),
    logging.WARNING,
    "Nacked at once: no handler thread is free and the queue is full, "
    "the feature runs as often as it may, or there is no room for another large body.",
    "Raise the number of instances or HANDLER_THREADS, or find the handler that hangs: "
    "held_by names it.",
)
DRAINING = Outcome(
    "draining",
    (503,),
    NOTICE,
    "Nacked: this instance got SIGTERM, and takes no new work or could not wait for the handler.",
    "Nothing: another instance gets the message.",
)

OUTCOMES = (
    DONE,
    DUPLICATE,
    REJECTED,
    RETRY,
    BUSY,
    TIMED_OUT,
    CRASHED,
    REFUSED,
    OVERLOADED,
    DRAINING,
)


class Stop(Exception):
    """Ends the path of a message with `outcome`; `reason` is a sentence without payload values."""

    outcome: ClassVar[Outcome] = CRASHED  # a subclass says better
    reason: str = (
        "no reason was given"  # for a handler's own subclass that does not call this __init__
    )

    def __init__(self, reason: str = "no reason was given") -> None:
        super().__init__(reason)
        self.reason = str(reason)

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return self.outcome.status

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the canonical entry tells besides the reason; the caller learns nothing of it."""
        return {}


class Reject(Stop):
    """Raise from a handler when the same message can never succeed: quarantined now, then acked."""

    outcome = REJECTED


class BadEnvelope(Reject):
    """The request is none of the delivery forms, or a broken one."""


class BadPayload(Reject):
    """The message's data is not a feature payload, or its requirements do not fit the feature."""


class UnknownFeature(Reject):
    """No handler is registered for the feature that the payload names."""


class Retry(Stop):
    """Raise from a handler when another delivery may succeed: nacked, Pub/Sub delivers again."""

    outcome = RETRY


class Duplicate(Stop):
    """The claim's key was already done."""

    outcome = DUPLICATE


class Busy(Stop):
    """The claim's key is held by another delivery."""

    outcome = BUSY


class TimedOut(Stop):
    """The time that this push may take is used up."""

    outcome = TIMED_OUT


class Refused(Stop):
    """The caller may not push here. `reason` goes to the log only: the caller learns nothing."""

    outcome = REFUSED

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self._status = status

    @property
    def status(self) -> int:
        """401 without a valid token, 403 with somebody else's, 413 for a body that is too large."""
        return self._status


class Overloaded(Stop):
    """No place is free for the handler. `held_by` says who has them: feature -> how many.

    `reason` goes to the log only: the caller may not have shown a token yet.
    """

    outcome = OVERLOADED

    def __init__(self, reason: str, held_by: Mapping[str, int] | None = None) -> None:
        self._held_by = held_by or {}
        holders = ", ".join(f"{name} ({count})" for name, count in self._held_by.items())
        super().__init__(f"{reason}; held by {holders}" if holders else reason)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Who holds the places."""
        return {"held_by": dict(self._held_by)}


class Draining(Stop):
    """The instance is shutting down."""

    outcome = DRAINING
