"""The worker's lines on their way to the terminal."""

import threading

import pytest

from tests.support.inprocess import in_thread
from worker.cli import showing
from worker.cli.showing import Showing


class FakeTerminal:
    """Remembers what it is to show; it can be kept from showing more."""

    def __init__(self) -> None:
        self.shown: list[str] = []
        self.began = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def line(self, line: bytes) -> None:
        self.began.set()
        self.may_go_on.wait()
        self.shown.append(line.decode())

    def error_line(self, line: bytes) -> None:
        self.shown.append(f"error: {line.decode()}")

    def say(self, text: str = "", style: str = "") -> None:
        self.shown.append(text)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> FakeTerminal:
    monkeypatch.setattr(showing, "_PAUSE_SECONDS", 0.0)
    return FakeTerminal()


def showing_on(terminal: FakeTerminal) -> Showing:
    return Showing(terminal)  # type: ignore[arg-type]


def test_lines_are_shown_in_their_order_and_ours_after_them(terminal: FakeTerminal) -> None:
    shown = showing_on(terminal)
    shown.line(b"one", "stdout")
    shown.line(b"two", "stderr")
    shown.say("three")
    assert terminal.shown == ["one", "error: two", "three"]


def test_who_writes_a_line_does_not_wait_for_the_terminal(terminal: FakeTerminal) -> None:
    terminal.may_go_on.clear()
    shown = showing_on(terminal)
    shown.line(b"one", "stdout")
    terminal.began.wait()
    shown.line(b"two", "stdout")  # returns, or the test times out
    assert terminal.shown == []
    terminal.may_go_on.set()
    shown.say("end")
    assert terminal.shown == ["one", "two", "end"]


def test_of_a_flood_the_first_lines_are_shown_and_the_others_counted(
    terminal: FakeTerminal,
) -> None:
    terminal.may_go_on.clear()
    shown = showing_on(terminal)
    shown.line(b"first", "stdout")
    terminal.began.wait()
    for number in range(1000):
        shown.line(str(number).encode(), "stdout")
    terminal.may_go_on.set()
    shown.say("end")
    flood = [str(number) for number in range(200)]
    assert terminal.shown == ["first", *flood, "(800 more lines: the page has all of them)", "end"]


def test_a_terminal_that_is_gone_ends_the_program(
    terminal: FakeTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted = threading.Event()
    monkeypatch.setattr(showing._thread, "interrupt_main", interrupted.set)  # type: ignore[attr-defined]

    def gone(line: bytes) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(terminal, "line", gone)
    shown = showing_on(terminal)
    in_thread(lambda: shown.line(b"one", "stdout"))
    interrupted.wait()
    shown.say("after it")
    assert terminal.shown == ["after it"]
