"""The quarantine fails: what cannot be kept is not acked, and is kept once as soon as it can be."""

import base64
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from tests.emulator.support import PubSub
from tests.faults.audit import Kept
from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import BAD, QUICK
from tests.faults.scenario import Scenario
from tests.faults.waiting import wait_until
from tests.support.emulator import Emulator
from tests.support.redis_server import RedisServer
from tests.support.server import WAIT_SECONDS
from tests.support.standin import Call, Reply, StandIn

pytestmark = [pytest.mark.server, pytest.mark.emulator]

OUTAGES = 2
EACH = 5  # messages of each bad kind, in each outage


def test_a_folder_that_cannot_be_written(
    begin: Begin, conclude: Conclude, redis: RedisServer, pubsub: PubSub, scale: int
) -> None:
    scenario = begin("Quarantine folder cannot be written", CLAIMS=redis.url)
    folder = scenario.stage.quarantine
    hidden = folder.with_name("hidden")
    folder.mkdir()
    scenario.start()
    scenario.start()
    scenario.emulate(pubsub)
    for _ in range(OUTAGES * scale):
        folder.rename(hidden)
        folder.touch()  # a file where the folder was
        scenario.faults += 1
        _send_bad(scenario)
        folder.unlink()
        hidden.rename(folder)
        scenario.settle()
    conclude(scenario)


@pytest.fixture
def between(emulator: Emulator, stack: ExitStack) -> "Between":
    return Between(emulator.host, stack)


def test_a_topic_that_cannot_be_published_to(
    begin: Begin, conclude: Conclude, pubsub: PubSub, between: "Between", scale: int
) -> None:
    topic = pubsub.topic("quarantine")
    subscription = pubsub.subscription(topic, "quarantined")
    scenario = begin(
        "Quarantine topic answers 503",
        QUARANTINE=f"topic:{topic}",
        PUBSUB_EMULATOR_HOST=between.address,
    )
    scenario.start()
    for _ in range(OUTAGES * scale):
        between.refuses = True
        scenario.faults += 1
        _send_bad(scenario)
        between.refuses = False
        scenario.settle()
    conclude(scenario, kept=_pulled(pubsub, subscription))


class Between:
    """Stands between the workers and the emulator, and hands calls on unless it refuses them."""

    def __init__(self, host: str, stack: ExitStack) -> None:
        self._host = host
        self.refuses = False
        self.address = stack.enter_context(StandIn(self._answer)).address

    def _answer(self, call: Call) -> Reply:
        if self.refuses:
            return Reply.error(503, "the service is unavailable")
        url = f"http://{self._host}{call.path}"
        answer = requests.post(url, data=call.body, timeout=WAIT_SECONDS)
        return Reply(answer.status_code, answer.content)


def _send_bad(scenario: Scenario) -> None:
    """Push messages that must be kept and cannot be: each is nacked, and good ones go on."""
    bad = scenario.push(BAD * EACH)
    good = scenario.push([QUICK] * EACH)
    if scenario.emulated:
        scenario.emulated.publish(BAD)
    wait_until(lambda: bad <= _not_kept(scenario), "each of the bad ones was answered 500")
    scenario.wait_until_acked(good)
    assert bad <= scenario.pusher.not_acked()


def _not_kept(scenario: Scenario) -> set[str]:
    """The messages that were answered 500 because they could not be quarantined."""
    entries = scenario.stage.canonical()
    return {e["message_id"] for e in entries if (e["outcome"], e["status"]) == ("rejected", 500)}


def _pulled(pubsub: PubSub, subscription: str) -> list[Kept]:
    """What was published to the quarantine."""
    found: list[Kept] = []

    def nothing_comes() -> bool:
        body = {"maxMessages": 1000, "returnImmediately": True}
        answer = pubsub.call("POST", f"{subscription}:pull", body)
        received = answer.get("receivedMessages", [])
        found.extend(_kept(one["message"]) for one in received)
        return not received

    wait_until(nothing_comes, "all of the quarantine was pulled")
    return found


def _kept(message: dict[str, Any]) -> Kept:
    attributes = message["attributes"]
    data = base64.b64decode(message["data"])
    return Kept(attributes["QuarantineMessageId"], attributes["QuarantineReason"], data, b"")
