"""Runs the commands of a Markdown page as its reader would: in terminals, one block after another.

A comment, which no reader sees, stands above each block that takes part:

    <!-- terminal 3 -->          run it in that terminal, to its end; it must succeed
    <!-- terminal 1, stays -->   start it there and go on; it runs until Ctrl-C, which comes before
                                 the next block of that terminal, or at the end of the page
    <!-- terminal 1 shows -->    wait until that terminal shows these lines, in this order;
                                 … stands for any text within a line

What a block exports holds for the later blocks of its terminal. Everything runs in a copy of the
checkout made of links. Of the page's text nothing is changed but the ports 8080 and 8085.
"""

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.daemon import free_port
from tests.support.server import ROOT, WAIT_SECONDS

_BLOCK = re.compile(
    r"^<!-- terminal (?P<terminal>\d+)(?P<how>|, stays| shows) -->\n+"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PORTS = ("8080", "8085")  # the worker's and the emulator's
_KEEP_EXPORTS = 'if test -e "$1"; then . "$1"; fi; trap \'export -p > "$1"\' EXIT\n'
_PRESSES = 5  # of Ctrl-C, until nothing runs
_PRESS_SECONDS = 3.0
_RUN_SECONDS = 100.0  # for one block; to build a feature takes the longest
# No Makefile: `make setup` would install a .venv there, which takes a minute and the network.
_LEFT_OUT = {".git", ".venv", ".laptop-cloud", "quarantine", "Makefile"}


@dataclass(frozen=True)
class Step:
    """One marked block of a page; `place` is page:line."""

    place: str
    terminal: int
    how: str  # run, stays or shows
    text: str


def steps_of(page: Path) -> list[Step]:
    """The marked blocks of a page, in their order."""
    text = page.read_text()
    found = []
    for match in _BLOCK.finditer(text):
        how = match["how"].strip(", ") or "run"
        place = f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}"
        language = "text" if how == "shows" else "bash"
        assert match["language"] == language, f"{place}: want a block of {language}"
        found.append(Step(place, int(match["terminal"]), how, match["text"]))
    return found


class Terminal:
    """A shell in which one block runs at a time."""

    def __init__(self, folder: Path, state: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._state = state  # the exports, kept from block to block
        self._environment = environment
        self._lines: queue.Queue[str] = queue.Queue()
        self._seen: list[str] = []
        self._shell: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.interrupt()

    def start(self, commands: str) -> "subprocess.Popen[str]":
        """Press Ctrl-C if something runs, then start the commands."""
        self.interrupt()
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", _KEEP_EXPORTS + commands, "terminal", self._state],
            cwd=self._folder, env=self._environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(shell,), daemon=True).start()
        self._shell = shell
        return shell

    def _read(self, shell: "subprocess.Popen[str]") -> None:
        assert shell.stdout is not None
        with shell.stdout:
            for line in shell.stdout:
                self._lines.put(line.rstrip("\n"))

    def run(self, commands: str) -> None:
        """Run the commands to their end. They must succeed."""
        shell = self.start(commands)
        code = shell.wait(_RUN_SECONDS)
        self._shell = None
        assert code == 0, f"exit code {code}:\n{commands}\n{self.output()}"

    def wait_for(self, line: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait for a line, … standing for any text, after those that were waited for before."""
        wanted = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        until = time.monotonic() + seconds
        while True:
            try:
                shown = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not shown: {line}\n{self.output()}") from None
            self._seen.append(shown)
            if wanted.fullmatch(shown):
                return

    def output(self) -> str:
        """What the terminal has shown."""
        while not self._lines.empty():
            self._seen.append(self._lines.get())
        return "\n".join(self._seen)

    def interrupt(self) -> None:
        """Press Ctrl-C: every process of the terminal gets it, and all of them must end."""
        shell, self._shell = self._shell, None
        if shell is None:
            return
        ended = shell.poll()
        left = _session(shell.pid)
        for _ in range(_PRESSES):  # once misses a program that the shell is just about to start
            for pid in left:
                _signal(pid, signal.SIGINT)
            left = _wait_for_end(shell)
        for pid in left:
            _signal(pid, signal.SIGKILL)
        shell.wait()
        assert ended is None, f"ended by itself with exit code {ended}:\n{self.output()}"
        assert not left, f"runs on after Ctrl-C: {left}"


def _wait_for_end(shell: "subprocess.Popen[str]") -> list[int]:
    """Give the processes of a terminal some seconds to end; return those that have not."""
    until = time.monotonic() + _PRESS_SECONDS
    while (left := _session(shell.pid)) and time.monotonic() < until:
        time.sleep(0.02)
        shell.poll()  # a child that ended stays in the session until it is asked for
    return left


def _session(leader: int) -> list[int]:
    """The processes of a terminal. Not its process group: gcloud makes one of its own."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(ValueError, ProcessLookupError, PermissionError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def take(page: Path, folder: Path, checkout: Path | None = None) -> None:
    """Run the marked blocks of a page in `folder`. The first that fails raises AssertionError.

    `checkout` is where its terminals begin, a copy of this one made of links if it is not given.
    """
    checkout = checkout or _checkout(folder)
    ports = {port: str(free_port()) for port in _PORTS}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = kept | {
        "PORT": ports["8080"],
        "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }
    terminals: dict[int, Terminal] = {}
    with ExitStack() as stack:
        for step in steps_of(page):
            if step.terminal not in terminals:
                state = folder / f"terminal-{step.terminal}"
                terminals[step.terminal] = stack.enter_context(
                    Terminal(checkout, state, environment)
                )
            text = re.sub(rf"\b({'|'.join(_PORTS)})\b", lambda port: ports[port[0]], step.text)
            _take_step(terminals[step.terminal], step, text)


def _take_step(terminal: Terminal, step: Step, text: str) -> None:
    try:
        if step.how == "run":
            terminal.run(text)
        elif step.how == "stays":
            terminal.start(text)
        else:
            for line in text.splitlines():
                terminal.wait_for(line)
    except AssertionError as error:
        raise AssertionError(f"{step.place}: {error}") from None


def _checkout(folder: Path) -> Path:
    """A checkout made of links, so that what the commands write lands in the folder."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for path in ROOT.iterdir():
        if path.name not in _LEFT_OUT:
            (checkout / path.name).symlink_to(path)
    (checkout / ".venv").symlink_to(sys.prefix)
    return checkout
