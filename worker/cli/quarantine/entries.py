"""Where the log tells what happened to a held message."""

import os
import re
from collections.abc import Mapping
from datetime import datetime

from worker.cli.quarantine.desk import PROJECT
from worker.client.gcloud import logging_read
from worker.client.logs import CLOCK_SKEW, logs_link, logs_query
from worker.desk.held import DEAD_LETTERED, Held
from worker.outcome import BadPayload
from worker.payload import parse
from worker.pipeline import CANONICAL_EVENT

_PROJECT_OF = re.compile(rf"projects/({PROJECT})/.*")


def entries_of(held: Held, service: str, project: str | None, place: str) -> dict[str, str]:
    """The query for its entries; a link and a gcloud command where the project is known."""
    if held.foreign:
        return {}
    times = [time for time in (held.message and held.message.publish_time, held.time) if time]
    lettered = held.kind == DEAD_LETTERED
    until = held.time if lettered else None
    query = logs_query(
        service, _fields(held), _shifted(min(times, default=None), -1), _shifted(until, 1)
    )
    known = project or _project_of(held, place)
    if not known:
        return {"logs_query": query}
    return {
        "logs_query": query,
        "logs_link": logs_link(query, known),
        "gcloud_logging_read": logging_read(query, known),
    }


def _fields(held: Held) -> Mapping[str, str]:
    """By its id. Pub/Sub gives a dead letter a new one: its subscription and feature are known."""
    if held.message is None or held.kind == "bad_envelope":  # it had no message id then
        return {"quarantine_id": held.id}
    if held.kind != DEAD_LETTERED:
        return {"message_id": held.message.id}
    known = {"event": CANONICAL_EVENT, "subscription": held.message.subscription}
    try:
        return {**known, "feature": parse(held.message).feature}
    except BadPayload:
        return known


def _shifted(time: datetime | None, direction: int) -> datetime | None:
    try:
        return time + direction * CLOCK_SKEW if time else None
    except OverflowError:
        return time


def _project_of(held: Held, place: str) -> str:
    """That of the subscription it was delivered by, else of this shell, else of the place."""
    names = (held.message.subscription if held.message else "", place)
    found = [match[1] for match in map(_PROJECT_OF.fullmatch, names) if match]
    return os.environ.get("GOOGLE_CLOUD_PROJECT") or next(iter(found), "")
