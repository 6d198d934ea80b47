"""The worker of a shop, for the pages that ask for its handlers."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from tests.browser.stage import Stage, served
from tests.browser.visit import Visit
from tests.support.cli import KEPT
from tests.support.server import ROOT
from worker.local.guard import guard

_HANDLERS = Path(__file__).parent


def environment(folder: Path, **more: str) -> dict[str, str]:
    """That of a worker with the handlers in tests/browser/shop, and a quarantine in `folder`."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ours = {
        "HANDLERS": "shop",
        "PYTHONPATH": os.pathsep.join([str(_HANDLERS), str(ROOT)]),
        "QUARANTINE": f"folder:{folder / 'quarantine'}",
    }
    return kept | ours | more


def guarded(made: Stage) -> AbstractContextManager[Stage]:
    """Serve it behind the guard, as the cloud does: a form has to say where it comes from."""
    guard(made.app)
    return served(made)


# What is written down of a request for news that a form cut off when it was sent.
_CUT_OFF = ("htmx:afterRequest", "htmx:sendError", "htmx:sendAbort")


class FormVisit(Visit):
    """A page whose form may be refused: 422 is no problem, and Chromium writes it down as one."""

    def _console(self, kind: str, text: str) -> None:
        refused = "the server responded with a status of 422" in text
        if not refused and not text.startswith(_CUT_OFF):
            super()._console(kind, text)
