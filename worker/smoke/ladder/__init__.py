"""The ladder: everything between a publisher and a log entry that can be broken, in order."""

from collections.abc import Callable
from dataclasses import replace

from worker.smoke.evidence import Evidence
from worker.smoke.ladder.access import iam, token
from worker.smoke.ladder.delivery import backlog, dead_lettered, nacks
from worker.smoke.ladder.endpoint import endpoint_reachable, endpoint_url
from worker.smoke.ladder.handling import crashed, quarantined
from worker.smoke.ladder.rung import Rung
from worker.smoke.ladder.service import revision
from worker.smoke.ladder.sink import log_sink
from worker.smoke.ladder.source import subscription, topic

# In the order in which a message meets them; docs/smoke.md has a row for each.
RUNGS: dict[str, Callable[[Evidence], Rung]] = {
    "topic": topic,
    "subscription": subscription,
    "revision": revision,
    "endpoint_url": endpoint_url,
    "endpoint_reachable": endpoint_reachable,
    "iam": iam,
    "token": token,
    "backlog": backlog,
    "nacks": nacks,
    "dead_lettered": dead_lettered,
    "quarantined": quarantined,
    "crashed": crashed,
    "log_sink": log_sink,
}
# What came to the worker and failed: of these, that Pub/Sub gave up is the last word.
_HANDLING = ("backlog", "nacks", "dead_lettered", "quarantined", "crashed", "log_sink")
_LAST_WORD = "dead_lettered"


def climb(evidence: Evidence) -> tuple[Rung, ...]:
    """Every rung, in their order."""
    return tuple(replace(judge(evidence), name=name) for name, judge in RUNGS.items())


def cause(rungs: tuple[Rung, ...]) -> Rung | None:
    """The first broken rung: those after it may be broken because of it."""
    found = [one for one in rungs if one.is_broken]
    first = next(iter(found), None)
    if first is None or first.name not in _HANDLING:
        return first
    return next((one for one in found if one.name == _LAST_WORD), first)
