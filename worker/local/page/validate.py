"""`python -m worker.local.page.validate` < payload: what the worker would say of it, as JSON.

The worker's own reading and models say it; no handler is run. `path` leads to what is wrong below
the requirements. A process of its own, because it loads the handlers.
"""

import contextlib
import json
import os
import sys
from typing import Any

from pydantic import ValidationError

from worker.config import SettingsInvalid, read_settings
from worker.feature import HandlersInvalid
from worker.message import Form, Message
from worker.outcome import BadPayload, Reject
from worker.registry import Features, load

_SETTINGS = ("HANDLERS", "UNKNOWN_FEATURE")


def verdict(features: Features, data: bytes) -> dict[str, Any]:
    """`reason` is "" for what would come to its handler."""
    try:
        payload = features.read(Message("", data, {}, Form.WRAPPED))
        feature, payload = features.route(payload)
    except Reject as reject:
        return {"reason": reject.reason, "problems": []}
    try:
        feature.requirements_of(payload)
    except BadPayload as bad:
        return {"reason": bad.reason, "problems": _problems(bad)}
    return {"reason": "", "problems": []}


def _problems(bad: BadPayload) -> list[dict[str, Any]]:
    """Each of them with its place; the reason has them in one sentence."""
    cause = bad.__context__
    if not isinstance(cause, ValidationError):
        return []
    found = cause.errors(include_url=False, include_input=False, include_context=False)
    return [{"path": list(one["loc"]), "said": one["msg"]} for one in found]


def main() -> None:
    """Read stdin, write stdout. Ends with one line when the handlers cannot be loaded."""
    try:
        settings = read_settings({name: os.environ.get(name, "") for name in _SETTINGS})
        with contextlib.redirect_stdout(sys.stderr):  # a handler file may print
            features = load(settings.handlers, build_unknown=settings.builds_unknown)
            said = verdict(features, sys.stdin.buffer.read())
    except (SettingsInvalid, HandlersInvalid) as error:
        sys.exit(f"error: {error}")
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
