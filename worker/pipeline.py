"""process(): the path of one message, from a push to its answer and its canonical log entry."""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from worker.claims import Claims, claimed, key_of
from worker.deadline import Deadline
from worker.envelope import decode
from worker.feature import Context, Feature, Features
from worker.log import Log
from worker.message import Form, Message, Push
from worker.outcome import (
    CRASHED,
    DONE,
    DUPLICATE,
    REFUSED,
    REJECTED,
    Draining,
    Outcome,
    Reject,
    Stop,
    TimedOut,
)
from worker.payload import FeaturePayload, parse
from worker.pool import Pool
from worker.quarantine import Quarantine, QuarantineFailed, Rejected
from worker.sink import Sink
from worker.stdlog import handling
from worker.trace import trace_of

CANONICAL_EVENT = "message.processed"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Worker:
    """Everything that the path of a message needs, built once at start-up.

    `budget_seconds` is what one push may take; `draining` is set when the process must end.
    """

    features: Features
    authenticate: Callable[[Push], None]  # raises Refused
    claims: Claims
    quarantine: Quarantine
    log: Log
    pool: Pool
    budget_seconds: float
    draining: threading.Event = field(default_factory=threading.Event)
    clock: Callable[[], float] = time.monotonic  # seconds
    now: Callable[[], datetime] = _utc_now


@dataclass(frozen=True, slots=True)
class Answer:
    """What the edge says to the caller. Never an echo of the request."""

    outcome: Outcome
    status: int
    message_id: str | None
    reason: str

    def body(self) -> dict[str, str | None]:
        """For the person with curl."""
        return {
            "outcome": self.outcome.name,
            "message_id": self.message_id,
            "reason": self.reason,
        }


