"""The auditor sees every way to break the promise; without these, no figure of it counts."""

from typing import Any

from tests.faults.audit import Evidence, Kept, Verdict, audit, told, unprotected
from tests.faults.ledger import Run
from tests.faults.messages import QUICK, REJECT, Fate, Sent, pushed

MESSAGE = pushed(QUICK, 1)
BAD = pushed(REJECT, 1)
KEPT = Kept(BAD.id, "can never succeed", BAD.data, BAD.body)
KILLED, ALIVE = 7, 8  # processes


def run(began: float, ended: float | None = None, end: str = "done", pid: int = ALIVE) -> Run:
    """A run of MESSAGE; without an end it was cut off, or goes on."""
    return Run(MESSAGE.id, pid, began) if ended is None else Run(MESSAGE.id, pid, began, ended, end)


def judge(
    *runs: Run, kept: tuple[Kept, ...] = (), message: Sent = MESSAGE, **known: Any
) -> Verdict:
    return audit(
        [message], Evidence(runs, kept, **{"with_pubsub": (), "killed": {KILLED}, **known})
    )


def test_a_message_that_ran_once_is_handled_once() -> None:
    verdict = judge(run(1, 2))
    assert verdict == Verdict({MESSAGE.id: Fate.HANDLED})


def test_a_message_that_is_nowhere_is_lost() -> None:
    assert judge().lost == [MESSAGE.id]
    assert judge(run(1, 2, "retry")).lost == [MESSAGE.id]
    assert judge(run(1, pid=KILLED)).lost == [MESSAGE.id]


def test_a_message_that_pubsub_has_is_handed_back() -> None:
    assert judge(with_pubsub={MESSAGE.id}).fates == {MESSAGE.id: Fate.HANDED_BACK}


def test_a_message_is_quarantined_with_its_bytes_and_a_reason() -> None:
    assert judge(kept=(KEPT,), message=BAD).fates == {BAD.id: Fate.QUARANTINED}
    for broken in ({"body": BAD.body[:-1]}, {"reason": ""}, {"data": b"", "body": b""}):
        assert judge(kept=(KEPT._replace(**broken),), message=BAD).lost == [BAD.id], broken


def test_a_message_that_ends_in_two_ways_ends_twice() -> None:
    assert judge(kept=(KEPT, KEPT), message=BAD).twice == [BAD.id]
    kept = KEPT._replace(message_id=MESSAGE.id, data=MESSAGE.data, body=MESSAGE.body)
    assert judge(run(1, 2), kept=(kept,)).twice == [MESSAGE.id]


def test_failed_runs_may_be_followed_by_others() -> None:
    assert judge(run(1, 2, "retry"), run(3, 4, "crash"), run(5, 6)).twice == []


def test_a_run_after_one_that_was_done_is_one_too_many() -> None:
    for second in (run(3, 4), run(3, 4, "retry"), run(3), run(3, pid=KILLED)):
        assert judge(run(1, 2), second).twice == [MESSAGE.id], second


def test_runs_at_the_same_time_are_one_too_many() -> None:
    assert judge(run(1, 3, "retry"), run(2, 4)).twice == [MESSAGE.id]
    assert judge(run(1, 4), run(2, 3, "retry")).twice == [MESSAGE.id]


def test_a_run_that_was_killed_before_it_was_marked_is_interrupted() -> None:
    for first in (run(1, pid=KILLED), run(1, 2, pid=KILLED)):
        verdict = judge(first, run(3, 4))
        assert (verdict.interrupted, verdict.twice) == ([MESSAGE.id], [])


def test_a_run_whose_entry_says_done_was_not_interrupted() -> None:
    verdict = judge(run(1, 2, pid=KILLED), run(3, 4), told={(KILLED, MESSAGE.id)})
    assert (verdict.interrupted, verdict.twice) == ([], [MESSAGE.id])


def test_a_run_that_the_end_of_a_drained_process_cut_off_is_interrupted() -> None:
    for first in (run(1), run(1, 2)):
        verdict = judge(first, run(3, 4), drained={ALIVE})
        assert (verdict.interrupted, verdict.twice) == ([MESSAGE.id], [])
    told = {(ALIVE, MESSAGE.id)}
    assert judge(run(1, 2), run(3, 4), drained={ALIVE}, told=told).twice == [MESSAGE.id]


def test_a_run_that_is_only_killed_when_all_was_done_interrupts_nothing() -> None:
    assert judge(run(1, 2, pid=KILLED)).interrupted == []


def test_runs_without_a_claim_are_counted_apart_if_the_entry_says_so() -> None:
    verdict = judge(run(1, 2), run(3, 4), unprotected={(ALIVE, MESSAGE.id)})
    assert (verdict.unclaimed, verdict.twice) == ([MESSAGE.id], [])


def test_what_the_store_has_forgotten_may_run_again_but_once() -> None:
    assert judge(run(1, 2), run(4, 5), forgotten=3).unclaimed == [MESSAGE.id]
    assert judge(run(1, 2), run(4, 5), run(6, 7), forgotten=3).twice == [MESSAGE.id]


def test_entries_tell_who_has_handled_what() -> None:
    entry = {"event": "message.processed", "outcome": "done", "message_id": "m", "severity": "INFO"}
    entry["logging.googleapis.com/insertId"] = "18a-1f-00000001"
    late = {**entry, "event": "handler.late", "outcome": None, "severity": "NOTICE"}
    failed = {**late, "severity": "ERROR"}
    assert told([entry]) == told([late]) == {(0x1F, "m")}
    assert told([failed, {**entry, "outcome": "busy"}]) == set()
    assert unprotected([entry, {**entry, "message_id": "n", "unprotected": True}]) == {(0x1F, "n")}
