"""What `dev` starts with: the worker's settings, the folder of the state, the laptop cloud."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from worker.cli import fail
from worker.cli.dev import PORT, STATE
from worker.client.text import printable
from worker.local.address import running
from worker.local.broker import AUDIENCE, Names
from worker.local.cloud import Cloud, Plan
from worker.local.database import StateUnusable
from worker.local.emulator import Emulator
from worker.local.errors import PortUnusable
from worker.local.listening import listen

_WORKER_PORT = 8080  # where `push` looks when it is not told


@dataclass(frozen=True, slots=True)
class Options:
    """Those of the command."""

    port: int | None
    grpc_port: int
    state: Path | None
    reset: bool
    project: str
    speed: float
    emulator: bool
    once: bool


def environment_of(options: Options) -> dict[str, str]:
    """The settings of the worker: those of this shell, but what it writes must reach us."""
    given = {name: value for name, value in os.environ.items() if value}
    debug = given.get("LOG_LEVEL") == "DEBUG"
    return {
        "PORT": str(0 if options.once else _free(_WORKER_PORT)),
        "QUARANTINE": "folder:quarantine",
        "PUSH_AUTH": "none",
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_SERVICE_ACCOUNT": Names(options.project).account,
        **given,
        # A .pyc is told from its source by the second of its change: an edit could be missed.
        "PYTHONDONTWRITEBYTECODE": "1",
        "LOG_SINK": "stdout",
        "LOG_LEVEL": "DEBUG" if debug else "INFO",
    }


def watched_paths(handlers: str) -> list[Path]:
    """The folder of this program, and the package (or module) of the handlers, found unimported."""
    name = handlers or "handlers"
    candidates = [Path(root or ".").joinpath(*name.split(".")) for root in sys.path]
    found = [path for one in candidates for path in (one, one.with_suffix(".py")) if path.exists()]
    if not found:
        fail(f"no package {printable(name)} here: make one (docs/handlers.md), or set HANDLERS")
    return [Path(__file__).resolve().parents[1], found[0]]


@contextmanager
def state_folder(options: Options) -> Iterator[Path]:
    """The folder of the state: that of a proof alone is gone afterwards."""
    if options.once and options.state is None:
        with tempfile.TemporaryDirectory(prefix="laptop-cloud-") as made:
            yield Path(made)
        return
    folder = options.state or Path(STATE)
    if options.reset:
        _clear(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StateUnusable(f"{folder} cannot be used: {error.strerror}") from None
    yield folder


def _clear(folder: Path) -> None:
    """Remove what a laptop cloud made, and nothing that is not one's."""
    if running(folder):
        raise StateUnusable(f"{folder} is in use by a running dev: stop that first")
    for pattern in ("*.sqlite3*", "*.pem", "address.json", "emulator*", "errors.log"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


@contextmanager
def open_cloud(options: Options, folder: Path, environment: dict[str, str]) -> Iterator[Cloud]:
    """A laptop cloud that serves. Raises PortUnusable, StateUnusable, EmulatorMissing, ApiError."""
    with ExitStack() as opened:
        emulator = ""
        if options.emulator:
            started = Emulator(folder)
            opened.callback(started.stop)
            emulator = started.host
        plan = Plan(
            folder,
            port=_port(options),
            port_or_free=options.port is None,
            rpc_port=options.grpc_port,
            names=Names(options.project),
            speed=options.speed,
            emulator=emulator,
            environment=environment,
        )
        cloud = opened.enter_context(Cloud(plan))
        environment.setdefault("PUSH_CERTS_URL", f"{cloud.url}oauth2/v1/certs")
        cloud.start()
        yield cloud


def _port(options: Options) -> int:
    if options.port is not None:
        return options.port
    return 0 if options.once else PORT


def _free(port: int) -> int:
    """That port, or 0 when somebody has it."""
    try:
        listen(port).close()
    except PortUnusable:
        return 0
    return port
