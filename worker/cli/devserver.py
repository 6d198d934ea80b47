"""One run of `python -m worker serve` as a child in a process group of its own, all of it ended."""

import _thread
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from http.client import HTTPException
from typing import IO, Any

from worker.cli.console import Terminal, read_payload
from worker.client.deliver import opener_for
from worker.pipeline import CANONICAL_EVENT

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0  # the server itself gives requests in flight 8


class DevServer:
    """The real server; what it writes is shown as it comes.

    `listening` becomes its address, `proof` the canonical entry of the message `expected`; both
    become None when the server ends before.
    """

    def __init__(self, environment: Mapping[str, str], terminal: Terminal, expected: str) -> None:
        self.listening: Future[str | None] = Future()
        self.proof: Future[Mapping[str, Any] | None] = Future()
        self._terminal = terminal
        self._expected = expected
        self._process = subprocess.Popen(
            [sys.executable, "-m", "worker", "serve"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._readers = [
            _in_thread(self._read, self._process.stdout, self._on_line),
            _in_thread(self._read, self._process.stderr, terminal.error_line),
        ]

    def _read(self, stream: IO[bytes] | None, show: Callable[[bytes], None]) -> None:
        try:
            for line in stream or ():
                show(line)
        except OSError:  # nobody reads our own output any more: | head
            _thread.interrupt_main()
        if stream is self._process.stdout:
            _give(self.listening, None)
            _give(self.proof, None)

    def _on_line(self, line: bytes) -> None:
        self._terminal.line(line)
        payload = read_payload(line) or {}
        if payload.get("event") == "server.listening":
            _give(self.listening, str(payload.get("url")))
        if (payload.get("event"), payload.get("message_id")) == (CANONICAL_EVENT, self._expected):
            _give(self.proof, payload)

    def ready(self) -> tuple[str, int] | None:
        """Its address and number of features, once it serves; None when it does not start."""
        try:
            url = self.listening.result(_START_SECONDS)
            if url is not None:
                return _reachable(url), _features(_reachable(url))
        except (OSError, HTTPException, ValueError, LookupError):  # TimeoutError is an OSError
            pass
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)  # it is about to end, and its exit code says why
        return None

    def ended(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """End it and everything it started; return its exit code when nothing is left of it."""
        if self.ended() is None:
            self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # a hung server, what handlers started
        for reader in self._readers:
            reader.join(_STOP_SECONDS)
        return self._process.wait()


def _in_thread(work: Callable[..., None], *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _give(future: "Future[Any]", value: object) -> None:
    if not future.done():
        future.set_result(value)


def _reachable(url: str) -> str:
    """An address to connect to, for one that stands for every address."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _features(url: str) -> int:
    """Ask until it is ready: the answer waits until the handlers are loaded."""
    with opener_for(url).open(f"{url}/health/ready", timeout=_START_SECONDS) as response:
        return int(json.load(response)["features"])
