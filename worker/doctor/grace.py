"""Does the server stop within the time that Cloud Run gives it?"""

from collections.abc import Iterator

from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity

LONG = Check(
    "graceful-timeout-long",
    Severity.ERROR,
    "the server stops within the 10 s between SIGTERM and SIGKILL",
    "Cloud Run kills the worker while it still answers: those messages are delivered again.",
    "set GRACEFUL_SECONDS in worker/server.py to 9 or less",
)
CHECKS = (LONG,)
_GIVEN_SECONDS = 10


def graceful_seconds() -> float:
    """What the server really is configured with, asked of gunicorn."""
    from worker.config import read_settings  # noqa: PLC0415 - gunicorn, for this one question
    from worker.server import Server  # noqa: PLC0415

    return float(Server(read_settings({}), -1, 1.0).cfg.graceful_timeout)


def examine(seconds: float) -> Iterator[Finding]:
    """Whether the server's graceful timeout is short enough."""
    if seconds >= _GIVEN_SECONDS:
        what = f"the graceful timeout is {seconds:.0f} s, as long as Cloud Run waits or longer"
        yield found(LONG, "worker/server.py", what)
