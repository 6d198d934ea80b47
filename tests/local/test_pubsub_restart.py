"""What is committed survives the end of the process, whatever ends it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.pubsub_support import (
    DEAD,
    DEAD_LETTERS,
    SUBSCRIPTION,
    ack,
    lease,
    make_topics,
    nack,
    opened,
    send,
    stopped_clock,
    subscribe,
    texts,
)
from tests.support.server import ROOT
from worker.local.clock import Clock
from worker.local.database import StateUnusable

# Publishes, leases one message, acks another, says so and waits for the end.
CHILD = """
import sys, threading
from pathlib import Path
from tests.local.pubsub_support import ack, lease, make_topics, nack, send, subscribe
from worker.local.clock import Clock
from worker.local.pubsub.service import PubSub

pubsub = PubSub(Path(sys.argv[1]), Clock())
make_topics(pubsub)
subscribe(pubsub)
send(pubsub, "acked")
ack(pubsub, lease(pubsub))
send(pubsub, "nacked")
nack(pubsub, lease(pubsub))
print("ready", flush=True)
threading.Event().wait()
"""


def test_a_restart_keeps_messages_attempts_and_leases(tmp_path: Path) -> None:
    clock = stopped_clock()
    with opened(tmp_path, clock) as pubsub:
        make_topics(pubsub)
        subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
        send(pubsub, "one", color="red")
        for _ in range(3):
            nack(pubsub, lease(pubsub))
        leased = lease(pubsub)

    with opened(tmp_path, clock) as pubsub:
        assert lease(pubsub) == []
        nack(pubsub, leased)
        (again,) = lease(pubsub)
        assert (again.attempt, again.message_id) == (5, leased[0].message_id)
        assert again.attributes == {"color": "red"}
        nack(pubsub, [again])
        assert texts(lease(pubsub, subscription=DEAD)) == ["one"]


def test_the_ids_of_a_new_state_are_greater_than_those_of_the_old(tmp_path: Path) -> None:
    ids = []
    for folder in (tmp_path / "old", tmp_path / "new"):
        with opened(folder) as pubsub:
            make_topics(pubsub)
            subscribe(pubsub)
            ids += send(pubsub, "one", "two")

    assert sorted(map(int, ids)) == [int(one) for one in ids]
    assert len(set(ids)) == 4


def test_an_id_does_not_come_again_after_the_clock_of_the_machine_went_back(tmp_path: Path) -> None:
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        subscribe(pubsub)
        send(pubsub, "one")
        with pubsub._database.write() as connection:
            connection.execute("UPDATE sqlite_sequence SET seq = 9000000000000000")

    with opened(tmp_path) as pubsub:
        assert send(pubsub, "two") == ["9000000000000001"]


def test_a_process_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == "ready\n"
        finally:
            child.kill()
    assert child.returncode == -signal.SIGKILL

    with opened(tmp_path, Clock()) as pubsub:
        (leased,) = lease(pubsub)
        assert (leased.data, leased.attempt) == (b"nacked", 2)
        ack(pubsub, [leased])
        assert pubsub.backlog()[SUBSCRIPTION] == 0


def test_a_file_that_is_no_state_is_told(tmp_path: Path) -> None:
    (tmp_path / "pubsub.sqlite3").write_text("This is not a database, but long enough to be one.")

    with pytest.raises(StateUnusable, match=r"pubsub\.sqlite3 cannot be used"), opened(tmp_path):
        pass
