"""Was the message acked, and its entry not kept?"""

from collections.abc import Iterator

from worker.outcome import DUPLICATE
from worker.smoke.evidence import Backlog, Evidence, Json, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, ok, unknown

_DEFAULT = "_Default"  # the sink that keeps what nobody routed elsewhere
_ACKS = frozenset({200, 201, 202, 204})


def log_sink(evidence: Evidence) -> Rung:
    """What is acked without an entry was written to stdout, and left out by Cloud Logging."""
    if any(one.outcome != DUPLICATE.name for one in evidence.ours):
        return ok("entries of the message are in the log")
    acked = _acked(evidence)
    if isinstance(evidence.sinks, Unknown):
        return _lost(evidence, ()) if acked else unknown(evidence.sinks.why)
    causes = tuple(cause for sink in evidence.sinks for cause in _causes(evidence, sink))
    closed = any(one.get("name") == _DEFAULT and one.get("disabled") for one in evidence.sinks)
    if acked or closed or (acked is None and causes):
        return _lost(evidence, causes)
    return ok("the message was not acked" if acked is False else "no sink leaves entries out")


def _acked(evidence: Evidence) -> bool | None:
    """Whether it was; None where nothing tells."""
    if evidence.sent.answer is not None:
        return evidence.sent.answer.acked
    if evidence.sent.missing or evidence.sent.unreachable:
        return False
    if evidence.ours or _ACKS & set(evidence.statuses()):
        return True
    if evidence.statuses() or evidence.refused:
        return False
    return _gone(evidence)


def _gone(evidence: Evidence) -> bool | None:
    """Whether Cloud Monitoring, since then, saw pushes acked and nothing waiting."""
    responses, waiting = evidence.responses, evidence.backlog
    if isinstance(waiting, Backlog) and waiting.time > evidence.sent.ended:
        acks = 0 if isinstance(responses, Unknown) else responses.get("ack", 0)
        return (acks > 0 and waiting.messages == 0) or (None if not waiting.messages else False)
    return None


def _causes(evidence: Evidence, sink: Json) -> Iterator[tuple[str, str]]:
    """What a sink leaves out, and the command that keeps it."""
    commands, name = Commands(evidence.question.deployment), str(sink.get("name"))
    if name != _DEFAULT:
        return
    if sink.get("disabled"):
        yield f"the sink {name} is disabled", commands.enable_sink(name)
    for one in sink.get("exclusions") or []:
        if not one.get("disabled"):
            what = f"the sink {name} excludes {one.get('filter')} ({one.get('name')})"
            yield what, commands.remove_exclusion(name, str(one.get("name")))


def _lost(evidence: Evidence, causes: tuple[tuple[str, str], ...]) -> Rung:
    commands = Commands(evidence.question.deployment)
    found = "; ".join(what for what, _ in causes) or "no sink was seen that leaves it out"
    acked = "the message was acked, but its entry is not in the log"
    unsure = "the entries of the service do not come into the log"
    return broken(
        f"{acked if _acked(evidence) else unsure}: {found}",
        "The worker writes the canonical entry before it answers, whatever LOG_LEVEL is. What "
        "Cloud Logging excludes is gone; what another sink takes is in that sink's bucket.",
        *(command for _, command in causes), commands.list_sinks(),
        sinks=[what for what, _ in causes],
    )  # fmt: skip
