"""A contestant's server: started on a free port, its stdout drained by another process, stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

from tests.benchmarks.contestants import Contestant, Kind
from tests.benchmarks.cores import Cores, running_on
from tests.benchmarks.failure import BenchmarkFailed
from tests.benchmarks.http1 import BadAnswer, read_answer
from tests.support.server import ROOT

START_SECONDS = 60.0
_POLL_SECONDS = 0.002  # between two tries for the first answer
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR")


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class Server:
    """One running server. Its processes are a group of their own, so that none outlives it."""

    def __init__(self, contestant: Contestant, folder: Path, certs: str, cores: Cores) -> None:
        self.contestant = contestant
        self.port = free_port()
        home = Path(mkdtemp(dir=folder))
        self._stderr = home / "stderr.txt"
        values = {"bin": str(contestant.venv / "bin"), "port": str(self.port), "certs": certs}
        command = [word.format(**values) for word in contestant.command]
        environment = _environment(contestant, home, values)
        with running_on(cores.server), self._stderr.open("wb") as stderr:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                command, cwd=contestant.folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=stderr, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdout is not None
        with running_on(cores.client), self._process.stdout as stdout:
            self._drain = subprocess.Popen(["cat"], stdin=stdout, stdout=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_for_answer(self, request: bytes) -> float:
        """Send the request until it is answered 2xx: seconds since the start."""
        until = self.started + START_SECONDS
        while not self._answers(request):
            if self._process.poll() is not None:
                raise BenchmarkFailed(f"{self.contestant.title} ended: {self._last_words()}")
            if time.monotonic() > until:
                raise BenchmarkFailed(f"{self.contestant.title} does not answer 2xx")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - self.started

    def _answers(self, request: bytes) -> bool:
        received = b""
        with suppress(OSError, BadAnswer):
            with socket.create_connection(("127.0.0.1", self.port), START_SECONDS) as connection:
                connection.sendall(request)
                while (answer := read_answer(received)) is None:
                    if not (data := connection.recv(65536)):
                        return False
                    received += data
            return 200 <= answer.status < 300
        return False

    def _last_words(self) -> str:
        lines = self._stderr.read_text("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self._process.returncode}"

    def stop(self) -> None:
        """End every process of it at once: what a shutdown costs is not measured."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._drain.wait()


def _environment(contestant: Contestant, home: Path, values: Mapping[str, str]) -> dict[str, str]:
    variables = {name: os.environ[name] for name in _KEPT if name in os.environ}
    variables["HOME"] = str(home)
    if contestant.kind is not Kind.PEER:
        variables["PYTHONPATH"] = str(ROOT)
    wanted = {name: value.format(**values) for name, value in contestant.environment.items()}
    return {**variables, **wanted}
