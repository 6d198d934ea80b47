"""`python -m worker features`: what this worker can do."""

import contextlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from pydantic.errors import PydanticUserError

from worker.cli import LazyGroup, fail
from worker.config import SettingsInvalid, read_settings
from worker.feature import Feature, HandlersInvalid
from worker.registry import Features, load

if TYPE_CHECKING:
    from worker.catalog.described import Described

_COLUMNS = ("NAME", "REQUIREMENTS", "SUMMARY")
_SETTINGS = ("HANDLERS", "UNKNOWN_FEATURE")  # what says which features there are


@click.group(
    "features",
    cls=LazyGroup,
    package=__name__,
    names=("export", "docs", "check"),
    invoke_without_command=True,
    short_help="List the features; export what describes them.",
)
@click.option("--json", "as_json", is_flag=True, help="The list for machines, with JSON Schemas.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List the features that have a handler: name, type of the requirements, summary.

    They are loaded from the package that HANDLERS names (default: handlers), as `serve` does. The
    commands below make what describes them (docs/catalog.md), and check it.

    \b
    Example: python -m worker features
    Example: python -m worker features --json
    Example: HANDLERS=my_company.handlers python -m worker features
    Example: python -m worker features export build/features
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if context.invoked_subcommand is None:
        _list(features_or_fail().all(), as_json=as_json)
    elif as_json:
        raise click.UsageError("--json is for the list: write a command's options behind it")


def _list(found: list[Feature[Any]], *, as_json: bool) -> None:
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
        settings = read_settings({name: os.environ.get(name, "") for name in _SETTINGS})
        with contextlib.redirect_stdout(sys.stderr):  # a handler file may print
            return load(settings.handlers, build_unknown=settings.builds_unknown)
    except (SettingsInvalid, HandlersInvalid) as error:
        fail(str(error))


def described_or_fail() -> "list[Described]":
    """Every feature of the package HANDLERS, described, or the end of the command."""
    from worker.catalog.described import describe

    try:
        return [describe(feature) for feature in features_or_fail().all()]
    except HandlersInvalid as error:
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
