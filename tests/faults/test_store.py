"""The store of claims is killed, paused or emptied while messages come."""

import pytest

from tests.emulator.support import PubSub
from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import QUICK, REJECT, SLOW
from tests.faults.scenario import Scenario
from tests.support.emulator import PROJECT, Emulator
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.server, pytest.mark.emulator]

OUTAGES = 2
MESSAGES = 30  # for each of them
NEW = 8  # messages that come during an outage


def test_a_store_that_is_killed_and_comes_back_with_its_data(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin("SIGKILL of Redis, CLAIMS_ON_ERROR=nack", CLAIMS=redis.url)
    _two_workers(scenario, pubsub)
    for _ in range(OUTAGES * scale):
        _load(scenario)
        redis.kill()
        scenario.faults += 1
        new = scenario.push([QUICK] * NEW)
        scenario.wait_until_nacked(new)
        assert not new & {run.message_id for run in scenario.stage.ledger.runs()}
        redis.start()
    conclude(scenario)
    assert not any(entry.get("unprotected") for entry in scenario.stage.canonical())


def test_without_its_store_a_worker_runs_and_says_so_if_it_may(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin(
        "SIGKILL of Redis, CLAIMS_ON_ERROR=run", CLAIMS=redis.url, CLAIMS_ON_ERROR="run"
    )
    _two_workers(scenario, pubsub)
    for _ in range(OUTAGES * scale):
        _load(scenario)
        redis.kill()
        scenario.faults += 1
        new = scenario.push([QUICK] * NEW)
        scenario.wait_until_acked(new)
        redis.start()
        unprotected = [e for e in scenario.stage.canonical() if e.get("unprotected")]
        assert new <= {entry["message_id"] for entry in unprotected}
        assert all(entry["claims_error"] for entry in unprotected)
    conclude(scenario)


def test_a_store_that_does_not_answer_for_a_while(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin("SIGSTOP of Redis", CLAIMS=redis.url)
    _two_workers(scenario, pubsub)
    for _ in range(scale):
        _load(scenario)
        redis.pause()
        scenario.faults += 1
        new = scenario.push([QUICK] * NEW)
        scenario.wait_until_nacked(new)
        redis.resume()
    conclude(scenario)


@pytest.mark.emulator("firestore")
def test_another_store_that_does_not_answer_for_a_while(
    begin: Begin, conclude: Conclude, firestore: Emulator, scale: int
) -> None:
    scenario = begin(
        "SIGSTOP of Firestore", CLAIMS="firestore", GOOGLE_CLOUD_PROJECT=PROJECT,
        FIRESTORE_EMULATOR_HOST=firestore.host,
        CLAIM_LEASE_SECONDS="10",  # an acquire that it executes late is held by nobody
    )  # fmt: skip
    _two_workers(scenario)
    for _ in range(scale):
        _load(scenario)
        firestore.pause()
        scenario.faults += 1
        new = scenario.push([QUICK] * NEW)
        scenario.wait_until_nacked(new)
        firestore.resume()
    conclude(scenario)


def test_a_store_that_forgets_everything_lets_what_was_done_run_again(
    begin: Begin, conclude: Conclude, redis: RedisServer, scale: int
) -> None:
    scenario = begin("Redis emptied, then everything delivered again", CLAIMS=redis.url)
    scenario.start()
    scenario.push([QUICK, QUICK, SLOW, REJECT] * 5 * scale)
    scenario.settle()
    with redis.client() as client:
        client.flushall()
    scenario.faults += 1
    scenario.store_forgets()
    scenario.drain(scenario.stage.workers[0])
    scenario.start()
    for message in list(scenario.pusher.pushed):
        scenario.pusher.push_again(message)
    verdict = conclude(scenario)
    assert verdict.unclaimed, "nothing ran again: the store has not forgotten"


def _two_workers(scenario: Scenario, pubsub: PubSub | None = None) -> None:
    scenario.start()
    scenario.start()
    if pubsub:
        scenario.emulate(pubsub)


def _load(scenario: Scenario) -> None:
    scenario.send(MESSAGES)
    scenario.wait_until_running(3)
