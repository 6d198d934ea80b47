"""`python -m worker quarantine check`: what today's worker would say of what is held."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from worker.cli.features import features_or_fail
from worker.cli.quarantine.desk import desk, place_options
from worker.cli.quarantine.shown import cut_note, line_of, rows
from worker.desk.check import check


class _Checked(NamedTuple):
    """What the result needs of a message."""

    id: str
    line: str
    feature: str
    reason: str  # "" if it passes
    doubt: bool


@click.command("check", short_help="Would they pass today's schemas and handlers?")
@place_options
@click.option("--ids", is_flag=True, help="The id of each message as well.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(*, place: str, limit: int | None, ids: bool, as_json: bool) -> None:
    """Validate every held message as the worker would now: envelope, payload, requirements.

    The handlers are loaded from the package that HANDLERS names, and none is run. Exit code: 0 all
    would pass, 1 some would not, 2 could not check.

    \b
    Example: python -m worker quarantine check --ids
    Example: python -m worker quarantine check --from projects/p/subscriptions/dead
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    features = features_or_fail()
    with desk(place, limit) as (opened, _):
        verdicts = (check(held, features) for held in opened.messages())
        checked = [
            _Checked(v.held.id, line_of(v.held), v.held.feature, v.reason, v.doubt)
            for v in verdicts
        ]
        note = cut_note(opened.cut, opened.name)
    if as_json:
        click.echo(
            json.dumps({"place": place, "cut": bool(note), **_machine_form(checked)}, indent=2)
        )
    else:
        click.echo(
            f"{sum(not one.reason for one in checked)} of {len(checked)} would pass now{note}"
        )
        for line in _for_people(checked, ids=ids):
            click.echo(line)
    raise SystemExit(1 if any(one.reason for one in checked) else 0)


def _for_people(checked: list[_Checked], *, ids: bool) -> Iterator[str]:
    if doubted := sum(one.doubt for one in checked):
        yield f"{doubted} of these may fail again in their handler, which check does not run"
    if ids:
        yield from (f"  {one.line}" for one in checked if not one.reason)
    groups = _failing(checked)
    if not groups:
        return
    yield ""
    lines = [(len(found), feature or "-", reason) for (reason, feature), found in groups.items()]
    head, *table = rows(("COUNT", "FEATURE", "WOULD BE REJECTED NOW"), lines)
    yield head
    for line, found in zip(table, groups.values(), strict=True):
        yield line
        if ids:
            yield from (f"       {one.line}" for one in found)


def _failing(checked: list[_Checked]) -> dict[tuple[str, str], list[_Checked]]:
    groups: dict[tuple[str, str], list[_Checked]] = {}
    for one in checked:
        if one.reason:
            groups.setdefault((one.reason, one.feature), []).append(one)
    return groups


def _machine_form(checked: list[_Checked]) -> dict[str, Any]:
    return {
        "checked": len(checked),
        "pass": [one.id for one in checked if not one.reason],
        "doubtful": [one.id for one in checked if one.doubt],
        "fail": [
            {"reason": reason, "feature": feature or None, "ids": [one.id for one in found]}
            for (reason, feature), found in _failing(checked).items()
        ],
    }
