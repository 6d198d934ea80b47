"""What to do with a feature that `python -m worker new` has written: commands that work here."""

import json
from typing import TYPE_CHECKING

from worker.builder import Target
from worker.cli.nextsteps import python_here
from worker.client.text import quote

if TYPE_CHECKING:
    from worker.builder import Draft


def next_steps(draft: "Draft") -> str:
    """The text."""
    python = python_here()
    tests = " ".join(sorted(path for path in draft.files if path.startswith("tests/")))
    lines = [
        f"{draft.order.feature} is written. Next:",
        f"  {python} -m pytest {tests}",
        "      its tests",
    ]
    if draft.order.target is Target.WORKER:
        lines += _with_the_laptop_cloud(draft, f"{python} -m worker")
    else:
        lines += ["  add to petsage/main.py:", *(f"      {line}" for line in draft.integration)]
    return "\n".join(lines)


def _with_the_laptop_cloud(draft: "Draft", worker: str) -> list[str]:
    name = draft.order.feature
    payload = {
        "feature": name,
        "description": "try it",
        "requirements": draft.wanted.example or "none",
    }
    return [
        f"  {worker} dev",
        "      Pub/Sub, Logging and the worker here; one that runs has it already",
        f'  eval "$({worker} dev --env)"',
        f"  {worker} publish features {quote(json.dumps(payload))}",
        f"      in a second terminal: a message for it; the first shows {name}.handled",
        "  docs/handlers.md",
        f"      how to go on: what {name} does is up to you, in handlers/{name}.py",
    ]
