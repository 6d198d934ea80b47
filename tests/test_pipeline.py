"""The path of one message: each outcome, its answer and its one canonical entry."""

import base64
import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, cast

import pytest
from hypothesis import example, given
from pydantic import BaseModel

from handlers.smoke_test import smoke_test
from tests.support.anything import PUSHES
from tests.support.hostile import Hostile, HostileError
from tests.support.inprocess import (
    WAIT_SECONDS,
    ListQuarantine,
    ListSink,
    in_thread,
    make_worker,
)
from tests.support.pushes import (
    EVENTARC,
    OWN_EVENT,
    PUBLISHED,
    SUBSCRIPTION,
    push_of,
    structured,
    unwrapped,
    wrapped,
)
from worker import Context, Reject, Requirements, Retry, feature
from worker.claims import Claim, StoreFailed, key_of
from worker.claims.memory import MemoryClaims
from worker.deadline import Deadline
from worker.ending import Answer
from worker.envelope import decode
from worker.log import Log, Service
from worker.message import Form, Message, Push
from worker.outcome import (
    OUTCOMES,
    Draining,
    Overloaded,
    Refused,
    Stop,
    TimedOut,
    UnknownFeature,
)
from worker.pipeline import Delivery, Worker, process, run_directly
from worker.places import Places
from worker.quarantine import NoQuarantine, QuarantineFailed, Rejected
from worker.stdlog import LoggingHandler

SPECIAL = "logging.googleapis.com/"
FIELDS = {
    "message": str,
    "event": str,
    "outcome": str,
    "status": int,
    "reason": str,
    "feature": str | None,
    "message_id": str | None,
    "message_id_derived": bool | None,
    "subscription": str | None,
    "delivery_attempt": int | None,
    "form": str | None,
    "seconds": float,
    "bytes": int,
    "queue_seconds": float | None,
}


class Want(Requirements):
    how: str = "return"


class Result(BaseModel):
    answer: int = 42


class Steps:
    """A feature whose handler does what the test says, and counts its runs."""

    def __init__(self, do: Callable[[Context], BaseModel | None]) -> None:
        self.runs = 0

        @feature("step")
        def step(want: Want, context: Context) -> BaseModel | None:
            self.runs += 1
            return do(context)

        self.feature = step


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


def step_push(message_id: str = "1", **more: Any) -> Push:
    return push_of(wrapped({"feature": "step"}, message_id=message_id, **more))


def ends(do: Callable[[Context], BaseModel | None], sink: ListSink, **parts: Any) -> Answer:
    """How one push ends whose handler does `do`."""
    return process(make_worker(Steps(do).feature, sink=sink, **parts), step_push())


def raising(error: BaseException) -> Callable[[Context], NoReturn]:
    def do(context: Context) -> NoReturn:
        raise error

    return do


def check(answer: Answer, sink: ListSink, outcome: str, status: int) -> dict[str, Any]:
    """The answer and the canonical entry say the same; the entry."""
    entry = sink.canonical()
    assert (answer.outcome.name, answer.status) == (outcome, status)
    assert (entry["outcome"], entry["status"]) == (outcome, status)
    assert set(answer.body()) == {"outcome", "message_id", "reason"}
    for name, kind in FIELDS.items():
        assert isinstance(entry[name], kind), name
    return entry


# --- each outcome


def test_done_is_a_200_with_the_handlers_result_in_the_log(sink: ListSink) -> None:
    answer = ends(lambda _: Result(), sink)
    entry = check(answer, sink, "done", 200)
    assert answer.body() == {"outcome": "done", "message_id": "1", "reason": "handled by step"}
    assert (entry["severity"], entry["result"]) == ("INFO", {"answer": 42})


def test_a_handler_that_returns_nothing_is_done_too(sink: ListSink) -> None:
    assert "result" not in check(ends(lambda _: None, sink), sink, "done", 200)


def test_a_second_delivery_is_a_duplicate_and_runs_nothing(sink: ListSink) -> None:
    steps = Steps(lambda _: None)
    worker = make_worker(steps.feature)
    process(worker, step_push())
    answer = process(replace(worker, log=Log(sink)), step_push())
    assert check(answer, sink, "duplicate", 200)["severity"] == "INFO"
    assert answer.reason == "an earlier delivery of this message was done"
    assert steps.runs == 1


def test_a_duplicate_that_came_without_an_id_says_why_it_counts_as_one(sink: ListSink) -> None:
    push = push_of({"message": {"data": base64.b64encode(b'{"feature":"step"}').decode()}})
    ends = [Retry("not yet"), None]

    def do(context: Context) -> None:
        if ends and (error := ends.pop(0)):
            raise error

    worker = make_worker(Steps(do).feature, sink=sink)
    assert process(worker, push).reason == "not yet"
    assert process(worker, push).outcome.name == "done"
    assert process(worker, push).reason == (
        "an earlier delivery of this message was done"
        " (it came without an id: the same content is the same message)"
    )


