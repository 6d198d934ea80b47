"""The laptop cloud is killed while messages are on their way, and started again on its state."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.differential.endpoint import Answer, Endpoint, Push, acks
from tests.differential.running import RunningCloud
from tests.differential.separate import SeparateLaptop
from tests.differential.stage import Stage, encoded
from tests.faults.ledger import Ledger
from tests.faults.waiting import wait_until
from tests.support.server import ROOT, WAIT_SECONDS

MESSAGES = 300
LEDGER = ROOT / "tests" / "faults" / "handlers" / "ledger.py"
FASTER = 10.0  # time after a restart, which waits until the leases of the killed process end
IN_FLIGHT = 100  # pushes at most, over all subscriptions

pytestmark = pytest.mark.server

Start = Callable[[float], SeparateLaptop]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start it on the same state, as often as a test wants."""
    started: list[SeparateLaptop] = []

    def one(speed: float) -> SeparateLaptop:
        started.append(SeparateLaptop(tmp_path / "state", speed))
        return started[-1]

    yield one
    for laptop in started:
        laptop.kill()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as made:
        yield made


class Subscribed:
    """A topic that is pushed to the endpoint; published to wherever Pub/Sub listens just now."""

    topic = "projects/demo/topics/killed"

    def __init__(self, host: str, url: str) -> None:
        self.host = host
        name = "projects/demo/subscriptions/killed"
        self._call("PUT", self.topic, {})
        # The deadline is what a restart waits for where a lease outlives the process that gave it.
        settings = {"topic": self.topic, "ackDeadlineSeconds": 10}
        self._call("PUT", name, {**settings, "pushConfig": {"pushEndpoint": url}})

    def publish(self, count: int) -> set[str]:
        messages = [{"data": encoded(f"{number}".encode())} for number in range(count)]
        answer = self._call("POST", f"{self.topic}:publish", {"messages": messages})
        return set(answer.json()["messageIds"])

    def _call(self, method: str, path: str, body: object) -> requests.Response:
        url = f"http://{self.host}/v1/{path}"
        answer = requests.request(method, url, json=body, timeout=WAIT_SECONDS)
        assert answer.ok, answer.text
        return answer


def settle(host: str) -> None:
    """Return when what was answered before is taken note of."""
    with Stage(host) as stage:
        stage.settle()


def ids(pushes: list[Push]) -> list[str]:
    return [str(push.message["messageId"]) for push in pushes]


def test_what_was_acked_stays_so_and_what_was_on_its_way_comes_again(
    start: Start, endpoint: Endpoint
) -> None:
    killed = start(1)
    subscribed = Subscribed(killed.host, endpoint.url)
    done = subscribed.publish(MESSAGES)
    endpoint.wait(lambda pushes: len(pushes) >= MESSAGES, "what is acked")
    settle(killed.host)
    over = threading.Event()
    endpoint.answer = lambda _: Answer(200 if over.wait() else 500)
    waiting = subscribed.publish(MESSAGES)
    under_way = set(ids(endpoint.wait(lambda seen: len(seen) > MESSAGES, "one more")[MESSAGES:]))
    killed.kill()
    endpoint.answer = acks
    over.set()
    before = len(endpoint.pushes)

    again = start(FASTER)
    endpoint.wait(lambda seen: waiting <= set(ids(seen[before:])), "what was not acked")
    settle(again.host)

    assert under_way <= waiting
    assert sorted(ids(endpoint.pushes[:MESSAGES])) == sorted(done)
    assert sorted(ids(endpoint.pushes[before:])) == sorted(waiting)


def test_killed_at_full_speed_it_loses_nothing_and_repeats_what_was_in_flight_at_most(
    start: Start, endpoint: Endpoint
) -> None:
    killed = start(1)
    subscribed = Subscribed(killed.host, endpoint.url)
    published = subscribed.publish(MESSAGES)
    endpoint.wait(lambda pushes: len(pushes) >= MESSAGES // 3, "a third")
    killed.kill()

    again = start(FASTER)
    endpoint.wait(lambda pushes: set(ids(pushes)) == published, "every message")
    settle(again.host)

    repeated = len(endpoint.pushes) - MESSAGES
    assert 0 <= repeated <= IN_FLIGHT


def test_dev_killed_with_its_worker_loses_no_message_and_no_entry_that_was_read(
    tmp_path: Path,
) -> None:
    """What a handler did is written down beside the log, which lacks a killed worker's last words.

    It is the ledger of the fault tests: a line is on the disk when the handler goes on.
    """
    (tmp_path / "handlers").mkdir()
    shutil.copy(LEDGER, tmp_path / "handlers")
    ledger = Ledger(tmp_path / "ledger.jsonl")
    environment = {"LEDGER": str(ledger.path)}
    with RunningCloud(tmp_path, environment) as killed:
        published = killed.publish([b'{"feature": "ledger"}'] * MESSAGES)
        wait_until(lambda: len(ledger.done()) >= MESSAGES // 10, "a tenth")
        entries = {entry["insertId"]: entry for entry in killed.entries("")}
        killed.kill()
    assert not ledger.done() >= published, "it was killed too late"

    with RunningCloud(tmp_path, environment, FASTER) as again:
        wait_until(lambda: published <= ledger.done(), "every message")
        kept = {entry["insertId"]: entry for entry in again.entries("")}
        dead = again.waiting("feature-worker-dead")

    assert kept.items() >= entries.items()
    assert len(ledger.runs()) <= MESSAGES + IN_FLIGHT
    assert dead == []
