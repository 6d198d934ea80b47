"""What to try after the first message: commands that work as they stand in this shell."""

import os
import shutil
import sys
from collections.abc import Mapping

from worker.client.text import quote
from worker.config import folder_of


def next_steps(page: str | None, environment: Mapping[str, str]) -> str:
    """The text. `page` is the laptop cloud's address, None when it has been stopped."""
    worker = f"{python_here()} -m worker"
    first = (
        f"{page}\n      the page: deliveries, logs, a form to publish, the quarantine"
        if page
        else f"{worker} dev\n      the same, and it stays: with a page, and reload on change"
    )
    return f"""
Try next, in a second terminal:
  {first}
  eval "$({worker} dev --env)"
      from here on gcloud and Google's client libraries talk to this machine
  gcloud pubsub topics publish features --message='{{"feature":"smoke_test","description":"hi"}}'
      another message
  gcloud logging read 'jsonPayload.feature="smoke_test"' --limit=2 --format=json
      its log entries
  {worker} smoke
      the closed loop: publish, wait for the entry, or say what is broken
  {worker} publish features '{{"feature": "smoke_tset"}}'
      a broken payload: {_kept(environment["QUARANTINE"])}
  {worker} features
      what this worker can do
  {worker} new my_feature --description "What it does." --dry-run
      a feature of your own, with tests and a page: docs/handlers.md goes on from there
  docs/local.md
      what else the laptop cloud can do
"""


def python_here() -> str:
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
