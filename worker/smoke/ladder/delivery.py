"""Does the message wait, come again and again, or did Pub/Sub give up on it?"""

from datetime import timedelta

from worker.outcome import BUSY, CRASHED, DRAINING, OVERLOADED, RETRY, TIMED_OUT
from worker.smoke.evidence import Backlog, Evidence, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, not_asked, ok, unknown
from worker.smoke.processed import Processed

_OLDER = timedelta(seconds=5)  # than ours: others wait before it
_NACKS = frozenset(one.name for one in (RETRY, BUSY, TIMED_OUT, OVERLOADED, DRAINING))
_NO_PART = "the message was pushed to --url"
_TOO_MANY, _FIRST_ERROR = 429, 500
_MOST_SECONDS = 600  # of an ack deadline


def backlog(evidence: Evidence) -> Rung:
    """Older messages that are not acked. Cloud Monitoring is some minutes behind."""
    if evidence.question.url:
        return not_asked(_NO_PART)
    if evidence.arrived:
        return ok("the message did not wait")
    if isinstance(evidence.backlog, Unknown):
        return unknown(evidence.backlog.why)
    if evidence.backlog is None:
        return ok("Cloud Monitoring knows of none yet")
    if _waits_behind(evidence.backlog, evidence):
        return _behind(evidence, evidence.backlog)
    return ok(f"{evidence.backlog.messages} messages wait")


def _waits_behind(found: Backlog, evidence: Evidence) -> bool:
    older = found.oldest is not None and found.oldest < evidence.sent.began - _OLDER
    return found.messages > 1 and older


def _behind(evidence: Evidence, found: Backlog) -> Rung:
    its = evidence.question.deployment
    commands = Commands(its)
    age = (found.time - found.oldest) / timedelta(seconds=1) if found.oldest else 0.0
    return broken(
        f"{found.messages} messages wait, the oldest for {age:.0f} s",
        "The message has its turn after them. Either the worker is slower than the publishers, or "
        "many messages are nacked, which slows down the whole subscription.",
        commands.set_instances(2 * its.max_instances), commands.errors(),
        messages=found.messages, oldest_seconds=round(age, 1),
    )  # fmt: skip


def nacks(evidence: Evidence) -> Rung:
    """The message came, and will come again: what the worker said, else what Cloud Run did."""
    nacked = [one for one in evidence.ours if one.outcome in _NACKS]
    if nacked:
        return _nacked(evidence, nacked)
    if evidence.ours:
        return ok("it was not nacked")
    failures = _failures(evidence)
    if failures:
        return _failed(evidence, failures)
    if isinstance(evidence.requests, Unknown) and not evidence.question.url:
        return unknown(evidence.requests.why)
    return ok("no push failed")


def _failures(evidence: Evidence) -> list[int]:
    """Statuses without an entry: the container is not there, or ended in the middle."""
    answer = evidence.sent.answer
    statuses = [answer.status] if answer else evidence.statuses()
    return [one for one in statuses if one == _TOO_MANY or one >= _FIRST_ERROR]


def _nacked(evidence: Evidence, nacked: list[Processed]) -> Rung:
    last = nacked[-1]
    said = [{"outcome": one.outcome, "status": one.status, "reason": one.reason} for one in nacked]
    times = "once" if len(nacked) == 1 else f"{len(nacked)} times"
    return broken(
        f"the worker nacked the message {times}, last: {last.outcome} ({last.reason})",
        f"{_WHY.get(last.outcome, '')} docs/outcomes.md explains each outcome.".strip(),
        *_mending(evidence, last.outcome),
        deliveries=said,
    )


_WHY = {
    RETRY.name: "The handler, or the store of claims, asked for another delivery.",
    BUSY.name: "Another delivery of the same message still runs.",
    TIMED_OUT.name: "The handler is slower than the ack deadline.",
    OVERLOADED.name: "No handler thread was free.",
    DRAINING.name: "The instance was being stopped; another one will take it.",
}


def _mending(evidence: Evidence, outcome: str) -> tuple[str, ...]:
    its = evidence.question.deployment
    commands = Commands(its)
    seconds = min(6 * its.ack_deadline_seconds, _MOST_SECONDS)
    mend = {
        TIMED_OUT.name: (
            commands.set_ack_deadline(seconds),
            commands.set_variables(ACK_DEADLINE_SECONDS=str(seconds)),
        ),
        OVERLOADED.name: (commands.set_instances(2 * its.max_instances),),
    }.get(outcome, ())
    query = f'resource.labels.service_name="{its.service}"\njsonPayload.outcome="{outcome}"'
    return (*mend, commands.read_log(query))


def _failed(evidence: Evidence, statuses: list[int]) -> Rung:
    commands = Commands(evidence.question.deployment)
    shown = ", ".join(map(str, sorted(set(statuses))))
    return broken(
        f"pushes are answered {shown}, without an entry of the worker",
        "Not the worker answers, but Cloud Run: no instance is free (429, 503), the container "
        "does not start, or it ended in the middle, for want of memory perhaps.",
        commands.errors(), commands.show_service(),
        statuses=statuses, errors=list(evidence.errors),
    )  # fmt: skip


def dead_lettered(evidence: Evidence) -> Rung:
    """The message itself was looked for, and left where it is."""
    if evidence.question.url:
        return not_asked(_NO_PART)
    found = evidence.dead
    if isinstance(found, Unknown):
        return unknown(found.why)
    if found is None:
        return ok("the message is not there")
    its, last = evidence.question.deployment, evidence.last
    reason = f"{last.outcome} ({last.reason})" if last else "no entry says why"
    trace = {"stack_trace": last.text("stack_trace")} if last and _crashed(last) else {}
    commands = Commands(its)
    return broken(
        f"Pub/Sub gave up after {found.attempts or 'some'} attempts, last: {reason}",
        "It comes no more by itself. Mend what made it fail, then replay it: "
        f"python -m worker quarantine list --from {its.subscription_name(its.dead_letter_topic)}",
        commands.peek(its.dead_letter_topic), commands.errors(),
        attempts=found.attempts, reason=last.reason if last else found.reason, **trace,
    )  # fmt: skip


def _crashed(last: Processed) -> bool:
    return last.outcome == CRASHED.name
