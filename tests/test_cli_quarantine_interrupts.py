"""Ctrl-C, SIGTERM and SIGKILL while the desk works at a folder; a terminal that shows it."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.support.cli import KEPT
from tests.support.desk import reject
from tests.support.server import ROOT, WAIT_SECONDS, ServerProcess
from tests.support.standin import Call, Reply, StandIn
from worker.client.deliver import deliver
from worker.client.forms import Request
from worker.quarantine.folder import FolderQuarantine

pytestmark = pytest.mark.server

PAYLOAD = {"feature": "smoke_test", "requirements": {"nonce": "n-1"}}
COUNT = 4
CTRL_C = b"\x03"
PRESS_SECONDS = 0.2
SECOND = 2  # the push during which something happens


class Desk:
    """The command as a process of its own; `pid` is known to who answers its requests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environment |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, *words: str, **streams: Any) -> "subprocess.Popen[str]":
        self.process = subprocess.Popen(
            [sys.executable, "-m", "worker", "quarantine", *words],
            cwd=self.folder, env=self._environment, text=True, **streams,
        )  # fmt: skip
        return self.process

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(
            *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = process.communicate(timeout=WAIT_SECONDS)
        return process.returncode, out, err

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def left(self) -> int:
        return len(list((self.folder / "quarantine").glob("sha256-*.json")))


@pytest.fixture
def server(serve: Serve) -> ServerProcess:
    return serve()


@pytest.fixture
def desk(tmp_path: Path, server: ServerProcess) -> Desk:
    """With some messages that would pass now; the folder is also the server's."""
    for number in range(COUNT):
        reject(FolderQuarantine(tmp_path / "quarantine"), PAYLOAD, str(number))
    return Desk(tmp_path)


@pytest.fixture
def between(server: ServerProcess) -> Iterator[Callable[..., StandIn]]:
    """A proxy before the worker; the hooks are called with the number of the push."""
    running: list[StandIn] = []

    def make(before: Callable[[int], None], after: Callable[[int], None]) -> StandIn:
        def forward(call: Call) -> Reply:
            number = len(proxy.calls)
            before(number)
            kept = {"content-type": call.headers["content-type"]}
            answer = deliver(f"{server.url}/", Request(kept, call.body))
            after(number)
            return Reply.json({"outcome": answer.outcome, "reason": answer.reason}, answer.status)

        proxy = StandIn(forward)
        proxy.__enter__()
        running.append(proxy)
        return proxy

    yield make
    for one in running:
        one.__exit__()


def nothing(_number: int) -> None:
    """No hook."""


def at_second(what: Callable[[], None]) -> Callable[[int], None]:
    return lambda number: what() if number == SECOND else None


def replay(desk: Desk, url: str, *words: str) -> tuple[int, str, str]:
    return desk.run("replay", "--all", "--to", url, "--yes", "--rate", "1000", *words)


def handled(server: ServerProcess) -> list[str]:
    """The messages that the handler had, once the server has ended."""
    server.stop()
    return sorted(e["message_id"] for e in server.entries() if e["event"] == "smoke_test.passed")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_lets_the_message_in_hand_end(
    desk: Desk, server: ServerProcess, between: Callable[..., StandIn], number: signal.Signals
) -> None:
    proxy = between(at_second(lambda: desk.signal(number)), nothing)
    code, out, err = replay(desk, proxy.url)
    assert (code, err.strip()) == (130, "")
    assert f"replayed 2 of {COUNT}; 2 were not looked at: repeat the command" in out
    assert desk.left() == COUNT - 2
    assert replay(desk, proxy.url)[0] == 0
    assert desk.left() == 0
    assert handled(server) == [str(one) for one in range(COUNT)]
    audited = (desk.folder / "quarantine" / "audit.jsonl").read_text().splitlines()
    assert len(audited) == COUNT


def test_a_second_interrupt_does_not_wait_for_a_slow_worker(
    desk: Desk, server: ServerProcess
) -> None:
    def hang(_call: Call) -> Reply:
        desk.signal(signal.SIGINT)
        desk.signal(signal.SIGTERM)  # another one: two of the same at once may count as one
        return Reply(hang=True)

    with StandIn(hang) as slow:
        code, out, _ = replay(desk, slow.url)
    assert code == 130
    assert f"replayed 0 of {COUNT}" in out
    assert desk.left() == COUNT


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_loses_nothing_and_the_repetition_handles_nothing_twice(
    desk: Desk, server: ServerProcess, between: Callable[..., StandIn], moment: str
) -> None:
    kill = at_second(lambda: desk.signal(signal.SIGKILL))
    proxy = between(*((kill, nothing) if moment == "before" else (nothing, kill)))
    code, _, _ = replay(desk, proxy.url)
    assert code == -signal.SIGKILL
    assert desk.left() == COUNT - 1
    code, out, _ = replay(desk, server.url)
    assert code == 0
    assert out.count("duplicate (200)") == 1  # the killed one's: it got there either way
    assert desk.left() == 0
    assert handled(server) == [str(one) for one in range(COUNT)]


def test_a_terminal_is_asked_and_ctrl_c_means_no(desk: Desk) -> None:
    shown, code = on_terminal(desk, "drop", "--all", answer=CTRL_C)
    assert code == 130
    assert f"drop {COUNT} for good? [y/N]:" in shown
    assert desk.left() == COUNT
    shown, code = on_terminal(desk, "drop", "--all", answer=b"n\n")
    assert (code, desk.left()) == (130, COUNT)
    shown, code = on_terminal(desk, "drop", "--all", answer=b"y\n")
    assert (code, desk.left()) == (0, 0)


def test_a_terminal_shows_a_bar(desk: Desk, server: ServerProcess) -> None:
    words = ("replay", "--all", "--to", server.url, "--yes", "--rate", "1000")
    shown, code = on_terminal(desk, *words)
    assert code == 0
    assert f"{COUNT}/{COUNT}" in shown
    assert "━" in shown
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert plain.count("done (200): handled by smoke_test") == COUNT
    assert f"replayed {COUNT} of {COUNT}" in plain


def on_terminal(desk: Desk, *words: str, answer: bytes = b"") -> tuple[str, int]:
    """What a terminal shows, and the exit code; it is answered when it asks."""
    here, there = pty.openpty()
    process = desk.start(*words, stdin=there, stdout=there, stderr=there, start_new_session=True)
    os.close(there)
    shown = b""
    with suppress(OSError):  # EIO: the other end is closed
        while True:
            if select.select([here], [], [], PRESS_SECONDS)[0]:
                shown += os.read(here, 65536)
            if b"[y/N]:" not in shown:
                continue
            if answer == CTRL_C:  # again and again: one just before it reads is not noticed
                process.send_signal(signal.SIGINT)
            elif answer:
                os.write(here, answer)
                answer = b""
    code = process.wait(WAIT_SECONDS)
    os.close(here)
    return shown.decode(), code


def test_a_reader_that_goes_away_is_no_crash(desk: Desk) -> None:
    here, there = os.pipe()
    os.close(here)
    process = desk.start("list", "--json", stdout=there, stderr=subprocess.PIPE)
    os.close(there)
    _, err = process.communicate(timeout=WAIT_SECONDS)
    assert "Traceback" not in err
