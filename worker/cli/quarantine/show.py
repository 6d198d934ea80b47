"""`python -m worker quarantine show`: everything about one message."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from worker.cli.quarantine.desk import desk, place_options, select
from worker.cli.quarantine.entries import entries_of
from worker.cli.quarantine.shown import iso, payload_lines, payload_value, when
from worker.client.text import printable
from worker.desk.held import Held

_TITLES = {
    "logs_query": "its entries in Logs Explorer",
    "logs_link": "as a link",
    "gcloud_logging_read": "in a terminal",
}


@click.command("show", short_help="Everything about one message.")
@click.argument("message_id", metavar="ID")
@place_options
@click.option(
    "--service",
    metavar="NAME",
    default="feature-worker",
    show_default=True,
    help="The Cloud Run service whose logs have its entries.",
)
@click.option("--project", metavar="ID", help="Project of the logs. [default: its subscription's]")
@click.option("--json", "as_json", is_flag=True, help="For machines, with the data in base64.")
def command(*, message_id: str, place: str, limit: int | None, as_json: bool, **logs: Any) -> None:
    """Show a message: payload, attributes, headers, reason, and the query for its log entries.

    ID is the id that `list --ids` shows and the log calls quarantine_id; its beginning will do.

    \b
    Example: python -m worker quarantine show sha256-5d41
    Example: python -m worker quarantine show 5d41 --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    with desk(place, limit) as (opened, _):
        (held,) = select(opened, [message_id])
    entries = entries_of(held, place=place, **logs)
    if as_json:
        click.echo(json.dumps(_machine_form(held) | entries, indent=2))
        return
    for line in _for_people(held, entries):
        click.echo(line)


def _for_people(held: Held, entries: Mapping[str, str]) -> Iterator[str]:
    message = held.message
    about = {
        "id": held.id,
        "reason": held.reason,
        "rejected as": held.kind,
        "now": held.problem if held.problem != held.reason else "",
        "feature": held.feature,
        "message id": message.id if message else "",
        "subscription": message.subscription if message else "",
        "ordering key": message.ordering_key if message else "",
        "published": when(message.publish_time) if message else "",
        "quarantined": when(held.time),
        "attempts": str(held.attempts or ""),
        "replays": str(held.replays),
    }
    yield from (f"{name:12}  {printable(value)}" for name, value in about.items() if value)
    yield from _section("attributes", _pairs(message.attributes if message else {}))
    yield from _section("headers", _pairs(held.headers))
    yield from _section(f"payload, {len(held.data)} bytes", payload_lines(held.data))
    for name, text in entries.items():
        yield from _section(_TITLES[name], text.splitlines())


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"{title}:", *(f"  {line}" for line in lines)] if any(lines) else []


def _pairs(pairs: Mapping[str, str]) -> list[str]:
    return [printable(f"{name}: {value}") for name, value in pairs.items()]


def _machine_form(held: Held) -> dict[str, Any]:
    message = held.message
    return {
        "id": held.id,
        "foreign": held.foreign,
        "reason": held.reason,
        "kind": held.kind or None,
        "problem": held.problem or None,
        "feature": held.feature or None,
        "message_id": message.id if message else None,
        "subscription": message.subscription if message else None,
        "ordering_key": message.ordering_key if message else None,
        "publish_time": iso(message.publish_time) if message else None,
        "time": iso(held.time),
        "attempts": held.attempts,
        "replays": held.replays,
        "attributes": dict(message.attributes) if message else None,
        "headers": dict(held.headers),
        "payload": payload_value(held.data),
        "data": base64.b64encode(held.data).decode("ascii"),
    }
