"""SIGKILL at every line: wherever a worker dies, its message comes back and ends once."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults import messages
from tests.faults.audit import Evidence, audit, told
from tests.faults.conftest import Record
from tests.faults.figures import Row
from tests.faults.messages import Kind, Sent, pushed
from tests.faults.stage import Stage
from tests.support.redis_server import RedisServer
from tests.support.server import ROOT
from worker.pipeline import CANONICAL_EVENT

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

TITLE = "SIGKILL at each line of a delivery"
KINDS = ("QUICK", "REJECT", "NOT_JSON")
FEWEST_LINES = 200  # that a delivery takes


class Victims:
    """Processes that deliver a message of one kind each, and die at a line of their own."""

    def __init__(self, kind: str, stage: Stage) -> None:
        self._kind = kind
        self._folder = stage.make_folder()
        path = f"{self._folder}{os.pathsep}{ROOT}"
        self._environment = stage.environment | {"PATH": os.environ["PATH"], "PYTHONPATH": path}
        self._lines: list[str] = []
        self._process = self._start()
        self.pids: list[int] = []
        self.messages: list[Sent] = []

    def wait_until_dead(self) -> None:
        self._wait()
        self.pids = json.loads(self._lines.pop())
        kind: Kind = getattr(messages, self._kind)
        self.messages = [pushed(kind, number + 1) for number in range(len(self.pids))]

    def deliver_again(self) -> None:
        """Begin to deliver their messages until each is acked."""
        self._process = self._start(str(len(self.pids)))

    def entries(self) -> list[dict[str, Any]]:
        """Wait until they are acked. What all processes have written."""
        self._wait()
        return [json.loads(line) for line in self._lines]

    def _start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killpoints", self._kind, *words],
            cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _wait(self) -> None:
        output, _ = self._process.communicate()
        assert self._process.returncode == 0
        self._lines += output.splitlines()


def test_a_worker_may_die_at_any_line(
    tmp_path: Path, stack: ExitStack, redis: RedisServer, seed: int, record: Record
) -> None:
    stage = Stage(tmp_path, stack, CLAIMS=redis.url, CLAIM_LEASE_SECONDS="1")
    victims = [Victims(kind, stage) for kind in KINDS]
    for one in victims:
        one.wait_until_dead()
    marked = _marked(redis)
    for one in victims:
        one.deliver_again()
    entries = [entry for one in victims for entry in one.entries()]
    sent = [message for one in victims for message in one.messages]
    killed = [pid for one in victims for pid in one.pids]
    verdict = audit(
        sent, Evidence(stage.ledger.runs(), stage.kept(), (), killed, told=told(entries))
    )
    canonical = sum(entry["event"] == CANONICAL_EVENT for entry in entries)
    row = Row.of(TITLE, seed, verdict, messages=len(sent), deliveries=canonical, faults=len(killed))
    record(row)

    assert (verdict.lost, verdict.twice) == ([], [])
    assert verdict.fates == {message.id: message.kind.fate for message in sent}
    assert min(len(one.pids) for one in victims) >= FEWEST_LINES
    assert marked
    assert not marked & set(verdict.interrupted), "run again although it was marked as done"


def _marked(redis: RedisServer) -> set[str]:
    """The messages whose keys are done by now."""
    with redis.client() as client:
        done = [key for key in client.scan_iter() if client.get(key) == b"done"]
    return {key.decode().rpartition("#id=")[2] for key in done}
