"""A program that runs until it is stopped, and says in its output when it is ready."""

import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support.server import WAIT_SECONDS

_PORT_TRIES = 3


class Daemon:
    """Its output goes to the end of `log`; `failed` is what it says when it runs on in vain."""

    def __init__(
        self, command: Sequence[str], log: Path, ready: bytes, failed: bytes | None = None
    ) -> None:
        self._log = log
        self._ready = ready
        self._failed = failed
        self._listens = False
        self._said = threading.Event()  # whether it listens
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def is_ready(self) -> bool:
        """Wait until it is, or has ended, or has failed."""
        return self._said.wait(WAIT_SECONDS) and self._listens

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send the signal, SIGKILL if it does not listen, and wait for the end."""
        self.process.send_signal(how)
        try:
            self.process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(WAIT_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        """Copy its output to the log; an unread pipe would stop it."""
        assert self.process.stdout is not None
        with self._log.open("ab") as log:
            for line in self.process.stdout:
                log.write(line)
                log.flush()
                if self._ready in line:
                    self._listens = True
                    self._said.set()
                elif self._failed is not None and self._failed in line:
                    self._said.set()
        self._said.set()


def start_on_free_port(start: Callable[[int], Daemon], log: Path) -> tuple[Daemon, int]:
    """The daemon that `start` starts on a loopback port which nobody has, and that port."""
    for _ in range(_PORT_TRIES):  # another process may take the port before the daemon does
        port = free_port()
        daemon = start(port)
        if daemon.is_ready():
            return daemon, port
        daemon.stop()
    raise AssertionError(f"it does not start: {log.read_text()}")


def free_port() -> int:
    """A loopback port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
