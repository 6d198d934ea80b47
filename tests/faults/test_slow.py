"""Handlers that are slower than the ack deadline, and handlers that never end."""

import pytest

from tests.emulator.support import PubSub
from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import QUICK, Fate, Kind
from tests.faults.stage import EXIT_SECONDS
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.server, pytest.mark.emulator]

# Late for the worker, which answers after 9 s, and late for the emulator only, which waits for 3 s.
LATE = Kind("late", Fate.HANDLED, {"seconds": 11})
LATE_FOR_PUBSUB = Kind("late-for-pubsub", Fate.HANDLED, {"seconds": 5})
HANG = Kind("hang", Fate.HANDED_BACK, feature="hang")
THREADS = 2


def test_a_handler_that_is_late_is_not_run_again(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin(
        "Handlers slower than the ack deadline and than their lease",
        CLAIMS=redis.url,
        CLAIM_LEASE_SECONDS="2",
    )
    scenario.start()
    scenario.start()
    scenario.emulate(pubsub, ackDeadlineSeconds=3)
    assert scenario.emulated is not None
    scenario.push([LATE] * 5 * scale)
    scenario.emulated.publish([LATE_FOR_PUBSUB] * 4)
    scenario.faults += len(scenario.messages)
    conclude(scenario)

    late = [entry for entry in scenario.stage.entries() if entry.get("event") == "handler.late"]
    assert len(late) == 5 * scale
    for message in scenario.pusher.pushed:
        found = scenario.stage.outcomes(message.id)
        assert found == ["timed_out", *["busy"] * (len(found) - 2), "duplicate"]


def test_handlers_that_hang_hold_up_nobody_else(
    begin: Begin, conclude: Conclude, redis: RedisServer
) -> None:
    scenario = begin("Handlers that never end", CLAIMS=redis.url, HANDLER_THREADS=str(THREADS))
    worker = scenario.start()
    scenario.push([HANG] * 3 * THREADS)
    scenario.faults += 3 * THREADS
    scenario.wait_until_running(THREADS)
    assert worker.request("GET", "/health/ready")[0] == 200
    scenario.push([QUICK] * 5)
    scenario.settle()

    overloaded = [e for e in scenario.stage.canonical() if e["outcome"] == "overloaded"]
    assert overloaded[-1]["held_by"] == {"hang": THREADS}
    assert worker.request("GET", "/health/live")[0] == 200
    assert scenario.drain(worker) < EXIT_SECONDS
    scenario.faults -= 1
    conclude(scenario)