@pytest.mark.parametrize(
    ("push", "reason"),
    [
        (push_of({"message": None}), "bad envelope: message: "),
        (push_of(wrapped(b"not json")), "bad payload: Invalid JSON"),
        (push_of(wrapped({"feature": "step", "extra": 1})), "bad payload: extra: unknown field"),
        (push_of(wrapped({"feature": "stepp"})), "no handler is registered for stepp: did you"),
        (push_of(wrapped({"feature": "step", "requirements": {"x": 1}})), "bad payload: requireme"),
        (push_of(b""), "the message has no data"),
    ],
)  # fmt: skip
def test_what_can_never_succeed_is_quarantined_and_acked(
    sink: ListSink, push: Push, reason: str
) -> None:
    steps = Steps(lambda _: None)
    quarantine = ListQuarantine()
    answer = process(make_worker(steps.feature, sink=sink, quarantine=quarantine), push)
    entry = check(answer, sink, "rejected", 200)
    assert entry["severity"] == "WARNING"
    assert entry["reason"].startswith(reason)
    assert answer.reason == entry["reason"]
    (kept,) = quarantine.kept
    assert (kept.body, kept.reason) == (push.body, entry["reason"])
    assert kept.feature == (entry["feature"] or "")
    assert (entry["quarantine"], entry["quarantine_id"]) == ("list#1", kept.id)
    assert steps.runs == 0


def test_a_handlers_reject_is_quarantined_with_all_that_is_known(sink: ListSink) -> None:
    quarantine = ListQuarantine()
    worker = make_worker(
        Steps(raising(Reject("no such picture"))).feature, sink=sink, quarantine=quarantine
    )
    body = wrapped({"feature": "step"}, deliveryAttempt=3)
    push = push_of(body, {"authorization": "Bearer SECRET", "x-other": "y"})
    check(process(worker, push), sink, "rejected", 200)
    record = quarantine.kept[0].record()
    assert record["reason"] == "no such picture"
    assert (record["subscription"], record["delivery_attempt"]) == (SUBSCRIPTION, 3)
    assert (record["message_id"], record["feature"], record["form"]) == ("1", "step", "wrapped")
    assert record["headers"] == {"content-type": "application/json", "x-other": "y"}
    assert "SECRET" not in str(quarantine.kept) + str(sink.entries)


class BrokenQuarantine:
    def keep(self, rejected: Rejected) -> str:
        raise QuarantineFailed("the disk is full")


def test_what_cannot_be_quarantined_is_nacked_so_that_it_is_never_lost(sink: ListSink) -> None:
    answer = ends(raising(Reject("no")), sink, quarantine=BrokenQuarantine())
    entry = check(answer, sink, "rejected", 500)
    assert entry["severity"] == "ERROR"
    assert entry["reason"] == "no; not quarantined, so nacked: the disk is full"
    assert entry["quarantine_id"].startswith("sha256-")


def test_without_a_quarantine_the_dead_letter_policy_decides(sink: ListSink) -> None:
    entry = check(
        ends(raising(Reject("no")), sink, quarantine=NoQuarantine()), sink, "rejected", 500
    )
    assert "dead-letter policy" in entry["reason"]


@pytest.mark.parametrize(
    ("error", "outcome", "status", "severity"),
    [
        (Retry("not yet"), "retry", 503, "WARNING"),
        (TimedOut("not yet"), "timed_out", 504, "ERROR"),
    ],
)
def test_a_handler_chooses_the_outcome_by_what_it_raises(
    sink: ListSink, error: Exception, outcome: str, status: int, severity: str
) -> None:
    entry = check(ends(raising(error), sink), sink, outcome, status)
    assert (entry["severity"], entry["reason"]) == (severity, "not yet")


def test_an_exception_of_the_handlers_own_that_skips_our_init_still_counts(sink: ListSink) -> None:
    class Later(Retry):
        def __init__(self) -> None:
            Exception.__init__(self)

    check(ends(raising(Later()), sink), sink, "retry", 503)


