"""process(): the path of one message, from a push to its answer and its canonical log entry."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pydantic import BaseModel

from worker.artifacts import Artifacts, ArtifactsOf, NoArtifacts
from worker.claims import OwnClaims, claimed, key_of
from worker.context import Context
from worker.deadline import Deadline, Shutdown
from worker.ending import Answer, Ending
from worker.envelope import decode
from worker.feature import Feature
from worker.jsonline import plain_model
from worker.log import Log
from worker.message import Form, Message, Push
from worker.outcome import DONE, DUPLICATE, REJECTED, Draining, Reject, Stop, TimedOut
from worker.payload import FeaturePayload
from worker.places import Places
from worker.quarantine import Quarantine, QuarantineFailed, Rejected
from worker.registry import Features
from worker.sink import Sink
from worker.stdlog import handling
from worker.trace import publisher_trace, trace_of

CANONICAL_EVENT = "message.processed"


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Worker:
    """Everything that the path of a message needs, built once at start-up.

    `budget_seconds` is what one push may take; `shutdown` begins when the process must end.
    """

    features: Features
    authenticate: Callable[[Push], None]  # raises Refused
    claims: OwnClaims
    quarantine: Quarantine
    log: Log
    budget_seconds: float
    places: Places
    artifacts: Artifacts = NoArtifacts()  # noqa: RUF009 - it has no state
    shutdown: Shutdown = field(default_factory=Shutdown)
    clock: Callable[[], float] = time.monotonic  # seconds
    now: Callable[[], datetime] = _utc_now


def process(worker: Worker, push: Push) -> Answer:
    """Take one push to its end, here and now. Never raises; writes exactly one canonical entry."""
    answer = Delivery(worker, push).run()
    assert answer is not None  # noqa: S101 - nobody else has this delivery to stop it
    return answer


class Delivery:
    """One push on its way to its one end.

    `run` walks the path and ends it. `stop` ends it before, from another thread, at the deadline
    or when the process ends: a handler that was begun goes on and so does its claim, and what it
    comes to is told in an entry of its own.
    """

    def __init__(self, worker: Worker, push: Push) -> None:
        self._worker = worker
        self._push = push
        self._started = worker.clock()
        self._received = worker.now()
        self._sink = worker.log.sink.batch()
        self._log = self._handler_log = _log_of(worker.log, self._sink, push)
        self._message: Message | None = None
        self._feature: str | None = None  # that the payload names
        self._handled_by = ""
        self._artifacts = ArtifactsOf(worker.artifacts)
        self._claimed: claimed | None = None
        self._ended = threading.Lock()  # whoever gets it, ends the push
        self.begun = False
        self._handling = False
        self.deadline = Deadline(
            self._started + worker.budget_seconds, worker.clock, worker.shutdown
        )

    def run(self) -> Answer | None:
        """Walk the path. Returns None when the push was stopped before the end of it."""
        self.begun = True
        if self._ended.locked():
            return None  # it waited for a thread until its deadline
        try:
            result = self._path()
        except BaseException as error:  # noqa: BLE001 - the one broad except: it keeps the message
            return self._close(self._failure(error)) if self._first() else self._late(error)
        return self._close(self._done(result)) if self._first() else self._late(None)

    def stop(self, stop: Stop) -> Callable[[], Answer] | None:
        """End the push with this, unless it has ended or is about to: then None.

        What is returned writes the canonical entry and gives the answer; it may have to wait.
        """
        return partial(self._close, self._stopped(stop)) if self._first() else None

    def waited(self) -> float:
        """Seconds since it came."""
        return self._worker.clock() - self._started

    def _first(self) -> bool:
        return self._ended.acquire(blocking=False)

    def _path(self) -> BaseModel | None:
        """The path. Each step takes what the step before it returned."""
        worker, push = self._worker, self._push
        if worker.shutdown.begun:
            raise Draining("this instance is shutting down")
        worker.authenticate(push)
        if push.problem is not None:
            raise push.problem
        self._message = message = decode(push)
        self._log = self._log.of_operation(message.id)
        payload = worker.features.read(message)
        self._feature = payload.feature
        feature, payload = worker.features.route(payload)
        self._handled_by = feature.name
        self._handler_log = log = self._log.of_message(message.id, self._feature)
        wanted = feature.requirements_of(payload)
        artifacts, features = self._artifacts, worker.features.names
        context = Context(message, payload.description, log, self.deadline, artifacts, features)
        with worker.places.of(feature), self._claim(feature, message), handling(log):
            if self._ended.locked():
                raise TimedOut("its time was up before the handler was begun")
            self._handling = True
            result: BaseModel | None = feature.run(wanted, context)
            return result

    def _claim(self, feature: Feature[Any], message: Message) -> AbstractContextManager[None]:
        if feature.idempotent:
            return nullcontext()
        key = key_of(message, self._worker.log.service.name)
        self._claimed = claimed(self._worker.claims, key)
        return self._claimed

    def _late(self, error: BaseException | None) -> Answer | None:
        """The canonical entry of a push that was stopped cannot say how its handler ended."""
        if error is None:
            text = "the handler returned after the deadline: the next delivery is a duplicate"
            self._handler_log.notice("handler.late", text, **self._claim_fields())
        elif self._handling and not isinstance(error, (TimedOut, Draining)):  # those it looked for
            text = f"the handler failed after the deadline: {type(error).__name__}"
            self._handler_log.error("handler.late", text, exc=error, **self._claim_fields())
        return None

    def _done(self, result: BaseModel | None) -> Ending:
        fields: dict[str, Any] = {} if result is None else {"result": plain_model(result)}
        if self._artifacts.addresses:
            fields["artifacts"] = self._artifacts.addresses
        return Ending(DONE, DONE.status, f"handled by {self._handled_by}", fields)

    def _claim_fields(self) -> Mapping[str, Any]:
        return self._claimed.fields if self._claimed else {}

    def _failure(self, error: BaseException) -> Ending:
        if isinstance(error, Reject):
            try:
                return self._quarantined(error)
            except BaseException as another:  # noqa: BLE001 - as in run: a crash keeps the message
                error = another
        if isinstance(error, Stop):
            return self._stopped(error)
        return Ending.by_crash(error, self._log.error_fields(error))

    def _stopped(self, stop: Stop) -> Ending:
        ending = Ending.by(stop)
        if stop.outcome is DUPLICATE and self._message is not None and self._message.id_derived:
            why = " (it came without an id: the same content is the same message)"
            return ending._replace(reason=ending.reason + why)
        return ending

    def _quarantined(self, reject: Reject) -> Ending:
        worker, feature = self._worker, self._feature or ""
        rejected = Rejected.of(self._push, self._message, feature, reject, worker.now())
        try:
            address = worker.quarantine.keep(rejected)
        except QuarantineFailed as failed:
            reason = f"{reject.reason}; not quarantined, so nacked: {failed}"
            return Ending(REJECTED, 500, reason, {"quarantine_id": rejected.id})
        fields = {"quarantine": address, "quarantine_id": rejected.id}
        return Ending(REJECTED, REJECTED.status, reject.reason, fields)

    def _close(self, ending: Ending) -> Answer:
        """Write the canonical entry, then answer."""
        self._write_canonical(ending)
        self._sink.close()
        return ending.answer(self._message.id if self._message else None)

    def _write_canonical(self, ending: Ending) -> None:
        message, feature, outcome = self._message, self._feature, ending.outcome
        seconds = self._worker.clock() - self._started
        fields = {
            "outcome": outcome.name,
            "status": ending.status,
            "reason": ending.reason,
            "feature": feature,
            "message_id": message.id if message else None,
            "message_id_derived": message.id_derived if message else None,
            "subscription": (message.subscription or None) if message else None,
            "delivery_attempt": message.delivery_attempt if message else None,
            "form": message.form.value if message else None,
            "seconds": round(seconds, 6),
            "bytes": len(self._push.body),
            "queue_seconds": self._queue_seconds(),
            **publisher_trace(message),
            **self._claim_fields(),
            **ending.fields,
        }
        labels = {"outcome": outcome.name}
        if feature:
            labels["feature"] = feature
        text = f"{feature or 'push'}: {outcome.name} in {seconds:.3f} s ({ending.reason})"
        self._log.canonical(ending.level, CANONICAL_EVENT, text, fields, labels)

    def _queue_seconds(self) -> float | None:
        """How long the message was on its way to us."""
        published = self._message.publish_time if self._message else None
        return round((self._received - published).total_seconds(), 6) if published else None


def run_directly(worker: Worker, name: str, push: Push) -> BaseModel | None:
    """Run a feature without a message, for a health route: same function, same entries, no claim.

    Raises UnknownFeature when it is not registered, and whatever the handler raises.
    """
    feature = worker.features.find(name)
    batch = worker.log.sink.batch()
    log = _log_of(worker.log, batch, push).bind(feature=name).label(feature=name)
    message = Message(id="", data=b"", attributes={}, form=Form.UNWRAPPED_NO_METADATA)
    payload = FeaturePayload(feature=name, description="called over HTTP")
    deadline = Deadline(worker.clock() + worker.budget_seconds, worker.clock, worker.shutdown)
    try:
        with handling(log):
            artifacts = ArtifactsOf(worker.artifacts)
            context = Context(
                message, payload.description, log, deadline, artifacts, worker.features.names
            )
            result: BaseModel | None = feature(payload, context)
            return result
    finally:
        batch.close()


def _log_of(log: Log, sink: Sink, push: Push) -> Log:
    trace = trace_of(push)
    return log.of_request(sink, trace.fields(log.service.project) if trace else {})
