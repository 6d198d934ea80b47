"""SIGTERM under load, as a new revision sends it: the old worker drains, the new one takes over."""

from collections.abc import Sequence

import pytest

from tests.emulator.support import PubSub
from tests.faults.audit import Verdict
from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import Fate, Kind
from tests.faults.scenario import Scenario
from tests.faults.stage import EXIT_SECONDS
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.server, pytest.mark.emulator]

ROLLS = 4
MESSAGES = 25  # for each of them
PATIENT = {"CLAIM_LEASE_SECONDS": "600"}  # nobody waits for a lease to lapse
ENDLESS = Kind("endless", Fate.HANDLED, {"first_seconds": 60})
# Some end just before the time that a shutdown waits for handlers, some just after it.
LONG = [Kind("long", Fate.HANDLED, {"first_seconds": 7 + number / 16}) for number in range(48)]


def test_rolling_restarts_lose_no_message_and_end_in_time(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin("SIGTERM of a worker under load", CLAIMS=redis.url)
    scenario.start()
    scenario.start()
    scenario.emulate(pubsub)
    for _ in range(ROLLS * scale):
        scenario.start()
        scenario.send(MESSAGES)
        scenario.wait_until_running(3)
        assert scenario.drain(scenario.stage.workers[0]) < EXIT_SECONDS
    verdict = conclude(scenario)
    assert not verdict.interrupted
    nacked = {e["message_id"] for e in scenario.stage.canonical() if e["outcome"] == "draining"}
    assert nacked <= {None}, "a handler was not waited for"


def test_a_handler_that_does_not_end_gives_its_claim_back(
    begin: Begin, conclude: Conclude, redis: RedisServer
) -> None:
    scenario = begin("SIGTERM with handlers that do not end", CLAIMS=redis.url, **PATIENT)
    verdict = _restart_under(scenario, [ENDLESS] * 8, conclude)
    assert len(verdict.interrupted) == 8
    assert all(scenario.stage.outcomes(id_)[-1] == "done" for id_ in verdict.fates)


def test_a_handler_that_ends_together_with_its_process_runs_once(
    begin: Begin, conclude: Conclude, redis: RedisServer
) -> None:
    scenario = begin(
        "SIGTERM as handlers end", CLAIMS=redis.url, HANDLER_THREADS=str(len(LONG)), **PATIENT
    )
    _restart_under(scenario, LONG, conclude)


def _restart_under(scenario: Scenario, kinds: Sequence[Kind], conclude: Conclude) -> Verdict:
    """Replace a worker whose handlers run all these messages."""
    old = scenario.start()
    scenario.push(kinds)
    scenario.wait_until_running(len(kinds))
    scenario.start()
    assert scenario.drain(old) < EXIT_SECONDS
    return conclude(scenario)
