"""Who is compared: this worker, the peers, and the floor, in one table."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from tests.benchmarks.messages import EVENTARC_HEADERS
from tests.support.keyserver import ACCOUNT, AUDIENCE
from tests.support.server import ROOT

THREADS = 8  # handler threads of every server; FastAPI keeps its own 40
PEERS = ROOT / "tests" / "benchmarks" / "peers"
ENVIRONMENTS = ROOT / ".venv-bench"


class Kind(Enum):
    """Whose server it is."""

    OURS = "ours"
    PEER = "peer"
    FLOOR = "floor"


@dataclass(frozen=True, eq=False)  # each is itself: a key, whatever its environment
class Contestant:
    """How to start one server. {bin}, {port} and {certs} are filled in where it is started.

    `lock` pins what its environment holds; None is the project's own. `libraries` are those whose
    versions the report names. `headers` come with each push, besides the usual ones.
    """

    name: str
    title: str
    kind: Kind
    command: tuple[str, ...]
    libraries: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT
    lock: Path | None = None
    headers: tuple[str, ...] = ()

    @property
    def venv(self) -> Path:
        """Its virtual environment."""
        return Path(sys.prefix) if self.lock is None else ENVIRONMENTS / self.lock.parent.name

    def but(self, **environment: str) -> "Contestant":
        """The same server with other variables."""
        return replace(self, environment={**self.environment, **environment})


def _ours(name: str, title: str, **environment: str) -> Contestant:
    settings = {
        "PORT": "{port}",
        "HANDLERS": "tests.benchmarks.handlers",
        "HANDLER_THREADS": str(THREADS),
        "QUARANTINE": "none",
        **environment,
    }
    command = ("{bin}/python", "-m", "worker", "serve")
    return Contestant(
        name, title, Kind.OURS, command, ("gunicorn", "httptools", "orjson", "pydantic"), settings
    )


def _peer(
    name: str, title: str, lock: str, command: str, libraries: str, **environment: str
) -> Contestant:
    """A peer's words are separated by spaces; it runs in the folder of its lock."""
    folder = PEERS / lock
    return Contestant(
        name, title, Kind.PEER, tuple(command.split()), tuple(libraries.split()), environment,
        folder, folder / "requirements.txt",
    )  # fmt: skip


_GUNICORN = (
    f"{{bin}}/gunicorn --bind 127.0.0.1:{{port}} --workers 1 --threads {THREADS} --timeout 0"
)
_UVICORN = "{bin}/uvicorn --host 127.0.0.1 --port {port} --no-access-log"

OURS_NONE = _ours("ours-none", "this worker, `PUSH_AUTH=none`", PUSH_AUTH="none")
OURS = _ours(
    "ours-oidc",
    "this worker, `PUSH_AUTH=oidc`",
    PUSH_AUTH="oidc",
    PUSH_AUDIENCE=AUDIENCE,
    PUSH_SERVICE_ACCOUNT=ACCOUNT,
    PUSH_CERTS_URL="{certs}",
)
# CLAIMS=redis comes here: OURS.but(CLAIMS=...) with a name and a title of its own.

TUTORIAL = _peer(
    "tutorial",
    "Cloud Run tutorial",
    "tutorial",
    f"{_GUNICORN} main:app",
    "flask gunicorn",
)
TUTORIAL_LOGGING = _peer(
    "tutorial-logging",
    "Cloud Run tutorial + google-cloud-logging",
    "tutorial_logging",
    f"{_GUNICORN} main:app",
    "flask gunicorn pydantic google-cloud-logging",
)
FUNCTIONS_FRAMEWORK = replace(
    _peer(
        "functions-framework",
        "functions-framework",
        "functions_framework",
        "{bin}/functions-framework --target=subscribe --signature-type=cloudevent",
        "functions-framework flask gunicorn cloudevents",
        HOST="127.0.0.1",
        PORT="{port}",
        THREADS=str(THREADS),
    ),
    headers=EVENTARC_HEADERS,
)
FASTAPI_ASYNC = _peer(
    "fastapi-async",
    "FastAPI `async def`",
    "fastapi",
    f"{_UVICORN} main_async:app",
    "fastapi uvicorn uvloop httptools pydantic",
)
FASTAPI_DEF = _peer(
    "fastapi-def",
    "FastAPI `def`",
    "fastapi",
    f"{_UVICORN} main_def:app",
    "fastapi uvicorn uvloop httptools pydantic",
)
FLOOR = Contestant(
    "floor",
    "a bare 204 on the worker's own edge",
    Kind.FLOOR,
    ("{bin}/python", "-m", "tests.benchmarks.floor", "edge", "{port}"),
    ("httptools",),
)
GUNICORN_FLOOR = Contestant(
    "floor-gunicorn",
    "a bare 204 on gunicorn's `asgi` worker",
    Kind.FLOOR,
    ("{bin}/python", "-m", "tests.benchmarks.floor", "gunicorn", "{port}"),
    ("gunicorn",),
)
FLOORS = (FLOOR, GUNICORN_FLOOR)

PEERS_OF_OURS = (FASTAPI_ASYNC, FASTAPI_DEF, TUTORIAL, TUTORIAL_LOGGING, FUNCTIONS_FRAMEWORK)
CONTESTANTS = (OURS, OURS_NONE, *PEERS_OF_OURS, *FLOORS)
