"""What to try after the first message: commands that work as they stand in this shell."""

import os
import shutil
import sys
from collections.abc import Mapping

from worker.client.text import quote
from worker.config import folder_of

_LATER_PORT = "8080"  # where `push` looks when it is not told


def next_steps(url: str | None, environment: Mapping[str, str]) -> str:
    """The text. `url` is the worker's, None when it has been stopped."""
    worker = f"{_python()} -m worker"
    push = f"{worker} push --url {url}" if url else f"{worker} push"
    start = (
        "" if url else f"\n  {worker} dev --port {_LATER_PORT}\n      serve, and reload on change"
    )
    return f"""
Try next{"" if url else " (push in a second terminal)"}:{start}
  {push} --feature smoke_test --description hello --requirements '{{"nonce": "n-1"}}'
      another payload: look for its nonce in the log
  {push} '{{"feature": "smoke_tset"}}'
      a broken payload: {_kept(environment["QUARANTINE"])}
  {worker} features
      what this worker can do
  docs/handlers.md
      how to write a handler: copy handlers/smoke_test.py
  docs/local.md
      the tour with gcloud and the Pub/Sub emulator
"""


def _python() -> str:
    """How this shell calls the interpreter that is running."""
    for name in ("python", "python3"):
        if shutil.which(name) == sys.executable:
            return name
    relative = os.path.relpath(sys.executable)
    return quote(sys.executable if relative.startswith("..") else relative)


def _kept(quarantine: str) -> str:
    kind, _, place = quarantine.partition(":")
    if kind == "folder":
        return f"rejected, and kept with the reason in {os.path.relpath(folder_of(quarantine))}/"
    if kind == "topic":
        return f"rejected, and published with the reason to {place}"
    return "rejected and nacked, because QUARANTINE is none"