@dataclass(slots=True)
class _Delivery:
    """What is known of a push so far: filled in step by step, read when it ends."""

    log: Log
    message: Message | None = None
    feature: str | None = None


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a push ended. `fields` go to the canonical entry only."""

    outcome: Outcome
    status: int
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)


def process(worker: Worker, push: Push) -> Answer:
    """Take one push to its end. Never raises; writes exactly one canonical entry."""
    started = worker.clock()
    received = worker.now()
    batch = worker.log.sink.batch()
    delivery = _Delivery(_log_of(worker.log, batch, push))
    try:
        ending = _path(worker, push, delivery, Deadline.after(worker.budget_seconds, worker.clock))
    except Stop as stop:
        ending = _Ending(stop.outcome, stop.status, _reason(stop, delivery.message))
    except BaseException as error:  # noqa: BLE001 - the one broad except: it keeps the message
        ending = _Ending(CRASHED, CRASHED.status, _crash(error), delivery.log.error_fields(error))
    _write_canonical(push, delivery, ending, received, worker.clock() - started)
    batch.close()
    return _answer(delivery, ending)


def _path(worker: Worker, push: Push, delivery: _Delivery, deadline: Deadline) -> _Ending:
    """The path. Each step takes what the step before it returned."""
    if worker.draining.is_set():
        raise Draining("this instance is shutting down")
    worker.authenticate(push)
    if push.problem is not None:
        raise push.problem
    try:
        delivery.message = message = decode(push)
        delivery.log = delivery.log.of_operation(message.id).bind(message_id=message.id)
        payload = parse(message)
        delivery.feature = payload.feature
        feature = worker.features.find(payload.feature)
        log = delivery.log.bind(feature=feature.name).label(feature=feature.name)
        context = Context(message, payload.description, log, deadline)
        result = worker.pool.run(lambda: _run(worker.claims, feature, payload, context), deadline)
    except Reject as reject:
        return _quarantined(worker, push, delivery, reject)
    fields = {} if result is None else {"result": result}
    return _Ending(DONE, DONE.status, f"handled by {feature.name}", fields)


def _run(
    claims: Claims, feature: Feature[Any], payload: FeaturePayload, context: Context
) -> BaseModel | None:
    """On a handler thread. It may outlive its push: the claim ends with the handler, not before."""
    with claimed(claims, key_of(context.message)), handling(context.log), _told_if_late(context):
        result: BaseModel | None = feature(payload, context)
        return result


@contextmanager
def _told_if_late(context: Context) -> Iterator[None]:
    """The canonical entry of a push that timed out cannot say how its handler ended."""
    try:
        yield
    except TimedOut:
        raise  # it looked at its deadline and stopped: nothing more to tell
    except BaseException as error:
        if context.deadline.remaining() <= 0:
            text = f"the handler failed after the deadline: {type(error).__name__}"
            context.log.error("handler.late", text, exc=error)
        raise
    if context.deadline.remaining() <= 0:
        text = "the handler returned after the deadline: the next delivery is a duplicate"
        context.log.notice("handler.late", text)


def run_directly(worker: Worker, name: str, push: Push) -> BaseModel | None:
    """Run a feature without a message, for a health route: same function, same entries, no claim.

    Raises UnknownFeature when it is not registered, and whatever the handler raises.
    """
    feature = worker.features.find(name)
    batch = worker.log.sink.batch()
    log = _log_of(worker.log, batch, push).bind(feature=name).label(feature=name)
    message = Message(id="", data=b"", attributes={}, form=Form.UNWRAPPED_NO_METADATA)
    payload = FeaturePayload(feature=name, description="called over HTTP")
    deadline = Deadline.after(worker.budget_seconds, worker.clock)
    try:
        with handling(log):
            context = Context(message, payload.description, log, deadline)
            result: BaseModel | None = feature(payload, context)
            return result
    finally:
        batch.close()


def _quarantined(worker: Worker, push: Push, delivery: _Delivery, reject: Reject) -> _Ending:
    rejected = Rejected.of(push, delivery.message, delivery.feature or "", reject, worker.now())
    try:
        address = worker.quarantine.keep(rejected)
    except QuarantineFailed as failed:
        reason = f"{reject.reason}; not quarantined, so nacked: {failed}"
        return _Ending(REJECTED, 500, reason, {"quarantine_id": rejected.id})
    fields = {"quarantine": address, "quarantine_id": rejected.id}
    return _Ending(REJECTED, REJECTED.status, reject.reason, fields)


def _reason(stop: Stop, message: Message | None) -> str:
    if stop.outcome is DUPLICATE and message is not None and message.id_derived:
        return f"{stop.reason} (it came without an id: the same content is the same message)"
    return stop.reason


def _crash(error: BaseException) -> str:
    """Where it crashed, without the exception's text: that may repeat the payload."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def _log_of(log: Log, sink: Sink, push: Push) -> Log:
    trace = trace_of(push)
    special = trace.fields(log.service.project) if trace else {}
    return replace(log, sink=sink, special={**log.special, **special})


def _write_canonical(
    push: Push, delivery: _Delivery, ending: _Ending, received: datetime, seconds: float
) -> None:
    message = delivery.message
    published = message.publish_time if message else None
    fields = {
        "outcome": ending.outcome.name,
        "status": ending.status,
        "reason": ending.reason,
        "feature": delivery.feature,
        "message_id": message.id if message else None,
        "message_id_derived": message.id_derived if message else None,
        "subscription": (message.subscription or None) if message else None,
        "delivery_attempt": message.delivery_attempt if message else None,
        "form": message.form.value if message else None,
        "seconds": round(seconds, 6),
        "bytes": len(push.body),
        "queue_seconds": round((received - published).total_seconds(), 6) if published else None,
        **ending.fields,
    }
    labels = {"outcome": ending.outcome.name}
    if delivery.feature:
        labels["feature"] = delivery.feature
    log = replace(delivery.log, fields={}).label(**labels)
    what = delivery.feature or "push"
    text = f"{what}: {ending.outcome.name} in {seconds:.3f} s ({ending.reason})"
    failed = ending.outcome is REJECTED and ending.status != REJECTED.status
    level = logging.ERROR if failed else ending.outcome.level
    log.canonical(level, CANONICAL_EVENT, text, fields)


def _answer(delivery: _Delivery, ending: _Ending) -> Answer:
    message_id = delivery.message.id if delivery.message else None
    learns_nothing = ending.outcome is REFUSED and ending.status in (401, 403)
    reason = "refused" if learns_nothing else ending.reason
    return Answer(ending.outcome, ending.status, message_id, reason)
