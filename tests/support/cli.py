"""`python -m worker ...` in this process, and in one of its own read as it writes."""

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self
from uuid import uuid4

from click.testing import CliRunner, Result

from tests.support.server import ROOT, WAIT_SECONDS
from worker.cli import main

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


def run(*words: str, stdin: bytes | None = None, **environment: str | None) -> Result:
    """The command in this process; what it says to stdout and stderr is kept apart."""
    cleared = {"PORT": None, "GOOGLE_CLOUD_PROJECT": None, "PUBSUB_EMULATOR_HOST": None}
    result = CliRunner().invoke(main, words, input=stdin, env={**cleared, **environment})
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def error_of(result: Result) -> str:
    """The one line that a failed command says; fails when there is more, or anything on stdout."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: "), result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("error: ").strip()


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """host:port of a loopback port where nobody listens, kept free while the test runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


class DevProcess:
    """`python -m worker dev` in `folder`; its stdout is read as it comes, stderr with it."""

    def __init__(
        self,
        folder: Path,
        words: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        *,
        output: int | None = None,
    ) -> None:
        self.mark = f"dev-test-{uuid4().hex}"
        variables = {name: os.environ[name] for name in KEPT if name in os.environ}
        variables |= {"PYTHONPATH": str(ROOT), "DEV_TEST_MARK": self.mark, "PORT": "0"}
        variables |= environment or {}
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "worker", "dev", *words],
            cwd=folder, env=variables, process_group=0, stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE, stderr=output or subprocess.STDOUT,
        )  # fmt: skip
        self.lines: list[str] = []
        self._arrived: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self._arrived.put(line.decode())
        self._arrived.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.interrupt()
        if self.process.stdout is not None:
            self._reader.join(WAIT_SECONDS)
            self.process.stdout.close()

    def wait_for(self, text: str) -> str:
        """The next line that holds `text`, of those not waited past."""
        while (line := self._arrived.get(timeout=WAIT_SECONDS)) is not None:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"dev ended before {text!r}: {self.text()}")

    def text(self) -> str:
        return "".join(self.lines)

    def port(self) -> int:
        """Wait until it serves: the port."""
        line = self.wait_for("ready on http://")
        return int(line.partition("http://127.0.0.1:")[2].partition(",")[0])

    def interrupt(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C as a terminal sends it, to the whole process group; the exit code."""
        os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code, and the rest of its output in `lines`."""
        code = self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        while not self._arrived.empty():
            line = self._arrived.get()
            if line is not None:
                self.lines.append(line)
        return code

    def left(self) -> list[int]:
        """The processes that it, or what it started, left behind (Linux)."""
        mark = f"DEV_TEST_MARK={self.mark}".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
        return found
