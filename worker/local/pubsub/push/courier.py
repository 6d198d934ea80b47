"""One push from begin to end: the request, its answer, and what that means for the message."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from worker.local.clock import Clock
from worker.local.pubsub.leases import Leased, PushTarget
from worker.local.pubsub.push.bodies import PushRequest, Trace, fresh_trace, request_of
from worker.local.pubsub.push.connection import Answer
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.local.pubsub.push.front import SERVER, Front
from worker.local.pubsub.push.records import BODY_KEPT, Attempt
from worker.local.pubsub.push.tokens import Tokens
from worker.local.pubsub.push.wire import Missed, NoAnswer, Stopped, Wire

# Source: Pub/Sub push, "To acknowledge the message".
ACKS = frozenset({102, 200, 201, 202, 204})
_WORD = 200  # characters of an outcome
_SENTENCE = 2000  # characters of a reason


class Verdict(Enum):
    """What becomes of the message."""

    ACK = "ack"
    NACK = "nack"
    RELEASE = "release"  # we did not wait for the answer


@dataclass(frozen=True, slots=True)
class Job:
    """A message to push. `faults` names what was done to it on the way here."""

    message: Leased
    target: PushTarget
    faults: tuple[str, ...] = ()
    again: bool = False  # once more, although the first push was acked
    drops: bool = True  # whether its answer may be dropped


class Courier:
    """Pushes, from any thread. What happens is told to `deliveries`; `on_attempt` hears the end."""

    def __init__(
        self,
        clock: Clock,
        deliveries: Deliveries,
        tokens: Tokens,
        faults: Faults,
        on_attempt: Callable[[Attempt], None],
    ) -> None:
        self._clock = clock
        self._deliveries = deliveries
        self._tokens = tokens
        self._faults = faults
        self._on_attempt = on_attempt
        self._wire = Wire()
        self.front = Front()
        self._stopped = threading.Event()
        self._random = random.Random()  # noqa: S311 - chooses faults, no secrets

    def stop(self) -> None:
        """Cut what is under way, and push nothing from now on."""
        self._stopped.set()
        self.front.close()
        self._wire.close()

    def tidy(self) -> bool:
        """Close connections that are not used any more: whether others are kept."""
        return self._wire.tidy()

    def push(self, job: Job) -> Verdict:
        """Push a message, and a second time where the job says so: the first push counts."""
        verdict = self._push(job)
        if job.again and verdict is Verdict.ACK:
            self._push(replace(job, faults=(*job.faults, "duplicate")))
        return verdict

    def _push(self, job: Job) -> Verdict:
        delay = self._faults.get().delay_seconds
        if self._stopped.wait(delay) if delay else self._stopped.is_set():
            return Verdict.RELEASE
        trace = fresh_trace()
        request = request_of(job.message, job.target, trace, self._token(job.target))
        faults = (*job.faults, "delay") if delay else job.faults
        attempt = self._begin(replace(job, faults=faults), request, trace)
        began = time.monotonic()
        if (refused := self.front.refuses(job.target)) is None:
            verdict, ended = self._exchange(job, attempt, request)
        else:
            verdict, ended = Verdict.NACK, _refused(attempt, *refused)
        ended = replace(ended, seconds=time.monotonic() - began)
        self._deliveries.end(ended)
        self._on_attempt(ended)
        return verdict

    def _exchange(
        self, job: Job, attempt: Attempt, request: PushRequest
    ) -> tuple[Verdict, Attempt]:
        """Send it: the verdict, and the attempt as it ended."""
        try:
            answer = self._post(job.target, request)
        except Stopped as error:
            return Verdict.RELEASE, replace(attempt, result="unreachable", reason=str(error))
        except Missed as error:
            return Verdict.NACK, replace(attempt, result="deadline", reason=str(error))
        except NoAnswer as error:
            return Verdict.NACK, replace(attempt, result="unreachable", reason=str(error))
        ended = _answered(attempt, answer)
        if answer.status not in ACKS:
            return Verdict.NACK, replace(ended, result="nack")
        if job.drops and self._random.random() < self._faults.get().drop_answer:
            fault = f"{ended.fault}, drop_answer".removeprefix(", ")
            return Verdict.NACK, replace(ended, result="dropped", fault=fault)
        return Verdict.ACK, replace(ended, result="ack")

    def _post(self, target: PushTarget, request: PushRequest) -> Answer:
        """Send it when there is a place for it; the ack deadline counts from now. NoAnswer."""
        seconds = target.ack_deadline_seconds
        until = time.monotonic() + seconds
        with self.front.place(target.endpoint, seconds):
            try:
                return self._wire.post(target.endpoint, request, until - time.monotonic())
            except Missed:
                raise Missed(f"no answer within {seconds} s") from None

    def _begin(self, job: Job, request: PushRequest, trace: Trace) -> Attempt:
        attempt = Attempt(
            id=0,
            delivery_id=0,
            subscription=job.target.subscription,
            message_id=job.message.message_id,
            attempt=job.message.attempt,
            endpoint=job.target.endpoint,
            started=self._clock.now(),
            request_headers=dict(request.shown()),
            request_size=len(request.body),
            trace=trace.trace,
            span=trace.span,
            fault=", ".join(job.faults),
        )
        return self._deliveries.begin(job.message, attempt)

    def _token(self, target: PushTarget) -> str:
        if not target.service_account:
            return ""
        return self._tokens.token(target.service_account, target.audience or target.endpoint)


def _refused(attempt: Attempt, status: int, why: str) -> Attempt:
    """The front end answered, with a page for people as it does; the worker heard nothing."""
    body = f"<html><head><title>{status}</title></head><body><h2>{why}</h2></body></html>"
    return replace(
        attempt,
        status=status,
        result="nack",
        reason=why,
        response_headers={"server": SERVER, "content-type": "text/html; charset=UTF-8"},
        response_body=body,
        response_size=len(body),
    )


def _answered(attempt: Attempt, answer: Answer) -> Attempt:
    text = answer.body.decode("utf-8", "replace")
    outcome, reason = _said(text)
    return replace(
        attempt,
        status=answer.status,
        outcome=outcome[:_WORD],
        reason=reason[:_SENTENCE],
        response_headers=dict(answer.headers),
        response_body=text[:BODY_KEPT],
        response_size=len(answer.body),
    )


def _said(text: str) -> tuple[str, str]:
    """The outcome and the reason in a worker's answer, "" where there is none."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    found = said if isinstance(said, dict) else {}
    outcome, reason = (found.get(name) for name in ("outcome", "reason"))
    return str(outcome or ""), str(reason or "")
