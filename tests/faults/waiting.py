"""Waiting for what must happen."""

import time
from collections.abc import Callable

from tests.support.server import WAIT_SECONDS

_STEP_SECONDS = 0.02


def wait_until(happened: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Return as soon as it has happened; fail if that takes longer."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, f"did not happen in {seconds:g} s: {what}"
        time.sleep(_STEP_SECONDS)
