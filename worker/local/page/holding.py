"""`python -m worker.local.page.holding PLACE`: what is held there, and whether it would pass now.

In one go, because a subscription hands its messages out once at a time. A process of its own,
because it loads the handlers. What is done with a message is done by `python -m worker quarantine`.
"""

import contextlib
import json
import os
import sys
from typing import Any

from worker.config import SettingsInvalid, folder_of, read_settings
from worker.desk import DeskFailed, Place
from worker.desk.check import check
from worker.desk.folder import FolderPlace
from worker.desk.held import Held
from worker.feature import HandlersInvalid
from worker.registry import Features, load

MOST = 500  # messages of a place that the page shows


def listed(place: Place, features: Features | None) -> dict[str, Any]:
    """The messages, newest first; `verdict` is None when the handlers cannot be asked.

    Raises DeskFailed.
    """
    with place as opened:
        found = sorted(opened.messages(), key=_time_of, reverse=True)
        return {"messages": [_about(held, features) for held in found], "cut": opened.cut}


def _time_of(held: Held) -> float:
    return held.time.timestamp() if held.time else 0.0


def _about(held: Held, features: Features | None) -> dict[str, Any]:
    judged = check(held, features) if features else None
    return {
        "id": held.id,
        "message_id": held.message.id if held.message else "",
        "reason": held.reason,
        "kind": held.kind,
        "feature": held.feature,
        "time": _time_of(held) or None,
        "attempts": held.attempts,
        "replays": held.replays,
        "foreign": held.foreign,
        "verdict": judged.reason if judged else None,
        "doubt": judged.doubt if judged else False,
    }


def _place(name: str) -> Place:
    if name.startswith("folder:"):
        return FolderPlace(folder_of(name), MOST)
    from worker.desk.subscription import SubscriptionPlace  # noqa: PLC0415 - a folder needs none
    from worker.pubsub import Subscriber  # noqa: PLC0415 - the same

    return SubscriptionPlace(name, Subscriber(name), MOST)


def _features() -> tuple[Features | None, str]:
    """The features, or why they cannot be had."""
    try:
        settings = read_settings({"HANDLERS": os.environ.get("HANDLERS", "")})
        return load(settings.handlers), ""
    except (SettingsInvalid, HandlersInvalid) as error:
        return None, str(error)


def main() -> None:
    """Write it to stdout. Ends with one line when the place cannot be used."""
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a handler file may print
            features, trouble = _features()
            found = listed(_place(sys.argv[1]), features)
    except DeskFailed as failed:
        sys.exit(f"error: {failed}")
    sys.stdout.write(json.dumps({**found, "trouble": trouble}))


if __name__ == "__main__":
    main()