@pytest.mark.parametrize(
    "error",
    [
        KeyError("SECRET"), SystemExit("SECRET"), KeyboardInterrupt(), TimeoutError("SECRET"),
        HostileError(), MemoryError(), RecursionError("SECRET"), StopIteration("SECRET"),
        BaseException("SECRET"), ExceptionGroup("SECRET", [Retry("inside a group")]),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_any_other_exception_is_a_crash_that_error_reporting_can_group(
    sink: ListSink, error: BaseException
) -> None:
    answer = ends(raising(error), sink)
    entry = check(answer, sink, "crashed", 500)
    assert entry["severity"] == "ERROR"
    assert entry["reason"].startswith(f"{type(error).__name__} at {__file__}:")
    assert "SECRET" not in answer.reason + entry["message"]
    assert "Traceback (most recent call last):" in entry["stack_trace"]
    assert entry["@type"].endswith("ReportedErrorEvent")
    assert entry["serviceContext"]["service"] == "feature-worker"


def test_a_crash_names_the_line_that_raised(sink: ListSink) -> None:
    @feature("step")
    def step(want: Want, context: Context) -> NoReturn:
        raise ValueError("SECRET")

    entry = check(process(make_worker(step, sink=sink), step_push()), sink, "crashed", 500)
    line = step.handler.__code__.co_firstlineno + 2
    assert entry["reason"] == f"ValueError at {__file__}:{line}"


def test_a_crash_may_hide_its_traceback(sink: ListSink) -> None:
    class Hidden(Exception):
        __traceback__ = None

    def broken(push: Push) -> NoReturn:
        raise Hidden

    entry = check(ends(lambda _: None, sink, authenticate=broken), sink, "crashed", 500)
    assert entry["reason"] == "Hidden"


def test_a_crash_of_the_worker_itself_is_no_exception_either(sink: ListSink) -> None:
    def broken(push: Push) -> NoReturn:
        raise HostileError

    entry = check(ends(lambda _: None, sink, authenticate=broken), sink, "crashed", 500)
    assert entry["message_id"] is None


def test_a_result_that_cannot_be_shown_is_done_all_the_same(sink: ListSink) -> None:
    class Odd(BaseModel):
        def model_dump(self, **_: Any) -> NoReturn:
            raise SystemExit

    entry = check(ends(lambda _: Odd(), sink), sink, "done", 200)
    assert entry["result"] == "<unprintable Odd>"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_caller_learns_nothing_and_nothing_is_read(sink: ListSink, status: int) -> None:
    def refuse(push: Push) -> NoReturn:
        raise Refused("the audience is another", status)

    steps = Steps(lambda _: None)
    quarantine = ListQuarantine()
    worker = make_worker(steps.feature, sink=sink, authenticate=refuse, quarantine=quarantine)
    for push in (step_push(), push_of({"message": None})):
        sink.entries.clear()
        answer = process(worker, push)
        entry = check(answer, sink, "refused", status)
        assert entry["message"].startswith("push: refused in ")
        assert answer.body() == {"outcome": "refused", "message_id": None, "reason": "refused"}
        assert (entry["severity"], entry["reason"]) == ("WARNING", "the audience is another")
    assert (steps.runs, quarantine.kept) == (0, [])


def test_the_push_itself_is_what_authentication_checks(sink: ListSink) -> None:
    asked: list[Push] = []
    push = step_push()
    worker = make_worker(Steps(lambda _: None).feature, sink=sink, authenticate=asked.append)
    check(process(worker, push), sink, "done", 200)
    assert asked == [push]


def test_a_body_that_is_too_large_is_refused_with_the_reason(sink: ListSink) -> None:
    worker = make_worker(sink=sink)
    answer = process(worker, Push((), b"", Refused("the body is too large", 413)))
    check(answer, sink, "refused", 413)
    assert answer.reason == "the body is too large"


def test_a_stranger_is_refused_before_the_size_of_the_body_matters(sink: ListSink) -> None:
    def refuse(push: Push) -> NoReturn:
        raise Refused("no token")

    worker = make_worker(sink=sink, authenticate=refuse)
    check(process(worker, Push((), b"", Refused("too large", 413))), sink, "refused", 401)


def test_a_body_that_did_not_arrive_is_timed_out(sink: ListSink) -> None:
    push = Push((), b"", TimedOut("the body did not arrive whole"))
    check(process(make_worker(sink=sink), push), sink, "timed_out", 504)


def test_an_instance_that_shuts_down_takes_nothing(sink: ListSink) -> None:
    steps = Steps(lambda _: None)
    worker = make_worker(steps.feature, sink=sink)
    worker.shutdown.begin(0.0)
    entry = check(process(worker, step_push()), sink, "draining", 503)
    assert (entry["severity"], entry["reason"]) == ("NOTICE", "this instance is shutting down")
    assert steps.runs == 0


# --- while a handler runs


class Held:
    """A worker whose handler runs until it is let go."""

    def __init__(self, **parts: Any) -> None:
        self.running = threading.Event()
        self.let_go = threading.Event()
        self.error: BaseException | None = None
        self.steps = Steps(self._hold)
        self.worker = make_worker(self.steps.feature, **parts)
        self.answers: list[Answer | None] = []

    def _hold(self, context: Context) -> None:
        self.running.set()
        assert self.let_go.wait(WAIT_SECONDS)
        context.log.info("late")
        if self.error:
            raise self.error

    def start(self, push: Push) -> "Running":
        delivery = Delivery(self.worker, push)
        thread = in_thread(lambda: self.answers.append(delivery.run()))
        assert self.running.wait(WAIT_SECONDS)
        return Running(self, delivery, thread)


class Running:
    """A push whose handler runs."""

    def __init__(self, held: Held, delivery: Delivery, thread: threading.Thread) -> None:
        self._held = held
        self.delivery = delivery
        self._thread = thread

    def finish(self) -> Answer | None:
        """Let the handler go; what its push was answered by that."""
        self._held.let_go.set()
        self._thread.join(WAIT_SECONDS)
        return self._held.answers.pop()


@pytest.fixture
def hold() -> Iterator[Callable[..., Held]]:
    made: list[Held] = []

    def make(**parts: Any) -> Held:
        made.append(Held(**parts))
        return made[-1]

    yield make
    for held in made:
        held.let_go.set()


def test_a_delivery_beside_the_running_one_is_busy(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    held = hold()
    first = held.start(step_push())
    answer = process(replace(held.worker, log=Log(sink)), step_push())
    assert check(answer, sink, "busy", 503)["severity"] == "NOTICE"
    assert answer.reason == "another delivery of this message is being handled"
    done = first.finish()
    assert done is not None
    assert done.outcome.name == "done"
    assert held.steps.runs == 1


def test_a_push_that_is_stopped_before_it_runs_never_runs(sink: ListSink) -> None:
    steps = Steps(lambda _: None)
    worker = make_worker(steps.feature, sink=sink)
    delivery = Delivery(worker, step_push())
    answer = stopped(delivery, Overloaded("all 8 handler threads are busy", {"step": 7, "b": 1}))
    assert answer.reason == "no handler thread is free"  # who holds them, no stranger is told
    entry = check(answer, sink, "overloaded", 429)
    assert entry["severity"] == "WARNING"
    assert entry["reason"] == "all 8 handler threads are busy; held by step (7), b (1)"
    assert entry["held_by"] == {"step": 7, "b": 1}
    assert delivery.run() is None
    assert steps.runs == 0
    assert process(worker, step_push()).outcome.name == "done"


def test_a_handler_that_finishes_late_makes_the_next_delivery_a_duplicate(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    held = hold(sink=sink)
    running = held.start(step_push())
    answer = stopped(running.delivery, TimedOut("no answer before the ack deadline"))
    assert check(answer, sink, "timed_out", 504)["severity"] == "ERROR"
    assert running.finish() is None
    (late,) = sink.events("late")  # what it logs afterwards is not lost, and says whose it is
    (told,) = sink.events("handler.late")
    assert (late["message_id"], told["message_id"]) == ("1", "1")
    assert told["severity"] == "NOTICE"
    assert process(held.worker, step_push()).outcome.name == "duplicate"
    assert held.steps.runs == 1


def test_a_handler_that_fails_late_gives_the_key_back_and_its_error_is_told(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    held = hold(sink=sink)
    held.error = Retry("not yet")
    running = held.start(step_push())
    stopped(running.delivery, TimedOut("the time is up"))
    assert running.finish() is None
    (told,) = sink.events("handler.late")
    assert (told["severity"], told["message_id"]) == ("ERROR", "1")
    assert "Retry: not yet" in told["stack_trace"]
    held.error = None
    assert process(held.worker, step_push()).outcome.name == "done"


@pytest.mark.parametrize("kind", [TimedOut, Draining])
def test_a_handler_that_stops_at_its_deadline_has_nothing_more_to_tell(
    sink: ListSink, hold: Callable[..., Held], kind: type[Stop]
) -> None:
    held = hold(sink=sink)
    held.error = kind("the deadline of this delivery has passed")
    running = held.start(step_push())
    stopped(running.delivery, TimedOut("the time is up"))
    running.finish()
    assert sink.events("handler.late") == []


def test_a_handler_that_rejects_late_quarantines_nothing(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    quarantine = ListQuarantine()
    held = hold(sink=sink, quarantine=quarantine)
    held.error = Reject("never")
    running = held.start(step_push())
    stopped(running.delivery, TimedOut("the time is up"))
    running.finish()
    assert quarantine.kept == []  # it comes again, and is quarantined then: once
    assert process(held.worker, step_push()).outcome.name == "rejected"
    assert len(quarantine.kept) == 1


def stopped(delivery: Delivery, stop: Stop) -> Answer:
    end = delivery.stop(stop)
    assert end is not None
    return end()


def test_a_push_that_has_ended_cannot_be_stopped(sink: ListSink) -> None:
    delivery = Delivery(make_worker(Steps(lambda _: None).feature, sink=sink), step_push())
    assert delivery.run() is not None
    assert delivery.stop(TimedOut("too late")) is None
    assert sink.canonical()["outcome"] == "done"


# --- claims


@pytest.mark.parametrize(
    "error", [Retry("r"), Reject("r"), KeyError("k"), SystemExit(1), TimedOut("t")]
)
def test_a_handler_that_fails_gives_the_key_back(sink: ListSink, error: BaseException) -> None:
    first = [error]

    def do(context: Context) -> None:
        if first:
            raise first.pop()

    steps = Steps(do)
    worker = make_worker(steps.feature)
    assert process(worker, step_push()).outcome.name != "done"
    assert process(worker, step_push()).outcome.name == "done"
    assert process(worker, step_push()).outcome.name == "duplicate"
    assert steps.runs == 2


def test_requirements_that_do_not_fit_need_no_claim(sink: ListSink) -> None:
    """A message that can never succeed is quarantined also while the store cannot be used."""
    steps = Steps(lambda _: None)
    push = push_of(wrapped({"feature": "step", "requirements": {"no": "such"}}))
    answer = process(make_worker(steps.feature, sink=sink, claims=BrokenClaims()), push)
    check(answer, sink, "rejected", 200)


class BrokenClaims:
    """Claims whose store fails where `fails` says."""

    def __init__(self, *fails: str) -> None:
        self._fails = fails or ("acquire", "finish", "release")

    def acquire(self, key: str) -> Claim:
        self._do("acquire")
        return Claim(key, "token")

    def finish(self, claim: Claim) -> None:
        self._do("finish")

    def release(self, claim: Claim) -> None:
        self._do("release")

    def close(self) -> None:
        """Nothing is held."""

    def _do(self, what: str) -> None:
        if what in self._fails:
            raise StoreFailed("redis cannot be used: timed out")


def test_without_the_store_nothing_is_run(sink: ListSink) -> None:
    steps = Steps(lambda _: None)
    answer = process(make_worker(steps.feature, sink=sink, claims=BrokenClaims()), step_push())
    entry = check(answer, sink, "retry", 503)
    assert entry["reason"] == entry["claims_error"] == "redis cannot be used: timed out"
    assert steps.runs == 0


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [(None, "done", 200), (Retry("r"), "retry", 503), (KeyError("k"), "crashed", 500)],
)
def test_a_store_that_fails_at_the_end_changes_nothing_of_what_the_handler_came_to(
    sink: ListSink, error: BaseException | None, outcome: str, status: int
) -> None:
    do = raising(error) if error else lambda _: None
    entry = check(ends(do, sink, claims=BrokenClaims("finish", "release")), sink, outcome, status)
    assert entry["claims_error"] == "redis cannot be used: timed out"


def test_a_late_handler_whose_end_the_store_did_not_hear_of_says_so(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    running = hold(sink=sink, claims=BrokenClaims("finish")).start(step_push())
    stopped(running.delivery, TimedOut("the time is up"))
    running.finish()
    (told,) = sink.events("handler.late")
    assert told["claims_error"] == "redis cannot be used: timed out"


class Unprotected(BrokenClaims):
    def acquire(self, key: str) -> Claim:
        return Claim(key, "", problem="the store is down")


def test_a_message_that_is_handled_without_protection_says_so(sink: ListSink) -> None:
    entry = check(ends(lambda _: None, sink, claims=Unprotected("no")), sink, "done", 200)
    assert (entry["unprotected"], entry["claims_error"]) == (True, "the store is down")


def test_nothing_is_begun_for_a_push_that_was_answered_while_the_store_was_asked(
    sink: ListSink,
) -> None:
    """It took until the deadline: what was acquired is given back."""
    steps = Steps(lambda _: None)

    class Slow(MemoryClaims):
        def acquire(self, key: str) -> Claim:
            claim = super().acquire(key)
            stopped(delivery, TimedOut("the time is up"))
            return claim

    worker = make_worker(steps.feature, sink=sink, claims=Slow())
    delivery = Delivery(worker, step_push())
    assert delivery.run() is None
    assert steps.runs == 0
    assert sink.canonical()["outcome"] == "timed_out"
    assert sink.events("handler.late") == []
    claim = MemoryClaims.acquire(cast("Slow", worker.claims), key_of(decode(step_push())))
    assert claim.token


def test_a_late_push_whose_handler_was_never_begun_has_nothing_to_tell(sink: ListSink) -> None:
    class Slow(MemoryClaims):
        def acquire(self, key: str) -> Claim:
            stopped(delivery, TimedOut("the time is up"))
            raise StoreFailed("redis cannot be used: timed out")

    worker = make_worker(Steps(lambda _: None).feature, sink=sink, claims=Slow())
    delivery = Delivery(worker, step_push())
    assert delivery.run() is None
    assert [entry["event"] for entry in sink.entries] == ["message.processed"]


def test_an_idempotent_feature_claims_nothing(sink: ListSink) -> None:
    @feature("step", idempotent=True)
    def step(context: Context) -> None:
        """Harmless."""

    worker = make_worker(step, sink=sink, claims=BrokenClaims())
    assert [process(worker, step_push()).outcome.name for _ in range(2)] == ["done", "done"]
    assert all("claims_error" not in entry for entry in sink.entries)


def test_messages_without_a_subscription_are_those_of_the_service(sink: ListSink) -> None:
    """Services that share a store do not take each other's messages for duplicates."""
    claims = MemoryClaims()
    push = push_of(b'{"feature": "step"}')

    def worker_of(service: str) -> Worker:
        log = Log(ListSink(), service=Service(name=service))
        return make_worker(Steps(lambda _: None).feature, claims=claims, log=log)

    names = [process(worker_of(name), push).outcome.name for name in ("a", "b", "a")]
    assert names == ["done", "done", "duplicate"]


# --- places


def test_a_feature_that_runs_as_often_as_it_may_is_overloaded_and_holds_no_claim(
    sink: ListSink, hold: Callable[..., Held]
) -> None:
    held = hold(sink=sink, places=Places(1))
    running = held.start(step_push())
    another = process(held.worker, step_push("2"))
    entry = check(another, sink, "overloaded", 429)
    assert (entry["held_by"], entry["feature"]) == ({"step": 1}, "step")
    running.finish()
    assert process(held.worker, step_push("2")).outcome.name == "done"


def test_a_late_handler_keeps_its_place(sink: ListSink, hold: Callable[..., Held]) -> None:
    held = hold(places=Places(1))
    running = held.start(step_push())
    stopped(running.delivery, TimedOut("the time is up"))
    assert process(held.worker, step_push("2")).outcome.name == "overloaded"
    running.finish()
    assert held.worker.places.taken() == {}


# --- keys


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ({"message_id": "1"}, {"message_id": "1"}, "duplicate"),
        ({"message_id": "1"}, {"message_id": "2"}, "done"),
        ({"message_id": "1"}, {"message_id": "1", "subscription": "other"}, "done"),
        ({"message_id": "1", "key": "k"}, {"message_id": "2", "key": "k"}, "duplicate"),
        ({"message_id": "1", "key": "k"}, {"message_id": "1", "key": "l"}, "done"),
        ({"message_id": "1", "key": ""}, {"message_id": "2", "key": ""}, "done"),
        ({"message_id": "1", "key": ""}, {"message_id": "1"}, "duplicate"),
        ({"message_id": "k"}, {"message_id": "2", "key": "k"}, "done"),
        (
            {"message_id": "1", "key": "k"},
            {"message_id": "2", "key": "k", "subscription": "other"},
            "done",
        ),
    ],
)  # fmt: skip
def test_deliveries_meet_under_subscription_and_id_or_the_publishers_key(
    first: dict[str, str], second: dict[str, str], outcome: str
) -> None:
    def push(message_id: str, key: str | None = None, **envelope: str) -> Push:
        attributes = {} if key is None else {"idempotency_key": key}
        return step_push(message_id, attributes=attributes, **envelope)

    worker = make_worker(Steps(lambda _: None).feature)
    assert process(worker, push(**first)).outcome.name == "done"
    assert process(worker, push(**second)).outcome.name == outcome


def test_the_same_message_is_one_whatever_form_it_comes_in() -> None:
    worker = make_worker(smoke_test)
    data = b'{"feature": "smoke_test"}'
    assert process(worker, push_of(wrapped(data))).outcome.name == "done"
    assert process(worker, unwrapped(data)).outcome.name == "duplicate"
    assert process(worker, push_of(wrapped(data), EVENTARC)).outcome.name == "duplicate"


def test_events_of_other_sources_may_have_the_same_id() -> None:
    worker = make_worker(smoke_test)
    payload = {"feature": "smoke_test"}
    ends = [
        process(worker, structured(source=source, data=payload)).outcome.name
        for source in ("//a", "//b", "//a")
    ]
    assert ends == ["done", "done", "duplicate"]


# --- the log of a push


def test_the_canonical_entry_says_everything_about_the_push(sink: ListSink) -> None:
    published = datetime.fromisoformat(PUBLISHED)
    seconds = [100.0]
    worker = make_worker(
        Steps(lambda _: seconds.append(102.5000004)).feature,
        log=Log(sink, service=Service("my-service", "7", "demo")),
        now=lambda: published + timedelta(seconds=1.25),
        clock=lambda: seconds[-1],
    )
    body = json.dumps(wrapped({"feature": "step"}, deliveryAttempt=2)).encode()
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    process(worker, push_of(body, trace))
    entry = sink.canonical()
    assert {name: entry[name] for name in FIELDS} == {
        "message": "step: done in 2.500 s (handled by step)",
        "event": "message.processed",
        "outcome": "done",
        "status": 200,
        "reason": "handled by step",
        "feature": "step",
        "message_id": "1",
        "message_id_derived": False,
        "subscription": SUBSCRIPTION,
        "delivery_attempt": 2,
        "form": "wrapped",
        "seconds": 2.5,
        "bytes": len(body),
        "queue_seconds": 1.25,
    }
    assert not [name for name in entry if name.endswith("_")]  # nothing is said twice
    assert entry[SPECIAL + "labels"] == {"feature": "step", "outcome": "done"}
    assert entry[SPECIAL + "operation"] == {
        "id": "1", "producer": "my-service", "first": True, "last": True,
    }  # fmt: skip
    assert entry[SPECIAL + "trace"] == "projects/demo/traces/0af7651916cd43dd8448eb211c80319c"
    assert entry[SPECIAL + "spanId"] == "b7ad6b7169203331"
    assert entry[SPECIAL + "trace_sampled"] is True


NO_WRAPPER = b'{"feature": "smoke_test"}'


@pytest.mark.parametrize(
    ("push", "form", "derived"),
    [
        (push_of(wrapped()), "wrapped", False),
        (unwrapped(NO_WRAPPER), "unwrapped", False),
        (push_of({"feature": "smoke_test"}), "unwrapped-no-metadata", True),
        (push_of(wrapped(), EVENTARC), "cloudevent-binary", False),
        (structured(data={"feature": "smoke_test"}), "cloudevent-structured", False),
        (push_of({"feature": "smoke_test"}, OWN_EVENT), "cloudevent-attributes", False),
        (unwrapped(NO_WRAPPER, attributes=OWN_EVENT), "cloudevent-attributes", False),
    ],
)  # fmt: skip
def test_every_form_is_done_and_named_in_the_entry(
    sink: ListSink, push: Push, form: str, derived: bool
) -> None:
    entry = check(process(make_worker(smoke_test, sink=sink), push), sink, "done", 200)
    assert (entry["form"], entry["message_id_derived"]) == (form, derived)


def test_what_a_handler_logs_belongs_to_its_message_and_cannot_pose_as_the_worker(
    sink: ListSink,
) -> None:
    def do(context: Context) -> None:
        context.log.info("step.one", n=1)
        context.log.bind(message_id="FAKE", feature="FAKE", severity="FAKE").warning("step.two")
        context.log.info("message.seen", message_id="FAKE", odd=Hostile(SystemExit))

    check(ends(do, sink), sink, "done", 200)
    assert [entry["event"] for entry in sink.entries] == [
        "step.one", "step.two", "message.seen", "message.processed",
    ]  # fmt: skip
    operations = [entry[SPECIAL + "operation"] for entry in sink.entries]
    assert [("first" in o, "last" in o) for o in operations] == [
        (True, False), (False, False), (False, False), (False, True),
    ]  # fmt: skip
    for entry in sink.entries:
        assert (entry["message_id"], entry["feature"]) == ("1", "step")
        assert entry[SPECIAL + "labels"]["feature"] == "step"
        assert entry["severity"] in ("INFO", "WARNING")


def test_the_smoke_test_writes_its_entry_with_description_and_nonce(sink: ListSink) -> None:
    payload = {"feature": "smoke_test", "description": "why", "requirements": {"nonce": "n1"}}
    entry = check(
        process(make_worker(smoke_test, sink=sink), push_of(wrapped(payload))), sink, "done", 200
    )
    (passed,) = sink.events("smoke_test.passed")
    assert (passed["description"], passed["nonce"], passed["severity"]) == ("why", "n1", "INFO")
    assert entry["result"] == {"status": "ok", "message": "Smoke test successful. Log generated."}


def test_the_canonical_entry_is_written_whatever_the_level(sink: ListSink) -> None:
    check(ends(lambda _: None, sink, log=Log(sink, level=50)), sink, "done", 200)


def test_a_publish_time_at_the_edge_of_the_calendar_is_only_a_number(sink: ListSink) -> None:
    for time in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"):
        sink.entries.clear()
        body = wrapped({"feature": "step"})
        body["message"]["publishTime"] = time
        check(
            process(make_worker(Steps(lambda _: None).feature, sink=sink), push_of(body)),
            sink,
            "done",
            200,
        )


# --- whatever comes


@given(PUSHES)
@example(Push((), b"[" * 100_000))
@example(Push((("x-goog-pubsub-message-id", "\ud800"),), b'{"feature":"smoke_test"}'))
@example(Push((("ce-specversion", "1.0"), ("ce-id", "\ud800")), b""))
@example(Push((("traceparent", "\ud800"), ("content-type", "\ud800")), b""))
def test_any_bytes_and_headers_are_one_of_our_outcomes_and_never_a_500(push: Push) -> None:
    sink = ListSink()
    answer = process(replace(EVERYTHING, log=Log(sink)), push)
    assert answer.outcome in OUTCOMES
    assert answer.status in answer.outcome.statuses
    assert answer.status != 500
    json.dumps(answer.body(), ensure_ascii=False).encode()
    check(answer, sink, answer.outcome.name, answer.status)


EVERYTHING = make_worker(smoke_test)


class BatchingSink(ListSink):
    """Keeps the entries of each push apart, until its batch is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    def batch(self) -> ListSink:
        outer, batch = self, ListSink()
        batch.close = lambda: outer.entries.extend(batch.entries)  # type: ignore[method-assign]
        self.batches += 1
        return batch


def test_all_entries_of_a_push_are_delivered_in_its_batch() -> None:
    def do(context: Context) -> None:
        context.log.info("step.one")
        assert batching.entries == []

    batching = BatchingSink()
    worker = make_worker(Steps(do).feature, sink=batching)
    process(worker, step_push())
    assert [entry["event"] for entry in batching.entries] == ["step.one", "message.processed"]
    batching.entries.clear()
    run_directly(worker, "step", push_of(b""))
    assert [entry["event"] for entry in batching.entries] == ["step.one"]
    assert batching.batches == 2


def run_both_ways(worker: Worker) -> None:
    process(worker, step_push())
    run_directly(worker, "step", push_of(b""))


def test_a_handler_has_the_budget_from_the_start_of_its_push() -> None:
    seen: list[Context] = []

    def clock() -> float:
        return 100.0

    worker = make_worker(Steps(seen.append).feature, budget_seconds=5.0, clock=clock)
    run_both_ways(worker)
    deadline = Deadline(105.0, clock, worker.shutdown)
    assert [context.deadline for context in seen] == [deadline] * 2


def test_what_a_handlers_library_logs_belongs_to_the_message(sink: ListSink) -> None:
    library = logging.Logger("library")  # noqa: LOG001 - getLogger's would stay
    library.addHandler(LoggingHandler(Log(ListSink())))
    run_both_ways(make_worker(Steps(lambda _: library.info("m")).feature, sink=sink))
    in_push, directly = sink.events("log")
    assert (in_push["feature"], in_push["message_id"]) == ("step", "1")
    assert directly["feature"] == "step"


# --- without a message


def test_a_feature_that_is_run_directly_gets_an_empty_message() -> None:
    seen: list[Context] = []
    run_directly(make_worker(Steps(seen.append).feature), "step", push_of(b"x"))
    (context,) = seen
    assert context.message == Message("", b"", {}, Form.UNWRAPPED_NO_METADATA)
    assert context.description == "called over HTTP"


def test_a_feature_can_be_run_directly_with_its_entries_and_no_canonical_one(
    sink: ListSink,
) -> None:
    result = run_directly(make_worker(smoke_test, sink=sink), "smoke_test", push_of(b""))
    assert result is not None
    assert result.model_dump()["status"] == "ok"
    (entry,) = sink.entries
    assert (entry["event"], entry["feature"]) == ("smoke_test.passed", "smoke_test")
    assert entry[SPECIAL + "labels"] == {"feature": "smoke_test"}


def test_running_directly_claims_nothing_and_raises_what_the_handler_raises() -> None:
    worker = make_worker(smoke_test, Steps(raising(Retry("not yet"))).feature)
    assert run_directly(worker, "smoke_test", push_of(b"")) == run_directly(
        worker, "smoke_test", push_of(b"")
    )
    with pytest.raises(Retry):
        run_directly(worker, "step", push_of(b""))
    with pytest.raises(UnknownFeature):
        run_directly(worker, "other", push_of(b""))


def test_the_usual_clock_tells_the_time_with_its_zone() -> None:
    assert abs(make_worker().now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert Deadline.after(1.0, make_worker().clock).remaining() <= 1.0
