"""A real redis-server as a process: it can be stopped, killed, paused and started again."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import redis

from tests.support.daemon import Daemon, start_on_free_port
from tests.support.tools import tool


class RedisServer:
    """Listens on a loopback port that stays the same, and keeps its data in `folder`.

    `options` are redis-server's, for instance ("--appendonly", "yes"); without any it saves
    nothing, so that a new start is an empty one.
    """

    def __init__(self, folder: Path, *options: str, password: str = "") -> None:
        self._folder = folder
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._password = password
        self._program = tool("redis-server")
        self._log = folder / "redis.log"
        self._daemon, self.port = start_on_free_port(self._start, self._log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What CLAIMS takes."""
        secret = f":{self._password}@" if self._password else ""
        return f"redis://{secret}{self.address}/0"

    @contextmanager
    def client(self) -> Iterator["redis.Redis"]:
        """A client of its own, to look and to change."""
        with redis.Redis.from_url(self.url) as client:
            yield client

    def start(self) -> None:
        """Start it again on its port, with what it kept."""
        self._daemon = self._start(self.port)
        assert self._daemon.is_ready(), self._log.read_text()

    def stop(self) -> None:
        """End it in order. Nothing happens when it has ended."""
        if self._daemon.process.poll() is None:
            self.resume()
            self._daemon.stop()

    def kill(self) -> None:
        """kill -9: what it has not written is lost."""
        self._daemon.stop(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def pause(self) -> None:
        """From now on it accepts connections, as the kernel does that, and answers nothing."""
        self._daemon.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._daemon.process.send_signal(signal.SIGCONT)

    def _start(self, port: int) -> Daemon:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(self._folder)]
        command = [self._program, *options, "--save", "", *self._options]
        return Daemon(command, self._log, ready=b"Ready to accept connections")
