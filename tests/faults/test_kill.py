"""kill -9 of a worker while its handlers run, again and again: what it held comes back."""

import pytest

from tests.emulator.support import PubSub
from tests.faults.conftest import Begin, Conclude
from tests.support.redis_server import RedisServer

pytestmark = [pytest.mark.server, pytest.mark.emulator]

KILLS = 8
MESSAGES = 25  # for each kill


def test_a_killed_worker_loses_no_message(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin("SIGKILL of a worker", CLAIMS=redis.url, CLAIM_LEASE_SECONDS="2")
    for _ in range(2):
        scenario.start()
    scenario.emulate(pubsub)
    for number in range(KILLS * scale):
        scenario.send(MESSAGES)
        scenario.wait_until_running(3)
        victim = scenario.random.choice(scenario.stage.workers)
        if number % 2:
            scenario.faults += 1
            scenario.stage.kill_child(victim)
        else:
            scenario.kill(victim)
            scenario.start()
    verdict = conclude(scenario)
    assert verdict.interrupted, "no kill has hit a handler"
