"""The real server in a process of its own, driven over HTTP."""

import contextlib
import http.client
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30.0  # for anything that must happen; far more than it takes


class ServerProcess:
    """`python -m worker serve` on a free port; what it writes to stdout is read as it comes."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "worker", "serve"),
    ) -> None:
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")
        variables = {name: os.environ[name] for name in kept if name in os.environ}
        variables |= {"PORT": "0", "PYTHONPATH": str(ROOT), **(environment or {})}
        self.folder = folder
        self._stderr = (folder / "stderr.txt").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder, env=variables, stdout=subprocess.PIPE, stderr=self._stderr,
        )  # fmt: skip
        self._arrived: queue.Queue[bytes | None] = queue.Queue()
        self.lines: list[bytes] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.port = int(self.wait_for(lambda e: e.get("event") == "server.listening")["port"])
        except BaseException:
            self.process.kill()
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._arrived.put(line)
        self._arrived.put(None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stderr(self) -> str:
        return Path(self._stderr.name).read_text()

    def entries(self) -> list[dict[str, Any]]:
        """The entries that arrived so far and were waited past."""
        found = []
        for line in self.lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def catch_up(self) -> None:
        """Have in `lines` all that has arrived."""
        while not self._arrived.empty():
            line = self._arrived.get()
            if line is not None:
                self.lines.append(line)

    def wait_for(self, matches: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first entry that matches, of those already read and those to come."""
        for entry in self.entries():
            if matches(entry):
                return entry
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                line = self._arrived.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"it did not come; what came last: {self.lines[-3:]}"
                ) from None
            if line is None:
                raise AssertionError(f"the server ended: {self.stderr()}{self.lines}")
            self.lines.append(line)
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if matches(entry):
                    return dict(entry)

    def canonical(self, message_id: str) -> dict[str, Any]:
        """Wait for the canonical entry of a message."""
        return self.wait_for(
            lambda e: e.get("event") == "message.processed" and e.get("message_id") == message_id
        )

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, str], Any]:
        """Status, headers and JSON body of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            text = response.read()
            return response.status, dict(response.getheaders()), json.loads(text) if text else None

    def push(self, body: Any, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """POST / with a body (JSON unless bytes): status and JSON answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, _, answer = self.request(
            "POST", "/", data, {"Content-Type": "application/json", **(headers or {})}
        )
        return status, answer

    def stop(self) -> int:
        """SIGTERM, then the exit code; what was still written is in `lines` after it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(WAIT_SECONDS)
        self._reader.join(WAIT_SECONDS)
        self.catch_up()
        self._stderr.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def handlers_folder(folder: Path, **modules: str) -> Iterator[Path]:
    """A package `handlers` in `folder` with these modules: name -> source."""
    package = folder / "handlers"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, source in modules.items():
        (package / f"{name}.py").write_text(source)
    yield package


def with_probe_handlers(folder: Path) -> Path:
    """The folder, with our handlers in it and those of `probe_handlers` beside them."""
    shutil.copytree(ROOT / "handlers", folder / "handlers")
    shutil.copy(ROOT / "tests/support/probe_handlers.py", folder / "handlers")
    return folder
