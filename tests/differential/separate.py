"""Pub/Sub of the laptop cloud in a process of its own, which serves until it is killed."""

import signal
import sys
from pathlib import Path
from typing import Self

from tests.differential.laptop import Laptop
from tests.support.daemon import Daemon
from tests.support.server import ROOT

_READY = "ready on "


class SeparateLaptop:
    """`folder` keeps its state: another one there goes on with it."""

    def __init__(self, folder: Path, speed: float = 1.0) -> None:
        log = folder / "laptop.log"
        folder.mkdir(exist_ok=True)
        log.unlink(missing_ok=True)
        script = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); import {__name__} as it; it.main()"
        )
        self._daemon = Daemon(
            [sys.executable, "-c", script, str(folder), str(speed)], log, _READY.encode()
        )
        assert self._daemon.is_ready(), log.read_text()
        self.host = log.read_text().partition(_READY)[2].strip()
        self._runs = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing written any more."""
        if self._runs:
            self._runs = False
            self._daemon.stop(signal.SIGKILL)


def main() -> None:
    """Serve, say where, and go on until it is killed."""
    laptop = Laptop(Path(sys.argv[1]), float(sys.argv[2]))
    sys.stdout.write(f"{_READY}{laptop.host}\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
