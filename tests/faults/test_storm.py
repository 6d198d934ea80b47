"""A storm of duplicates: 100 copies of each message at once, on two workers."""

import pytest

from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import CRASH_FIRST, QUICK, REJECT, SLOW
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.server

COPIES = 100


def test_of_a_hundred_copies_at_once_one_runs(
    begin: Begin, conclude: Conclude, redis: RedisServer, scale: int
) -> None:
    scenario = begin(
        "100 copies of each message at once",
        CLAIMS=redis.url,
        CLAIM_LEASE_SECONDS="1",  # what is done stays done when the lease has lapsed
        HANDLER_THREADS="32",
    )
    scenario.start()
    scenario.start()
    for kind in (QUICK, SLOW, CRASH_FIRST, SLOW, REJECT) * scale:
        scenario.push([kind], copies=COPIES)
        scenario.faults += COPIES - 1
    conclude(scenario)

    assert set(scenario.pusher.acked.values()) == {COPIES}
