"""Did the worker reject the message, or crash over it?"""

from worker.outcome import CRASHED, REJECTED
from worker.smoke.evidence import Evidence
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, ok
from worker.smoke.processed import Processed


def quarantined(evidence: Evidence) -> Rung:
    """The entry has the reason."""
    found = [one for one in evidence.ours if one.outcome == REJECTED.name]
    if not found:
        return ok("no entry says so")
    last = found[-1]
    return _kept(evidence, last) if last.final else _not_kept(evidence, last)


def _kept(evidence: Evidence, last: Processed) -> Rung:
    its = evidence.question.deployment
    commands = Commands(its)
    return broken(
        f"the worker rejected the message: {last.reason}",
        "It is quarantined, and was acked. A smoke test that is rejected means that this image "
        "lacks the handler smoke_test, or has another one: HANDLERS says where they are.",
        commands.show_service(), commands.deploy(),
        reason=last.reason, quarantine=last.text("quarantine"),
        quarantine_id=last.text("quarantine_id"),
    )  # fmt: skip


def _not_kept(evidence: Evidence, last: Processed) -> Rung:
    commands = Commands(evidence.question.deployment)
    return broken(
        f"the worker rejected the message, and could not quarantine it: {last.reason}",
        "It was nacked, and comes again. With QUARANTINE=none that is what was asked for; else "
        "the account that the worker runs as may not publish to the quarantine topic.",
        commands.allow_quarantine(), commands.show_service(),
        reason=last.reason,
    )  # fmt: skip


def crashed(evidence: Evidence) -> Rung:
    """The entry has the stack trace."""
    found = [one for one in evidence.ours if one.outcome == CRASHED.name]
    if not found:
        return ok("no entry says so")
    last = found[-1]
    commands = Commands(evidence.question.deployment)
    return broken(
        f"the handler crashed: {last.reason}",
        "An unexpected exception: the message comes again until it is mended. Take the traffic "
        "back to the revision before, or deploy one without the bug.",
        commands.list_revisions(), commands.deploy(),
        reason=last.reason, revision=last.revision, stack_trace=last.text("stack_trace"),
    )  # fmt: skip
