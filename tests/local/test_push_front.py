"""The front end: how many requests reach the worker at once, and who waits."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.differential.endpoint import Answer, Push
from tests.differential.laptop import Laptop
from tests.differential.stage import Stage
from worker.local.pubsub.push.front import Front
from worker.local.pubsub.push.wire import Missed, Stopped

WORKER = "http://127.0.0.1:8080/"
SECONDS = 30.0


class Visitors:
    """Requests that stay at the worker until they are sent away."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.inside: list[int] = []
        self._changed = threading.Condition()
        self._away: set[int] = set()
        self._pool = ThreadPoolExecutor(20)

    def come(self, number: int, url: str = WORKER, seconds: float = SECONDS) -> Future[None]:
        return self._pool.submit(self._visit, number, url, seconds)

    def _visit(self, number: int, url: str, seconds: float) -> None:
        with self.front.place(url, seconds), self._changed:
            self.inside.append(number)
            self._changed.notify_all()
            self._changed.wait_for(lambda: number in self._away)

    def wait_for(self, count: int) -> list[int]:
        """Who came in, when there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.inside) >= count, SECONDS)
            return list(self.inside)

    def send_away(self, *numbers: int) -> None:
        with self._changed:
            self._away.update(numbers)
            self._changed.notify_all()

    def wait_until_queued(self, count: int) -> None:
        (instance,) = self.front._instances.values()
        while len(instance.waiting) < count:
            pass  # another thread is about to; the test has a timeout

    def close(self) -> None:
        self.send_away(*range(100))
        self._pool.shutdown()


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    made = Visitors(Front())
    yield made
    made.close()


def test_more_than_the_limit_wait_and_come_in_one_by_one_in_their_order(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 2)
    for number in range(5):
        visitors.come(number)
        visitors.wait_for(min(number + 1, 2))
        visitors.wait_until_queued(max(number - 1, 0))

    assert visitors.wait_for(2) == [0, 1]
    visitors.send_away(1)
    assert visitors.wait_for(3) == [0, 1, 2]
    visitors.send_away(0)
    assert visitors.wait_for(4) == [0, 1, 2, 3]
    visitors.send_away(2)
    assert visitors.wait_for(5) == [0, 1, 2, 3, 4]


def test_every_path_of_a_worker_counts(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 1)
    visitors.come(0, "http://127.0.0.1:8080/push?a=b")
    visitors.wait_for(1)

    with pytest.raises(Missed):
        visitors.come(1, WORKER, 0.0).result(SECONDS)


def test_another_address_has_no_limit(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 1)
    for number in range(4):
        visitors.come(number, "http://127.0.0.1:8081/")

    assert len(visitors.wait_for(4)) == 4


def test_who_waits_in_vain_has_missed_the_deadline_and_takes_no_place(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 1)
    visitors.come(0)
    visitors.wait_for(1)
    with pytest.raises(Missed, match=r"every place at the worker was taken for 0.01 s"):
        visitors.come(1, WORKER, 0.01).result(SECONDS)

    visitors.send_away(0)
    visitors.come(2)

    assert visitors.wait_for(2) == [0, 2]


def test_nobody_waits_once_it_is_closed(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 1)
    visitors.come(0)
    visitors.wait_for(1)
    waiting = visitors.come(1)
    visitors.wait_until_queued(1)
    visitors.front.close()

    for late in (waiting, visitors.come(2)):
        with pytest.raises(Stopped):
            late.result(SECONDS)


def test_an_address_that_is_none_is_let_through(visitors: Visitors) -> None:
    visitors.front.limit(WORKER, 1)
    visitors.come(0, "ftp://nowhere")

    assert visitors.wait_for(1) == [0]


def test_pushes_respect_it(tmp_path: Path) -> None:
    inside: list[str] = []
    most: list[int] = []

    def answer(push: Push) -> Answer:
        inside.append(push.text)
        most.append(len(inside))
        endpoint.soon(lambda _: False, 0.02)  # another one would come meanwhile
        inside.remove(push.text)
        return Answer()

    with Laptop(tmp_path) as laptop, Stage(laptop.host) as stage:
        endpoint = stage.endpoint(answer)
        laptop.pusher.limit(f"{endpoint.url}/", 1)
        topic = stage.api.topic()
        stage.api.push(topic, f"{endpoint.url}/push")
        for number in range(10):
            stage.api.publish(topic, number)
        endpoint.wait_for(10)

    assert set(most) == {1}


def test_a_worker_that_takes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Front().limit(WORKER, 0)
