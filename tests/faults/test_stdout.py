"""Nobody reads stdout: it is closed, or full for a while. Entries are written before the answer."""

import os
import signal

import pytest
import requests

from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import mixed
from tests.faults.scenario import Scenario
from tests.faults.waiting import wait_until
from tests.support.rawhttp import RawConnection
from tests.support.redis_server import RedisServer
from tests.support.server import ServerProcess

pytestmark = pytest.mark.server

PIPED = ("-m", "tests.faults.piped")
MESSAGES = 30


def test_entries_go_to_stderr_when_stdout_is_closed(
    begin: Begin, conclude: Conclude, redis: RedisServer, scale: int
) -> None:
    scenario = begin("stdout closed", CLAIMS=redis.url)
    worker = scenario.start(*PIPED)
    _load(scenario)
    os.kill(_reader_of(worker), signal.SIGKILL)
    scenario.faults += 1
    scenario.push(mixed(scenario.random, MESSAGES * scale))
    conclude(scenario)

    assert "message.processed" in worker.stderr()


def test_a_push_waits_for_stdout_and_health_does_not(
    begin: Begin, conclude: Conclude, redis: RedisServer, scale: int
) -> None:
    scenario = begin("stdout full for longer than the ack deadline", CLAIMS=redis.url)
    worker = scenario.start(*PIPED)
    scenario.start()
    _load(scenario)
    reader = _reader_of(worker)
    os.kill(reader, signal.SIGSTOP)
    try:
        scenario.faults += 1
        new = scenario.push(mixed(scenario.random, MESSAGES * scale))
        wait_until(lambda: _without_answer(scenario, new) >= 3, "pushes have had no answer in time")
        assert worker.request("GET", "/health/live")[0] == 200
        assert worker.request("GET", "/health/ready")[0] == 200
    finally:
        os.kill(reader, signal.SIGCONT)
    conclude(scenario)


def test_health_answers_after_a_broken_request_while_stdout_is_full(
    begin: Begin, redis: RedisServer
) -> None:
    scenario = begin("", CLAIMS=redis.url)
    worker = scenario.start(*PIPED)
    reader = _reader_of(worker)
    os.kill(reader, signal.SIGSTOP)
    try:
        scenario.push(mixed(scenario.random, MESSAGES))
        wait_until(lambda: _is_stuck(scenario), "stdout is full")
        with RawConnection(worker.port) as broken:
            broken.send(b"NO HTTP AT ALL\r\n\r\n")
            assert requests.get(f"{worker.url}/health/live", timeout=5).ok
    finally:
        os.kill(reader, signal.SIGCONT)


def _load(scenario: Scenario) -> None:
    scenario.push(mixed(scenario.random, MESSAGES))
    scenario.wait_until_running(3)


def _reader_of(worker: ServerProcess) -> int:
    return int((worker.folder / "reader").read_text())


def _without_answer(scenario: Scenario, ids: set[str]) -> int:
    return sum(scenario.pusher.answers[one][0] for one in ids)


def _is_stuck(scenario: Scenario) -> bool:
    """Whether more handlers have ended than entries came."""
    return len(scenario.stage.ledger.done()) > len(scenario.stage.canonical()) + 3
