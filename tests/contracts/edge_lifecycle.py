"""What every edge's process does from its first line to its exit code.

A subclass hands in `start`: it starts a server of its own for the test, with
`tests.support.probe_handlers` beside our handlers. `read_seconds` is the time that a request may
take to arrive; the rest are environment variables.
"""

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.contracts.edge import SMOKE_TEST, metadata, new_id
from tests.support.rawhttp import RawConnection, post, request, send
from tests.support.server import ServerProcess
from worker.sink import SHARED_LIMIT

GRACEFUL_SECONDS = 8.0  # what an edge may wait for requests in flight
EXIT_SECONDS = 10.0  # Cloud Run: SIGTERM, then 10 s, then SIGKILL


class Start(Protocol):
    def __call__(
        self, *, read_seconds: float | None = None, **environment: str
    ) -> ServerProcess: ...


class Held:
    """Handlers that wait until the test lets them go: each takes one byte from a named pipe."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "held.pipe"
        os.mkfifo(self.path)
        self._pipe = os.open(self.path, os.O_RDWR)  # both ends: neither side ever waits to open it

    def payload(self, feature: str = "hold") -> bytes:
        return json.dumps({"feature": feature, "requirements": str(self.path)}).encode()

    def push(self, server: ServerProcess, feature: str = "hold") -> tuple[RawConnection, str]:
        """Send a push; its handler may run, or wait for a thread."""
        message_id = new_id()
        connection = RawConnection(server.port)
        connection.send(request("POST", "/", metadata(message_id), self.payload(feature)))
        return connection, message_id

    def running(self, server: ServerProcess, feature: str = "hold") -> RawConnection:
        """Send a push and return once its handler runs."""
        connection, message_id = self.push(server, feature)
        server.wait_for(
            lambda e: e["event"] == "hold.started" and e.get("message_id") == message_id
        )
        return connection

    def let_go(self, handlers: int = 1) -> None:
        os.write(self._pipe, b"." * handlers)

    def close(self) -> None:
        self.let_go(100)  # whatever a failed test left behind
        os.close(self._pipe)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    holder = Held(tmp_path)
    yield holder
    holder.close()


def entries_of(server: ServerProcess) -> list[dict[str, Any]]:
    """Every line of a server that has stopped, each of them a JSON object."""
    return [json.loads(line) for line in server.lines]


def canonical_of(server: ServerProcess) -> list[dict[str, Any]]:
    return [entry for entry in entries_of(server) if entry.get("event") == "message.processed"]


def ready(server: ServerProcess) -> int:
    return send(server.port, request("GET", "/health/ready", [("Connection", "close")])).status


def terminate(server: ServerProcess) -> None:
    """SIGTERM, and return once the server knows: it is asked until it is not ready any more."""
    server.process.send_signal(signal.SIGTERM)
    until = time.monotonic() + EXIT_SECONDS
    while ready(server) != 503:
        assert time.monotonic() < until, "still ready after SIGTERM"


class Draining:
    def test_a_draining_server_takes_no_new_push_and_finishes_the_running_one(
        self, start: Start, held: Held
    ) -> None:
        server = start()
        assert ready(server) == 200
        with held.running(server) as running:
            terminate(server)

            refused = post(server.port, SMOKE_TEST, metadata("late"))
            live = send(server.port, request("GET", "/health/live"))
            held.let_go()
            finished = running.answer()
        began = time.monotonic()
        code = server.stop()

        assert (refused.status, refused.json()["outcome"]) == (503, "draining")
        assert live.status == 200
        assert (finished.status, finished.json()["outcome"]) == (200, "done")
        assert code == 0
        assert time.monotonic() - began < EXIT_SECONDS
        assert [e["outcome"] for e in canonical_of(server)] == ["draining", "done"]
        assert server.stderr() == ""

    def test_handlers_have_seven_seconds_and_what_is_left_is_nacked_before_the_process_is_killed(
        self, start: Start, held: Held
    ) -> None:
        server = start(ACK_DEADLINE_SECONDS="60")
        slow = b'{"feature":"take","requirements":"7"}'
        with held.running(server) as running, RawConnection(server.port) as finishing:
            finishing.send(request("POST", "/", metadata("slow"), slow))
            server.wait_for(lambda e: e["event"] == "take.started")
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            answers = [finishing.answer(), running.answer()]
        code = server.stop()

        assert [answer.status for answer in answers] == [200, 503]
        assert answers[1].json()["outcome"] == "draining"
        assert code == 0
        assert time.monotonic() - began < EXIT_SECONDS
        assert [e["outcome"] for e in canonical_of(server)] == ["done", "draining"]

    def test_idle_connections_do_not_delay_the_exit(self, start: Start) -> None:
        server = start()
        with ExitStack() as stack:
            for _ in range(3):
                kept = stack.enter_context(RawConnection(server.port))
                assert kept.send(request("GET", "/health/live")).answer().status == 200
                stack.enter_context(RawConnection(server.port))  # sends nothing
            began = time.monotonic()

            code = server.stop()

        assert code == 0
        assert time.monotonic() - began < GRACEFUL_SECONDS  # as long as gunicorn itself would wait

    def test_every_process_of_several_drains(self, start: Start, held: Held) -> None:
        server = start(WORKERS="2")
        with held.running(server) as running:
            server.process.send_signal(signal.SIGTERM)
            held.let_go()
            assert running.answer().status == 200

        assert server.stop() == 0


class Load:
    def test_with_every_thread_busy_a_push_is_overloaded_at_once_and_health_answers(
        self, start: Start, held: Held
    ) -> None:
        server = start(HANDLER_THREADS="1", ACK_DEADLINE_SECONDS="60")
        with ExitStack() as stack:
            first = stack.enter_context(held.running(server))
            others = [stack.enter_context(held.push(server)[0]) for _ in range(2)]
            # One of the two waits for the thread, there is no room for the other.
            turned_away = next_answered(others)
            answer = turned_away.answer()
            assert (answer.status, answer.json()["outcome"]) == (429, "overloaded")
            for path in ("/health/live", "/health/ready", "/smoke-test/"):
                assert send(server.port, request("GET", path)).status == 200

            held.let_go(2)

            (waiting,) = (one for one in others if one is not turned_away)
            assert first.answer().status == 200
            assert waiting.answer().status == 200

    def test_a_handler_that_hangs_is_nacked_before_the_ack_deadline_and_holds_up_no_other(
        self, start: Start
    ) -> None:
        server = start(ACK_DEADLINE_SECONDS="10", HANDLER_THREADS="1")

        answer = post(server.port, b'{"feature":"hang"}', metadata("hung"))
        others = [post(server.port, SMOKE_TEST, metadata(new_id())).status for _ in range(3)]
        another = post(server.port, b'{"feature":"hang"}', metadata("another"))

        assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")
        entry = server.canonical("hung")
        assert (entry["outcome"], entry["feature"]) == ("timed_out", "hang")
        assert entry["seconds"] > 8  # it had nearly the whole ack deadline
        assert others == [200, 200, 200]
        assert another.status == 429
        assert server.canonical("another")["held_by"] == {"hang": 1}
        assert server.stop() == 0  # a thread that hangs does not hold the process

    def test_a_feature_that_bounds_itself_leaves_the_other_threads_alone(
        self, start: Start, held: Held
    ) -> None:
        server = start(HANDLER_THREADS="4", ACK_DEADLINE_SECONDS="60")
        with held.running(server, "one_by_one") as first:
            second = post(server.port, held.payload("one_by_one"), metadata("second"))
            other = post(server.port, SMOKE_TEST, metadata(new_id()))
            held.let_go()
            assert first.answer().status == 200

        assert (second.status, second.json()["outcome"]) == (429, "overloaded")
        assert server.canonical("second")["held_by"] == {"one_by_one": 1}
        assert other.status == 200


class Slowness:
    def test_a_body_that_does_not_arrive_in_time_is_nacked(self, start: Start) -> None:
        server = start(read_seconds=0.3)
        head = request("POST", "/", [("Content-Length", "100")], None)

        with RawConnection(server.port) as connection:
            answer = connection.send(head + b"half").answer()
            assert connection.ended()

        assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")
        server.stop()
        assert [e["outcome"] for e in canonical_of(server)] == ["timed_out"]

    def test_headers_that_do_not_arrive_in_time_end_the_connection(self, start: Start) -> None:
        server = start(read_seconds=0.3)

        with RawConnection(server.port) as connection:
            assert connection.send(b"POST / HTTP/1.1\r\nHost: x\r\nX-Half: ").ended()

    def test_a_body_that_drips_is_nacked_too(self, start: Start) -> None:
        server = start(read_seconds=0.3)
        head = request("POST", "/", [("Content-Length", "1000")], None)

        with RawConnection(server.port) as connection:
            connection.send(head)
            answer = drip_until_answered(connection)

        assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")

    def test_a_handler_may_take_longer_than_a_request_may_take_to_arrive(
        self, start: Start
    ) -> None:
        server = start(read_seconds=0.3)
        slow = b'{"feature":"take","requirements":"2"}'

        with RawConnection(server.port) as connection:
            for payload in (slow, SMOKE_TEST):  # the connection is as good as before
                connection.send(request("POST", "/", metadata(new_id()), payload))
                assert connection.answer().status == 200


class Lines:
    def test_every_push_writes_one_canonical_entry_whatever_becomes_of_it(
        self, start: Start
    ) -> None:
        server = start()
        payloads = [
            SMOKE_TEST,
            b"",
            b"\xff\x00",
            b'{"feature":"never"}',
            b'{"feature":"crash"}',
            b'{"feature":"ask_again"}',
            b'{"feature":"no_such_feature"}',
            b'{"feature":"see_attributes"}',
        ]
        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda data: post(server.port, data, metadata(new_id())), 5 * payloads)
            )
        for _ in range(3):
            post(server.port, SMOKE_TEST, metadata("the same"))
            send(server.port, request("GET", "/health/live"))
            send(server.port, request("GET", "/no/such/path"))
        too_large = request("POST", "/", [("Content-Length", "99999999")], None)
        send(server.port, too_large)
        with RawConnection(server.port) as connection:
            connection.send(request("POST", "/", [("Content-Length", "9")], None))
            connection.finish_sending()
            answers.append(connection.answer())

        assert server.stop() == 0

        written = [entry["outcome"] for entry in canonical_of(server)]
        answered = [answer.json()["outcome"] for answer in answers]
        assert sorted(written) == sorted([*answered, "done", "duplicate", "duplicate", "refused"])
        assert server.stderr() == ""

    def test_several_processes_write_whole_lines_that_a_pipe_takes_at_once(
        self, start: Start
    ) -> None:
        server = start(WORKERS="2")
        payload = b'{"feature":"big_entries","description":"%s"}' % (b"x" * 10_000)

        with ThreadPoolExecutor(8) as pool:
            answers = list(
                pool.map(lambda _: post(server.port, payload, metadata(new_id())), range(60))
            )
        assert server.stop() == 0

        assert {answer.json()["outcome"] for answer in answers} == {"done"}
        assert max(map(len, server.lines)) <= SHARED_LIMIT
        entries = entries_of(server)
        assert len(canonical_of(server)) == 60
        assert sum(entry["event"] == "big.logged" for entry in entries) == 360
        pids = {entry["logging.googleapis.com/insertId"].split("-")[1] for entry in entries}
        assert len(pids) >= 3  # the parent and both servers wrote
        assert server.stderr() == ""

    def test_what_a_handler_prints_breaks_no_entry(self, start: Start) -> None:
        server = start()

        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda _: post(server.port, b'{"feature":"chatter"}', metadata(new_id())),
                    range(40),
                )
            )
        assert server.stop() == 0

        entries = entries_of(server)
        events = [entry["event"] for entry in entries]
        assert events.count("chatter.logged") == 40
        assert events.count("message.processed") == 40
        printed = [entry for entry in entries if entry["event"] == "print"]
        assert len({entry["message_id"] for entry in printed}) == 40
        for entry in printed:
            assert entry["message"].startswith("half a line")
            assert entry["message"].endswith("the end")

    def test_nothing_is_left_behind(self, start: Start, tmp_path: Path) -> None:
        home = tmp_path / "home"
        home.mkdir()
        server = start(HOME=str(home))
        folder = Path(f"/proc/{server.process.pid}/cwd").readlink()
        before = sorted(path.name for path in folder.iterdir())

        assert post(server.port, SMOKE_TEST, metadata(new_id())).status == 200
        assert server.stop() == 0

        assert list(home.iterdir()) == []
        assert sorted(path.name for path in folder.iterdir()) == before
        assert server.stderr() == ""
        assert all(entry["severity"] and entry["time"] for entry in entries_of(server))

    def test_port_0_says_which_port_it_picked(self, start: Start) -> None:
        server = start(PORT="0")

        entry = server.wait_for(lambda e: e["event"] == "server.listening")

        assert entry["url"] == f"http://127.0.0.1:{entry['port']}"
        assert send(entry["port"], request("GET", "/health/live")).status == 200


def next_answered(connections: list[RawConnection]) -> RawConnection:
    """The first of the connections on which something arrives."""
    sockets = {connection.fileno(): connection for connection in connections}
    ready_to_read, _, _ = select.select(list(sockets), [], [], EXIT_SECONDS)
    return sockets[ready_to_read[0]]


def drip_until_answered(connection: RawConnection) -> Any:
    """Send one byte now and then until the server answers."""
    until = time.monotonic() + EXIT_SECONDS
    while not select.select([connection.fileno()], [], [], 0.05)[0]:
        assert time.monotonic() < until, "no answer"
        try:
            connection.send(b"x")
        except (BrokenPipeError, ConnectionResetError):
            break
    return connection.answer()


class LifecycleContract(Draining, Load, Slowness, Lines):
    """All of it; a subclass adds the fixture `start`."""
