"""worker.local.pubsub.push.deliveries: what was told is found, at once and after a restart."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.push_delivery import SUBSCRIPTION, TOPIC, leased
from worker.local.database import StateUnusable
from worker.local.pubsub.push import rows
from worker.local.pubsub.push.deliveries import Attempt, Deliveries, Delivery
from worker.local.pubsub.push.records import DATA_KEPT
from worker.local.pubsub.push.timeline import timeline


@pytest.fixture
def deliveries(tmp_path: Path) -> Iterator[Deliveries]:
    with contextlib.closing(Deliveries(tmp_path)) as made:
        yield made


def attempt_of(message_id: str = "1", **changed: Any) -> Attempt:
    plain: dict[str, Any] = {
        "id": 0, "delivery_id": 0, "subscription": SUBSCRIPTION, "message_id": message_id,
        "attempt": 1, "endpoint": "http://127.0.0.1:1/", "started": 100.0,
    }  # fmt: skip
    return Attempt(**{**plain, **changed})


def push(deliveries: Deliveries, message_id: str = "1", **ended: Any) -> Attempt:
    """An attempt that begins and ends."""
    started = ended.pop("started", 100.0)
    data = ended.pop("data", b"{}")
    message = leased(message_id, data=data)
    begun = deliveries.begin(message, attempt_of(message_id, started=started))
    attempt = replace(begun, **{"result": "ack", "status": 200, **ended})
    deliveries.end(attempt)
    return attempt


def test_an_attempt_is_found_as_it_was_told(deliveries: Deliveries) -> None:
    attempt = push(
        deliveries, seconds=0.25, outcome="done", reason="why", fault="delay",
        request_headers={"a": "ä"}, response_headers={"b": "1"}, response_body="{}",
        request_size=2, response_size=2, trace="1" * 32, span="2" * 16,
    )  # fmt: skip
    assert deliveries.attempts(attempt.delivery_id) == [attempt]


def test_a_message_is_one_delivery_however_often_it_is_pushed(deliveries: Deliveries) -> None:
    message = leased("7", data=b"data", attributes={"a": "1"}, ordering_key="k")
    first = deliveries.begin(message, attempt_of("7"))
    deliveries.end(replace(first, result="nack", status=500))
    second = deliveries.begin(message, attempt_of("7", started=200.0, attempt=2))
    assert first.delivery_id == second.delivery_id
    expected = Delivery(
        first.delivery_id, SUBSCRIPTION, "7", TOPIC, message.publish_time, b"data", 4,
        {"a": "1"}, "k", attempts=2, outcome="pending", last_time=200.0,
    )  # fmt: skip
    assert deliveries.get(first.delivery_id) == expected
    assert deliveries.find(SUBSCRIPTION, "7") == expected
    assert [one.result for one in deliveries.attempts(first.delivery_id)] == ["nack", "pending"]


def test_a_message_of_two_subscriptions_is_two_deliveries(deliveries: Deliveries) -> None:
    first = deliveries.begin(leased(), attempt_of())
    second = deliveries.begin(leased(), attempt_of(subscription="projects/p/subscriptions/other"))
    assert first.delivery_id != second.delivery_id


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        ({"outcome": "done"}, "done"),
        ({"outcome": "retry", "result": "nack", "status": 503}, "retry"),
        ({}, "ack"),
        ({"result": "deadline", "status": 0}, "deadline"),
        ({"outcome": "done", "result": "dropped"}, "dropped"),
    ],
)
def test_the_outcome_is_the_workers_word_if_its_answer_counted(
    deliveries: Deliveries, ended: dict[str, Any], outcome: str
) -> None:
    push(deliveries, **ended)
    (found,) = deliveries.recent(limit=10)
    assert found.outcome == outcome


def test_a_message_that_was_done_stays_done_though_it_is_delivered_again(
    deliveries: Deliveries,
) -> None:
    push(deliveries, outcome="retry", result="nack", status=503)
    push(deliveries, outcome="done", started=200.0)
    push(deliveries, outcome="duplicate", started=300.0)
    (found,) = deliveries.recent(limit=10)
    assert (found.outcome, found.attempts, found.last_time) == ("done", 3, 300.0)


def test_recent_goes_backwards_page_by_page(deliveries: Deliveries) -> None:
    for number in range(5):
        push(deliveries, str(number))
    first = deliveries.recent(limit=3)
    assert [one.message_id for one in first] == ["4", "3", "2"]
    rest = deliveries.recent(limit=3, before=first[-1].id)
    assert [one.message_id for one in rest] == ["1", "0"]
    assert not deliveries.recent(limit=3, before=rest[-1].id)


def test_recent_can_be_narrowed_by_outcome(deliveries: Deliveries) -> None:
    push(deliveries, "1", outcome="done")
    push(deliveries, "2", outcome="rejected")
    assert [one.message_id for one in deliveries.recent(limit=9, outcome="done")] == ["1"]


@pytest.mark.parametrize("text", ["SMOKE", "10%", "a_b", "tenant-7", "key-9", "mess-1", "\\"])
def test_recent_finds_text_in_what_was_sent(deliveries: Deliveries, text: str) -> None:
    message = leased(
        "mess-1",
        data=b'{"feature": "smoke_test 10% a_b \\\\"}',
        attributes={"x": "tenant-7"},
        ordering_key="key-9",
    )
    deliveries.begin(message, attempt_of("mess-1"))
    deliveries.begin(leased("2", data=b"100 aXb"), attempt_of("2"))
    assert [one.message_id for one in deliveries.recent(limit=9, text=text)] == ["mess-1"]


def test_large_data_is_cut_in_the_list_and_whole_for_a_redelivery(deliveries: Deliveries) -> None:
    data = b"x" * (DATA_KEPT + 1)
    attempt = push(deliveries, data=data)
    found = deliveries.get(attempt.delivery_id)
    assert found is not None
    assert (len(found.data), found.data_size) == (DATA_KEPT, DATA_KEPT + 1)
    assert deliveries.data(found) == data


def test_whoever_listens_hears_an_attempt_begin_and_end(deliveries: Deliveries) -> None:
    with deliveries.listen() as news:
        attempt = push(deliveries)
        heard = [news.get_nowait(), news.get_nowait()]
    push(deliveries, "2")
    assert [one.result for one in heard] == ["pending", "ack"]
    assert heard[1] == attempt
    assert news.empty()


def test_a_listener_that_does_not_read_misses_the_oldest(
    deliveries: Deliveries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.local.pubsub.push.deliveries._UNREAD", 4)
    with deliveries.listen() as news:
        for number in range(5):
            push(deliveries, str(number))
        assert [news.get_nowait().message_id for _ in range(4)] == ["3", "3", "4", "4"]


def test_a_restart_forgets_nothing_and_ends_what_was_under_way(tmp_path: Path) -> None:
    with contextlib.closing(Deliveries(tmp_path)) as before:
        ended = push(before, "1")
        begun = before.begin(leased("2"), attempt_of("2"))
    with contextlib.closing(Deliveries(tmp_path)) as after:
        assert after.attempts(ended.delivery_id) == [ended]
        (cut,) = after.attempts(begun.delivery_id)
        assert (cut.result, cut.reason) == (
            "unreachable",
            "the laptop cloud ended before the answer",
        )
        again = after.begin(leased("2"), attempt_of("2"))
        new = after.begin(leased("3"), attempt_of("3"))
        assert (again.delivery_id, again.id > cut.id) == (begun.delivery_id, True)
        assert new.delivery_id > begun.delivery_id


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "KEPT_DELIVERIES", 20)
    monkeypatch.setattr(rows, "_PRUNE_EVERY", 10)
    with contextlib.closing(Deliveries(tmp_path)) as deliveries:
        for number in range(100):
            push(deliveries, str(number))
        kept = deliveries.recent(limit=1000)
        assert [one.message_id for one in kept] == [str(n) for n in range(99, 79, -1)]
        assert not deliveries.attempts(1)


def test_an_old_delivery_that_goes_on_is_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "KEPT_DELIVERIES", 20)
    with contextlib.closing(Deliveries(tmp_path)) as deliveries:
        for number in range(30):
            push(deliveries, str(number))
        deliveries.recent(limit=1)  # all of it is written
        push(deliveries, "0", result="nack")
        newest, *_ = deliveries.recent(limit=1)
    assert (newest.message_id, newest.outcome, newest.attempts) == ("0", "nack", 1)


def test_of_large_messages_the_newest_are_kept_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_KEPT_LARGE", 2)
    monkeypatch.setattr(rows, "_PRUNE_EVERY", 1)
    with contextlib.closing(Deliveries(tmp_path)) as deliveries:
        for number in range(3):
            push(deliveries, str(number), data=b"x" * (DATA_KEPT + 1))
        kept = [deliveries.data(one) is not None for one in deliveries.recent(limit=3)]
    assert kept == [True, True, False]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deliveries]:
    with contextlib.closing(Deliveries(tmp_path_factory.mktemp("state"))) as made:
        yield made


@given(outcome=st.text(st.characters()), reason=st.text(st.characters()))
def test_whatever_a_worker_says_is_kept(shared: Deliveries, outcome: str, reason: str) -> None:
    attempt = push(shared, outcome=outcome, reason=reason, response_headers={"a": reason})
    found = shared.attempts(attempt.delivery_id)[-1]
    assert found.outcome.replace("?", "") == _without_surrogates(outcome).replace("?", "")
    assert found.reason.replace("?", "") == _without_surrogates(reason).replace("?", "")


def _without_surrogates(text: str) -> str:
    return text.encode("utf-8", "ignore").decode()


def test_what_could_not_be_written_is_told_to_the_next_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(rows, "write", full)
    with contextlib.closing(Deliveries(tmp_path)) as deliveries:
        push(deliveries)
        with pytest.raises(StateUnusable, match="disk is full"):
            deliveries.recent(limit=1)


def test_the_timeline_counts_endings_and_measures_answers(deliveries: Deliveries) -> None:
    for number in range(100):
        push(deliveries, str(number), started=1000.5, seconds=(number + 1) / 100, outcome="done")
    push(deliveries, "late", started=1015.0, result="nack")
    push(deliveries, "outside", started=1020.0)
    deliveries.begin(leased("open"), attempt_of("open", started=1010.0))
    first, second = deliveries.timeline(1000.0, 1020.0, 2)
    assert (first.start, first.seconds, first.counts) == (1000.0, 10.0, {"done": 100})
    assert (first.p50, first.p99) == (0.50, 0.99)
    assert (second.start, second.counts) == (1010.0, {"pending": 1, "nack": 1})


@given(
    st.lists(st.tuples(st.floats(-10, 30), st.floats(0, 5), st.sampled_from(["a", "pending"]))),
    st.integers(1, 50),
)
def test_the_timeline_counts_each_attempt_of_its_time_once(
    ended: list[tuple[float, float, str]], buckets: int
) -> None:
    found = timeline(ended, 0.0, 20.0, buckets)
    assert len(found) == buckets
    counted = sum(sum(one.counts.values()) for one in found)
    assert counted == sum(0 <= started < 20 for started, _, _ in ended)
    assert all(0 <= one.p50 <= one.p99 for one in found)


@pytest.mark.parametrize(("until", "buckets"), [(0.0, 1), (-1.0, 1), (float("nan"), 1), (1.0, 0)])
def test_a_timeline_of_nothing_is_refused(until: float, buckets: int) -> None:
    with pytest.raises(ValueError, match="a timeline wants"):
        timeline([], 0.0, until, buckets)


@pytest.mark.parametrize(
    "ask",
    [
        lambda one: one.recent(limit=1),
        lambda one: one.get(1),
        lambda one: one.find(SUBSCRIPTION, "1"),
        lambda one: one.attempts(1),
        lambda one: one.timeline(0.0, 1000.0, 1)[0].counts,
    ],
)
def test_every_question_is_answered_with_what_was_told_before(
    deliveries: Deliveries, ask: Callable[[Deliveries], Any]
) -> None:
    push(deliveries)
    assert ask(deliveries)
