"""The promise, decided for every message: handled once, handed back, or quarantined whole."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.faults.ledger import Run
from tests.faults.messages import Fate, Sent


class Kept(NamedTuple):
    """A record of the quarantine: the message's data, and the push's body where that is known."""

    message_id: str
    reason: str
    data: bytes
    body: bytes


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end of a scenario."""

    runs: Sequence[Run]
    kept: Sequence[Kept]
    with_pubsub: Collection[str]  # messages that are not acked
    killed: Collection[int] = ()  # processes that ended by SIGKILL
    drained: Collection[int] = ()  # processes that ended after SIGTERM
    told: Collection[tuple[int, str]] = ()  # process and message, as the entries say
    unprotected: Collection[tuple[int, str]] = ()
    forgotten: float = -1  # line of the ledger at which the store lost what it knew

    def was_cut_off(self, run: Run) -> bool:
        """Whether the process ended before it could mark the key done, or say that it did."""
        ended = run.pid in self.killed or run.pid in self.drained
        return ended and run.end in ("", "done") and (run.pid, run.message_id) not in self.told

    def was_unclaimed(self, run: Run) -> bool:
        """Whether the worker ran it without a claim, and said so."""
        return (run.pid, run.message_id) in self.unprotected


@dataclass
class Verdict:
    """What became of the messages of a scenario."""

    fates: dict[str, Fate] = field(default_factory=dict)
    interrupted: list[str] = field(default_factory=list)  # run again after a run was cut off
    unclaimed: list[str] = field(default_factory=list)  # run again without the store's protection
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)  # run, or ended, twice without a reason

    def count(self, fate: Fate) -> int:
        return sum(found is fate for found in self.fates.values())


def told(entries: Iterable[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """Process and message of each entry that says it was handled, in time or late."""
    return {_process_and_message(entry) for entry in entries if _was_handled(entry)}


def unprotected(entries: Iterable[Mapping[str, Any]]) -> set[tuple[int, str]]:
    """Process and message of each entry that says it was handled without a claim."""
    return {_process_and_message(entry) for entry in entries if entry.get("unprotected")}


def _was_handled(entry: Mapping[str, Any]) -> bool:
    late = entry.get("event") == "handler.late" and entry["severity"] == "NOTICE"
    return late or entry.get("outcome") == "done"


def _process_and_message(entry: Mapping[str, Any]) -> tuple[int, str]:
    """An entry's id names the process that wrote it."""
    process = entry["logging.googleapis.com/insertId"].split("-")[1]
    return int(process, 16), str(entry["message_id"])


def audit(messages: Sequence[Sent], evidence: Evidence) -> Verdict:
    """Decide for each message."""
    verdict = Verdict()
    for message in messages:
        runs = [run for run in evidence.runs if run.message_id == message.id]
        kept = [one for one in evidence.kept if one.message_id == message.id]
        _look_at_runs(message.id, runs, evidence, verdict)
        fate = _fate(message, runs, kept, evidence)
        if fate is None:
            verdict.lost.append(message.id)
            continue
        verdict.fates[message.id] = fate
        if len(kept) > 1 or (kept and fate is Fate.HANDLED):
            verdict.twice.append(message.id)
    return verdict


def _fate(
    message: Sent, runs: Sequence[Run], kept: Sequence[Kept], evidence: Evidence
) -> Fate | None:
    """None: it was acked, and there is nothing to show for it."""
    if any(run.end == "done" for run in runs):
        return Fate.HANDLED
    if any(_is_whole(one, message) for one in kept):
        return Fate.QUARANTINED
    return Fate.HANDED_BACK if message.id in evidence.with_pubsub else None


def _is_whole(kept: Kept, message: Sent) -> bool:
    same = kept.body == message.body if message.body and kept.body else kept.data == message.data
    return same and bool(kept.reason)


def _look_at_runs(
    message_id: str, runs: Sequence[Run], evidence: Evidence, verdict: Verdict
) -> None:
    """Each run after one that counts, or beside another one, needs a reason."""
    verdict.interrupted += [message_id for run in runs[:-1] if evidence.was_cut_off(run)]
    for number, run in enumerate(runs):
        earlier = [one for one in runs[:number] if _counts_against(run, one, evidence)]
        if not earlier:
            continue
        unclaimed = any(evidence.was_unclaimed(one) for one in (run, *earlier))
        forgotten = all(one.ended < evidence.forgotten < run.began for one in earlier)
        (verdict.unclaimed if unclaimed or forgotten else verdict.twice).append(message_id)


def _counts_against(run: Run, earlier: Run, evidence: Evidence) -> bool:
    if evidence.was_cut_off(earlier):
        return False
    return run.overlaps(earlier) or (earlier.end == "done" and run.began > earlier.ended)
