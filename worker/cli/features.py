"""`python -m worker features`: what this worker can do."""

import contextlib
import json
import os
import sys
from typing import Any

import click
from pydantic.errors import PydanticUserError

from worker.cli import fail
from worker.config import SettingsInvalid, read_settings
from worker.feature import Feature, HandlersInvalid
from worker.registry import Features, load

_COLUMNS = ("NAME", "REQUIREMENTS", "SUMMARY")


@click.command("features", short_help="List the features that have a handler.")
@click.option("--json", "as_json", is_flag=True, help="For machines, with JSON Schemas.")
def command(*, as_json: bool) -> None:
    """List the features that have a handler: name, type of the requirements, summary.

    They are loaded from the package that HANDLERS names (default: handlers), as `serve` does.

    \b
    Example: python -m worker features
    Example: python -m worker features --json
    Example: HANDLERS=my_company.handlers python -m worker features
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    found = features_or_fail().all()
    if as_json:
        click.echo(json.dumps([_machine_form(feature) for feature in found], indent=2))
        return
    rows = [_COLUMNS] + [(one.name, want_of(one) or "none", one.summary) for one in found]
    for row in rows:
        widths = [max(len(r[column]) for r in rows) for column in range(2)]
        click.echo(f"{row[0]:{widths[0]}}  {row[1]:{widths[1]}}  {row[2]}".rstrip())


def features_or_fail() -> Features:
    """The features of the package HANDLERS, or the end of the command."""
    try:
        settings = read_settings({"HANDLERS": os.environ.get("HANDLERS", "")})
        with contextlib.redirect_stdout(sys.stderr):  # a handler file may print
            return load(settings.handlers)
    except (SettingsInvalid, HandlersInvalid) as error:
        fail(str(error))


def want_of(feature: Feature[Any]) -> str | None:
    """The name of the requirements' type, None where there are none."""
    return feature.want.__name__ if feature.want else None


def _machine_form(feature: Feature[Any]) -> dict[str, Any]:
    try:
        schema = feature.schema()
    except PydanticUserError as error:
        fail(f"the requirements of {feature.name} have no JSON Schema: {error.code}")
    return {
        "name": feature.name,
        "summary": feature.summary,
        "requirements": want_of(feature),
        "schema": schema,
        "handler": feature.place,
    }
