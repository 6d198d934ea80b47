"""One run of `python -m worker serve` as a child in a process group of its own, all of it ended."""

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
from typing import IO

from worker.client.deliver import opener_for
from worker.logentry import to_log_entry

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0  # the server itself gives requests in flight 8

Take = Callable[[bytes, str], None]  # a line, and which of "stdout" and "stderr" it came from


class WorkerProcess:
    """The real server. `take` gets each line that it writes, in a thread of its own."""

    def __init__(self, environment: Mapping[str, str], take: Take) -> None:
        self._take = take
        self._listening: Future[str | None] = Future()  # its address, None if it ended before
        self._process = subprocess.Popen(
            [sys.executable, "-m", "worker", "serve"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, process_group=0,
        )  # fmt: skip
        self._readers = [
            _in_thread(self._read, self._process.stdout, "stdout"),
            _in_thread(self._read, self._process.stderr, "stderr"),
        ]

    def _read(self, pipe: IO[bytes] | None, stream: str) -> None:
        for line in pipe or ():
            if stream == "stdout" and not self._listening.done():
                self._look_for_address(line)
            self._take(line, stream)
        if stream == "stdout" and not self._listening.done():
            self._listening.set_result(None)

    def _look_for_address(self, line: bytes) -> None:
        payload = to_log_entry(line).get("jsonPayload")
        if isinstance(payload, dict) and payload.get("event") == "server.listening":
            self._listening.set_result(str(payload.get("url")))

    def ready(self) -> tuple[str, int] | None:
        """Its address and number of features, once it serves; None when it does not start."""
        try:
            url = self._listening.result(_START_SECONDS)
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
        for reader, pipe in zip(
            self._readers, (self._process.stdout, self._process.stderr), strict=True
        ):
            reader.join(_STOP_SECONDS)
            if pipe is not None and not reader.is_alive():
                pipe.close()
        return self._process.wait()


def _in_thread(
    work: Callable[[IO[bytes] | None, str], None], *arguments: object
) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _reachable(url: str) -> str:
    """An address to connect to, for one that stands for every address."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _features(url: str) -> int:
    """Ask until it is ready: the answer waits until the handlers are loaded."""
    with opener_for(url).open(f"{url}/health/ready", timeout=_START_SECONDS) as response:
        return int(json.load(response)["features"])
