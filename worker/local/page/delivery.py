"""One message: its attempts in time, its payload, the entries it made, and how to send it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flask

from worker.client.gcloud import publish_command
from worker.local import lql
from worker.local.errors import ApiError
from worker.local.page import entries, payload
from worker.local.page.rendering import body, render, see_other
from worker.local.page.stream import differences
from worker.message import PubsubMessage

if TYPE_CHECKING:
    from worker.local.page.site import Site
    from worker.local.pubsub.push.deliveries import Attempt, Delivery

_ENTRIES = 200
_BEAT_SECONDS = 1.0  # an entry may be read a moment after the answer that it tells of
_LEAST_SHARE = 0.6  # per cent of the width that a bar has at least


@dataclass(frozen=True, slots=True)
class Shown:
    """An attempt in time: where its bar begins and how long it is, in per cent of the width."""

    attempt: "Attempt"
    gap: float  # seconds since the publish time, or since the attempt before ended
    x: float
    width: float

    @property
    def outcome(self) -> str:
        """In the worker's words, else how the push ended."""
        return self.attempt.outcome or self.attempt.result


def register(blueprint: flask.Blueprint, site: "Site") -> None:
    """The page of a delivery, its news and its two buttons."""

    @blueprint.get("/deliveries/<int:delivery_id>")
    def delivery(delivery_id: int) -> flask.Response:
        found = _find(site, delivery_id)
        return _page(site, found) if found else _missing()

    @blueprint.get("/deliveries/<int:delivery_id>/events")
    def delivery_events(delivery_id: int) -> flask.Response:
        if _find(site, delivery_id) is None:
            return _missing()
        return differences(
            site.deliveries.listen, lambda: _parts(site, delivery_id), beat_seconds=_BEAT_SECONDS
        )

    @blueprint.post("/deliveries/<int:delivery_id>/again")
    def delivery_again(delivery_id: int) -> flask.Response:
        found = _find(site, delivery_id)
        return _again(site, found) if found else _missing()

    @blueprint.post("/deliveries/<int:delivery_id>/copy")
    def delivery_copy(delivery_id: int) -> flask.Response:
        found = _find(site, delivery_id)
        return _copy(site, found) if found else _missing()


def timeline(row: "Delivery", attempts: Sequence["Attempt"]) -> list[Shown]:
    """The attempts between the publish time and the end of the last one."""
    begin = min([row.publish_time, *(each.started for each in attempts)])
    end = max((each.started + each.seconds for each in attempts), default=begin)
    scale = 100.0 / max(end - begin, 1e-6)
    shown, before = [], row.publish_time
    for each in attempts:
        width = max(each.seconds * scale, _LEAST_SHARE)
        x = min((each.started - begin) * scale, 100.0 - width)
        shown.append(Shown(each, max(each.started - before, 0.0), max(x, 0.0), width))
        before = each.started + each.seconds
    return shown


def operation_query(message_id: str) -> str:
    """The query for the entries of one message, all deliveries."""
    return f"operation.id={entries.quoted(message_id)}"


def _find(site: "Site", delivery_id: int) -> "Delivery | None":
    largest = 2**63 - 1  # of SQLite
    return site.deliveries.get(delivery_id) if delivery_id <= largest else None


def _missing() -> flask.Response:
    return render(
        "missing.html", 404, active="Deliveries", title="No such delivery",
        text="It may have been cleared, or it is of another state folder.",
    )  # fmt: skip


def _page(site: "Site", row: "Delivery", *, status: int = 200, error: str = "") -> flask.Response:
    whole = row.data_size <= len(row.data)
    content = PubsubMessage(row.data, row.attributes, row.ordering_key)
    return render(
        "delivery.html", status, active="Deliveries", seen=payload.read(row.data), whole=whole,
        error=error, did=flask.request.args.get("did", ""),
        copied=flask.request.args.get("message", ""),
        command=publish_command(row.topic, content) if whole else "",
        **_live(site, row),
    )  # fmt: skip


def _live(site: "Site", row: "Delivery") -> dict[str, Any]:
    """What changes while somebody looks."""
    query = operation_query(row.message_id)
    try:
        found = site.logs.search(lql.parse(query), limit=_ENTRIES, newest_first=False)
        views = [entries.view(each) for each in found.entries]
    except lql.FilterError:  # an id that no query can name
        views = []
    attempts = timeline(row, site.deliveries.attempts(row.id))
    return {"row": row, "attempts": attempts, "entries": views, "entries_query": query}


def _parts(site: "Site", delivery_id: int) -> dict[str, str]:
    row = site.deliveries.get(delivery_id)
    if row is None:
        return {}
    context = _live(site, row)
    return {
        part: body(f"_delivery_{part}.html", **context).decode()
        for part in ("state", "attempts", "entries")
    }


def _again(site: "Site", row: "Delivery") -> flask.Response:
    try:
        site.redeliver(row.id)
    except ApiError as error:
        return _page(site, row, status=error.code.status, error=str(error))
    return see_other(f"/deliveries/{row.id}?did=again")


def _copy(site: "Site", row: "Delivery") -> flask.Response:
    data = site.deliveries.data(row)
    if data is None:
        text = "This large message is not kept whole any more, so no copy of it can be made."
        return _page(site, row, status=409, error=text)
    try:
        message_id = site.publish(row.topic, PubsubMessage(data, row.attributes, row.ordering_key))
    except ApiError as error:
        return _page(site, row, status=error.code.status, error=str(error))
    return see_other(
        flask.url_for("page.delivery", delivery_id=row.id, did="copy", message=message_id)
    )
