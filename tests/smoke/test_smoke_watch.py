"""Waiting for an entry: within the quota, through small failures, and no longer than it must."""

from dataclasses import replace
from datetime import timedelta
from itertools import accumulate, islice, takewhile
from typing import Any

import pytest

from tests.smoke.planted import BEGAN, BY_TOPIC, BY_URL, REVISION, SENT, entry
from worker.rest import CallFailed
from worker.smoke.question import Question, Time
from worker.smoke.watch import Watched, pauses, query_of, watch

DONE = entry({"outcome": "done", "status": 200})
CRASHED = entry({"outcome": "crashed", "status": 500}, timestamp="2026-11-21T19:00:01Z")
REJECTED = entry({"outcome": "rejected", "status": 200})
NOT_KEPT = entry({"outcome": "rejected", "status": 500})
PASSED = entry({"event": "smoke_test.passed", "nonce": "smoke-1"})

Answer = list[dict[str, Any]] | CallFailed


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> Time:
        return Time(lambda: BEGAN + timedelta(seconds=self.passed), lambda: self.passed, self.sleep)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.passed += seconds


class Log:
    """Gives these answers one after the other, and the last for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.queries: list[str] = []

    def find(self, query: str, most: int = 20) -> list[dict[str, Any]]:
        self.queries.append(query)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CallFailed):
            raise answer
        return answer


def watched(log: Log, question: Question = BY_TOPIC, seconds: float = 90.0) -> Watched:
    return watch(question, SENT, log, Clock().time(), (pauses(), seconds))


def outcomes(found: Watched) -> list[str]:
    return [one.outcome for one in found.processed]


def test_no_minute_holds_more_than_half_of_the_quota() -> None:
    calls = [0.0, *takewhile(lambda at: at < 600, accumulate(pauses()))]
    most = max(sum(start <= at < start + 60 for at in calls) for start in calls)
    assert most <= 24  # and the ladder reads four times


def test_the_first_looks_follow_each_other_closely() -> None:
    assert list(islice(pauses(), 6)) == [0.2, 0.4, 0.8, 1.6, 3.0, 3.0]


def test_it_asks_for_the_entries_of_this_message_of_this_service() -> None:
    log = Log([DONE])
    watched(log)
    assert log.queries == [query_of(BY_TOPIC, SENT)]
    assert log.queries[0].splitlines() == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="feature-worker"',
        'jsonPayload.message_id="4711"',
        'timestamp>="2026-11-21T18:55:00Z"',
    ]


@pytest.mark.parametrize(
    ("answers", "calls", "found"),
    [
        (([], [], [PASSED], [DONE, PASSED]), 4, ["done"]),
        (([], [REJECTED]), 2, ["rejected"]),
        (([CRASHED], [CRASHED], [DONE, CRASHED]), 3, ["crashed", "done"]),
        (([NOT_KEPT], [DONE, NOT_KEPT]), 2, ["rejected", "done"]),
    ],
)
def test_it_ends_when_no_later_delivery_can_change_it(
    answers: tuple[Answer, ...], calls: int, found: list[str]
) -> None:
    log = Log(*answers)
    assert outcomes(watched(log)) == found
    assert len(log.queries) == calls


def test_at_a_url_the_first_entry_is_the_last() -> None:
    log = Log([CRASHED])
    assert outcomes(watched(log, BY_URL)) == ["crashed"]
    assert len(log.queries) == 1


def test_it_ends_with_the_time_and_looks_once_more_then() -> None:
    log = Log([])
    clock = Clock()
    found = watch(BY_TOPIC, SENT, log, clock.time(), (pauses(), 5.0))
    assert (clock.passed, outcomes(found), found.failed) == (5.0, [], None)
    assert len(log.queries) == 6  # at 0, 0.2, 0.6, 1.4, 3 and 5 seconds
    assert outcomes(watched(Log([DONE]), seconds=0.0)) == ["done"]


def test_entries_of_other_services_and_of_another_nonce_are_no_proof() -> None:
    other = entry({"outcome": "done"}, resource={"labels": {"service_name": "other"}})
    assert outcomes(watched(Log([other]), seconds=1)) == []
    stranger = entry({"event": "smoke_test.passed", "nonce": "smoke-2"})
    assert outcomes(watched(Log([DONE, stranger]), seconds=1)) == []


def test_the_proof_is_done_by_the_revision_that_was_asked_for() -> None:
    found = watched(Log([DONE]))
    assert found.by("") is found.by(REVISION) is found.processed[0]
    assert found.by("feature-worker-00001-old") is None
    assert watched(Log([REJECTED])).by("") is None


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 0])
def test_a_failure_that_passes_is_waited_out(status: int) -> None:
    log = Log(CallFailed("later", status), CallFailed("later", status), [DONE])
    found = watched(log)
    assert (outcomes(found), found.failed) == (["done"], None)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_no_leave_to_read_is_said_at_once(status: int) -> None:
    log = Log(CallFailed("no leave", status))
    with pytest.raises(CallFailed, match="no leave"):
        watched(log)
    assert len(log.queries) == 1


def test_nobody_there_is_said_after_three_tries() -> None:
    log = Log(CallFailed("nobody", 0))
    with pytest.raises(CallFailed, match="nobody"):
        watched(log)
    assert len(log.queries) == 3


def test_a_quota_that_stays_used_up_is_no_answer() -> None:
    found = watched(Log(CallFailed("the quota", 429)))
    assert str(found.failed) == "the quota"
    seen = watched(Log([CRASHED], CallFailed("the quota", 429)))
    assert (outcomes(seen), seen.failed) == (["crashed"], None)


def test_the_time_when_it_could_be_read_is_that_of_the_last_look() -> None:
    assert watched(Log([], [DONE])).seen == BEGAN + timedelta(seconds=0.2)


def test_a_message_id_with_quotes_stays_a_string() -> None:
    query = query_of(BY_TOPIC, replace(SENT, message_id='a" OR "b'))
    assert r'jsonPayload.message_id="a\" OR \"b"' in query.splitlines()
