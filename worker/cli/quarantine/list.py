"""`python -m worker quarantine list`: what is held, by reason and feature."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

import click

from worker.cli.quarantine.desk import desk, place_options
from worker.cli.quarantine.shown import cut_note, iso, line_of, rows, when
from worker.client.text import printable
from worker.desk.held import Held

_HEAD = ("COUNT", "ATTEMPTS", "FIRST SEEN", "LAST SEEN", "FEATURE", "REASON")


class _Seen(NamedTuple):
    """What the list needs of a message: a folder may hold more than memory does."""

    id: str
    time: datetime | None
    attempts: int
    line: str


@click.command("list", short_help="What is held, by reason and feature.")
@place_options
@click.option("--ids", is_flag=True, help="The id of each message as well.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(*, place: str, limit: int | None, ids: bool, as_json: bool) -> None:
    """Show what is held: how many messages for each reason and feature, since when.

    Times are UTC. ATTEMPTS are the deliveries before a message was given up. What is no
    quarantined message is listed with what it is instead.

    \b
    Example: python -m worker quarantine list --ids
    Example: python -m worker quarantine list --from projects/p/subscriptions/dead
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    with desk(place, limit) as (opened, _):
        groups = _grouped(opened.messages())
        note = cut_note(opened.cut, opened.name)
    if as_json:
        found = [_machine_form(*group) for group in groups]
        click.echo(json.dumps({"place": place, "cut": bool(note), "groups": found}, indent=2))
    else:
        for line in _for_people(groups, ids=ids):
            click.echo(line)
        count = sum(len(seen) for _, seen in groups)
        click.echo(f"{count} message{'s' * (count != 1)} in {printable(place)}{note}")


_Group = tuple[tuple[str, str], list[_Seen]]


def _grouped(messages: Iterable[Held]) -> list[_Group]:
    """(reason, feature) -> what was seen of it; the largest group first."""
    groups: dict[tuple[str, str], list[_Seen]] = {}
    for held in messages:
        seen = _Seen(held.id, held.time, held.attempts, line_of(held))
        groups.setdefault((held.reason, held.feature), []).append(seen)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _span(seen: list[_Seen]) -> tuple[datetime | None, datetime | None]:
    times = [one.time for one in seen if one.time]
    return min(times, default=None), max(times, default=None)


def _for_people(groups: list[_Group], *, ids: bool) -> Iterable[str]:
    if not groups:
        return
    lines = [
        (len(seen), _attempts(seen), *map(when, _span(seen)), feature or "-", reason)
        for (reason, feature), seen in groups
    ]
    head, *table = rows(_HEAD, lines)
    yield head
    for line, (_, seen) in zip(table, groups, strict=True):
        yield line
        if ids:
            yield from (f"       {one.line}" for one in seen)


def _attempts(seen: list[_Seen]) -> str:
    counts = [one.attempts for one in seen if one.attempts]
    if not counts:
        return "-"
    return f"{min(counts)}-{max(counts)}" if min(counts) < max(counts) else str(counts[0])


def _machine_form(about: tuple[str, str], seen: list[_Seen]) -> dict[str, Any]:
    (reason, feature), (first, last) = about, _span(seen)
    return {
        "reason": reason,
        "feature": feature or None,
        "count": len(seen),
        "first_seen": iso(first),
        "last_seen": iso(last),
        "attempts": max(one.attempts for one in seen),
        "ids": [one.id for one in seen],
    }
