"""The same message again: while it is handled, after it was, and after the worker was killed."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.emulator.support import Entries, PubSub, wait_past_a_redelivery
from tests.support.server import ServerProcess

pytestmark = pytest.mark.emulator


class Gate:
    """Holds handlers of the feature `hold` until it lets one through."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._path = path
        self._end = os.open(path, os.O_RDWR)  # both ends: no open and no write ever blocks

    def payload(self) -> dict[str, str]:
        return {"feature": "hold", "requirements": str(self._path)}

    def let_one_through(self) -> None:
        os.write(self._end, b"\n")

    def close(self) -> None:
        os.close(self._end)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(tmp_path / "gate")
    yield made
    made.let_one_through()  # should the test have failed: free the handler's thread
    made.close()


def test_a_message_pushed_again_while_it_is_handled_runs_once(
    pubsub: PubSub, server: ServerProcess, entries: Entries, gate: Gate
) -> None:
    topic = pubsub.topic()
    # After the ack deadline of a second the emulator pushes again, while the first push waits.
    pubsub.push(topic, server.url, ackDeadlineSeconds=1)
    message_id = pubsub.publish(topic, gate.payload())
    entries.wait(message_id, "hold.started")
    entries.wait(message_id, outcome="busy")
    gate.let_one_through()
    entries.wait(message_id, outcome="done")
    # The emulator drops an answer that comes after the deadline, so it pushes once more.
    duplicate = entries.wait(message_id, outcome="duplicate")
    wait_past_a_redelivery(pubsub, entries)

    assert len(entries.of(message_id, "hold.started")) == 1
    outcomes = entries.outcomes(message_id)
    assert outcomes == ["busy"] * (len(outcomes) - 2) + ["done", "duplicate"]
    assert duplicate["jsonPayload"]["status"] == 200
    assert duplicate["severity"] == "INFO"


def test_messages_with_the_same_idempotency_key_run_once(
    pubsub: PubSub, server: ServerProcess, entries: Entries
) -> None:
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    key = {"idempotency_key": "order-7"}
    payload = {"feature": "smoke_test"}
    first = pubsub.publish(topic, payload, key)
    entries.wait(first, outcome="done")
    second = pubsub.publish(topic, payload, key)
    assert entries.wait(second)["jsonPayload"]["outcome"] == "duplicate"
    assert entries.of(second, "smoke_test.passed") == []


def test_a_message_of_a_killed_worker_is_handled_by_the_next(
    pubsub: PubSub, folder: Path, stack: ExitStack, gate: Gate
) -> None:
    killed = stack.enter_context(ServerProcess(folder))
    topic = pubsub.topic()
    pubsub.push(topic, killed.url)
    message_id = pubsub.publish(topic, gate.payload())
    Entries(killed).wait(message_id, "hold.started")
    kill(killed)
    assert Entries(killed).outcomes(message_id) == []

    gate.let_one_through()
    entries = Entries(stack.enter_context(ServerProcess(folder, {"PORT": str(killed.port)})))
    entries.wait(message_id, outcome="done")
    assert len(entries.of(message_id, "hold.started")) == 1


def test_a_message_of_a_killed_child_is_handled_by_the_one_that_replaces_it(
    pubsub: PubSub, folder: Path, stack: ExitStack, gate: Gate
) -> None:
    server = stack.enter_context(ServerProcess(folder))
    entries = Entries(server)
    topic = pubsub.topic()
    pubsub.push(topic, server.url)
    message_id = pubsub.publish(topic, gate.payload())
    entries.wait(message_id, "hold.started")
    (child,) = children(server)
    os.kill(child, signal.SIGKILL)
    server.wait_for(lambda entry: "was sent SIGKILL" in entry["message"])  # it can read nothing now
    gate.let_one_through()
    entries.wait(message_id, outcome="done")
    assert entries.outcomes(message_id) == ["done"]
    assert len(entries.of(message_id, "hold.started")) == 2


def kill(server: ServerProcess) -> None:
    """SIGKILL to every process of the server, as when a container dies."""
    pids = [server.process.pid, *children(server)]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    server.stop()


def children(server: ServerProcess) -> list[int]:
    """The processes that the server has forked, from what it said about them."""
    said = [str(entry.get("message")) for entry in server.entries()]
    return [
        int(pid) for text in said for pid in re.findall(r"Booting worker with pid: (\d+)", text)
    ]
