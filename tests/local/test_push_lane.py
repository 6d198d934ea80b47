"""worker.local.pubsub.push.lane: what is leased, what begins, and what becomes of it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.push_delivery import leased, target_of
from worker.local.clock import Clock
from worker.local.errors import ApiError, Code
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.push.courier import Verdict
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.pubsub.push.flow import FIRST_WINDOW
from worker.local.pubsub.push.lane import Lane, Task

PLAIN = FaultSettings()


@dataclass
class FakeBroker:
    """Hands out `waiting`, and writes down what it is told."""

    waiting: list[Leased] = field(default_factory=list)
    told: list[tuple[str, list[str]]] = field(default_factory=list)
    clock: Clock = field(default_factory=lambda: Clock(machine=lambda: 1000.0))
    gone: bool = False

    def lease(self, subscription: str, most: int, seconds: float) -> list[Leased]:
        found, self.waiting = self.waiting[:most], self.waiting[most:]
        return found

    def ack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        self._tell("ack", ack_ids)

    def nack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        self._tell("nack", ack_ids)

    def release(self, subscription: str, ack_ids: Sequence[str]) -> None:
        self._tell("release", ack_ids)

    def extend(self, subscription: str, ack_ids: Sequence[str], seconds: float) -> None:
        self._tell(f"extend {seconds:g}", ack_ids)

    def next_time(self, subscription: str) -> float | None:
        return 1000.0 if self.waiting else None

    def _tell(self, what: str, ack_ids: Sequence[str]) -> None:
        if self.gone:
            raise ApiError(Code.NOT_FOUND, "gone")
        self.told.append((what, sorted(ack_ids)))


def lane_with(count: int, *, key: str = "", **target: Any) -> tuple[Lane, FakeBroker]:
    messages = [leased(str(number), ordering_key=key) for number in range(count)]
    broker = FakeBroker(messages)
    return Lane(broker, target_of(**target)), broker


def ids(tasks: Sequence[Task]) -> list[str]:
    return [task.job.message.message_id for task in tasks]


def test_no_more_begin_than_the_window_lets() -> None:
    lane, broker = lane_with(10)
    first = lane.work(PLAIN, 100)
    assert ids(first) == ["0", "1", "2"][:FIRST_WINDOW]
    assert not lane.work(PLAIN, 100)
    lane.settle([(first[0], Verdict.ACK)])
    assert ids(lane.work(PLAIN, 100)) == ["3", "4"]
    assert broker.told == [("ack", ["ack-0"])]


def test_no_more_begin_than_threads_are_free() -> None:
    lane, broker = lane_with(10)
    assert not lane.work(PLAIN, 0)
    assert lane.due(PLAIN, 0) == math.inf
    assert ids(lane.work(PLAIN, 1)) == ["0"]
    assert len(broker.waiting) == 9


def test_it_is_due_when_there_is_something_and_room_for_it() -> None:
    lane, broker = lane_with(0)
    assert lane.due(PLAIN, 100) == math.inf
    broker.waiting = [leased(str(number)) for number in range(10)]
    assert lane.due(PLAIN, 100) == 1000.0
    lane.work(PLAIN, 100)
    assert lane.due(PLAIN, 100) == 1007.5  # the window is full; the leases are to be kept


def test_after_a_nack_it_is_due_when_the_backoff_ends() -> None:
    lane, broker = lane_with(2)
    tasks = lane.work(PLAIN, 1)
    lane.settle([(tasks[0], Verdict.NACK)])
    assert broker.told == [("nack", ["ack-0"])]
    assert lane.due(PLAIN, 100) == 1000.1
    assert not lane.work(PLAIN, 100)
    broker.clock.advance(0.1)
    assert ids(lane.work(PLAIN, 100)) == ["1"]


def test_each_verdict_is_told_in_one_call() -> None:
    lane, broker = lane_with(3)
    one, two, three = lane.work(PLAIN, 100)
    lane.settle([(one, Verdict.ACK), (two, Verdict.RELEASE), (three, Verdict.ACK)])
    assert broker.told == [("ack", ["ack-0", "ack-2"]), ("release", ["ack-1"])]


def test_a_subscription_that_is_gone_is_not_told() -> None:
    lane, broker = lane_with(3)
    (task, *_) = lane.work(PLAIN, 100)
    broker.gone = True
    for verdict in Verdict:
        lane.settle([(task, verdict)])
    broker.clock.advance(8)
    lane.work(PLAIN, 100)
    lane.give_back(all_of_them=True)


def test_leases_are_kept_until_their_pushes_end() -> None:
    lane, broker = lane_with(1)
    (task,) = lane.work(PLAIN, 100)
    broker.clock.advance(7)
    lane.work(PLAIN, 100)
    assert not broker.told
    broker.clock.advance(1)
    assert lane.due(PLAIN, 100) <= 1008.0
    lane.work(PLAIN, 100)
    assert broker.told == [("extend 15", ["ack-0"])]
    lane.settle([(task, Verdict.ACK)])
    broker.clock.advance(8)
    lane.work(PLAIN, 100)
    assert lane.due(PLAIN, 100) == math.inf
    assert broker.told[1:] == [("ack", ["ack-0"])]


def test_what_was_not_pushed_yet_is_given_back_alone_or_with_the_rest() -> None:
    lane, broker = lane_with(5)
    lane.work(FaultSettings(reorder=True), 100)
    lane.give_back(all_of_them=False)
    lane.give_back(all_of_them=True)
    assert [(what, len(some)) for what, some in broker.told] == [("release", 2), ("release", 3)]


def test_a_pause_begins_nothing_but_keeps_leases() -> None:
    lane, broker = lane_with(10)
    lane.work(PLAIN, 1)
    paused = FaultSettings(paused=True)
    assert not lane.work(paused, 100)
    assert lane.due(paused, 100) == 1007.5
    broker.clock.advance(8)
    assert not lane.work(paused, 100)
    assert broker.told == [("extend 15", ["ack-0"])]


def test_a_burst_begins_when_enough_wait_whatever_the_window() -> None:
    burst = FaultSettings(burst=5)
    lane, broker = lane_with(4)
    assert not lane.work(burst, 100)
    assert lane.due(burst, 100) == 1002.0
    broker.waiting = [leased("4"), leased("5")]
    assert lane.due(burst, 100) == 1000.0
    tasks = lane.work(burst, 100)
    assert ids(tasks) == ["0", "1", "2", "3", "4"]
    assert {task.job.faults for task in tasks} == {("burst",)}


def test_a_burst_that_stays_small_begins_after_two_seconds() -> None:
    burst = FaultSettings(burst=5)
    lane, broker = lane_with(4)
    lane.work(burst, 100)
    broker.clock.advance(2)
    assert len(lane.work(burst, 100)) == 4


def test_what_a_burst_held_goes_on_when_it_is_switched_off() -> None:
    lane, _ = lane_with(2)
    lane.work(FaultSettings(burst=5), 100)
    assert lane.due(PLAIN, 100) == 1000.0
    assert ids(lane.work(PLAIN, 100)) == ["0", "1"]


@pytest.mark.parametrize(("key", "ordered"), [("", True), ("k", False)])
def test_without_an_order_a_duplicate_may_run_beside_or_after(key: str, ordered: bool) -> None:
    seen: set[int] = set()
    for _ in range(100):
        lane, broker = lane_with(1, key=key, ordered=ordered)
        tasks = lane.work(FaultSettings(duplicate=1.0), 100)
        seen.add(len(tasks))
        assert tasks[0].job.again == (len(tasks) == 1)
        if len(tasks) == 2:
            assert [task.copy for task in tasks] == [False, True]
            assert tasks[1].job.faults == ("duplicate",)
            lane.settle([(tasks[1], Verdict.NACK)])
            assert not broker.told
            assert lane.due(PLAIN, 100) != 1000.1
    assert seen == {1, 2}


def test_within_an_order_a_duplicate_comes_after() -> None:
    for _ in range(50):
        lane, _ = lane_with(1, key="k", ordered=True)
        (task,) = lane.work(FaultSettings(duplicate=1.0), 100)
        assert task.job.again


def test_reorder_chooses_among_more_than_the_window() -> None:
    seen: set[str] = set()
    for _ in range(500):  # each of ten may be the first
        lane, _ = lane_with(10)
        tasks = lane.work(FaultSettings(reorder=True), 1)
        assert len(tasks) == 1
        assert tasks[0].job.faults == ("reorder",)
        seen.update(ids(tasks))
    assert len(seen) == 10
