"""`python -m worker new`: a new feature in this folder, verified before it is written."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from worker.cli import fail

if TYPE_CHECKING:
    from worker.builder import Draft, Order

_FAILED = 1  # exit code: it may be the tools, or the time
_HANDLERS = "handlers"


@click.command("new", short_help="Write a feature of your own: module, tests and page, verified.")
@click.argument("name")
@click.option(
    "--requirements",
    metavar="FILE|JSON",
    default="none",
    help="What it requires: a map of fields or a JSON Schema, in a file, as JSON or - for stdin; "
    "a sentence; or none.  [default: none]",
)
@click.option("--description", metavar="TEXT", default="", help="What it does.")
@click.option(
    "--target",
    type=click.Choice(("worker", "fastapi")),
    default="worker",
    show_default=True,
    help="A handler of this worker, or a router of a FastAPI application.",
)
@click.option("--tag", metavar="TEXT", help="Tag of its routes, with --target fastapi.")
@click.option("--force", is_flag=True, help="Overwrite files that differ.")
@click.option("--dry-run", is_flag=True, help="Show what it would write, and write nothing.")
def command(*, force: bool, dry_run: bool, **given: Any) -> None:
    """Write the feature NAME into this folder: its module, tests that pass, and its page.

    They are formatted, linted, type-checked, imported and tested in a folder of their own before
    anything is written here; the difference is shown first. What can be required, and how it is
    written: docs/building.md. Exit code: 0 written or nothing to do, 1 it cannot be built now,
    2 refused.

    \b
    Example: python -m worker new vet_visit --description "Plan a visit to the vet." \\
               --requirements '{"pet_id": "uuid", "weight_kg": "float > 0"}'
    Example: python -m worker new invoice --requirements invoice.schema.json --dry-run
    Example: python -m worker new api_status --target fastapi --tag Operations
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from worker.cli.newfiles import changes, show, write
    from worker.cli.newsteps import next_steps

    order = _order(**given)
    _check_folder(order)
    draft = _generated(order)
    changed = changes(draft.files)
    if not changed:
        click.echo("nothing to do: the files are there already, and the same")
        return
    differ = [str(one.path) for one in changed if one.old is not None]
    if differ and not force:
        show(changed)
        fail(f"{', '.join(differ)}: there already, with another content (--force overwrites)")
    _verify(draft)
    show(changed)
    if dry_run:
        click.echo("nothing was written: this was a dry run")
        return
    write(changed)
    click.echo(next_steps(draft))


def _order(*, name: str, requirements: str, target: str, **given: Any) -> "Order":
    from worker import builder
    from worker.cli.newinput import read_requirements

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # LANG=C
    wanted = read_requirements(requirements)
    return builder.Order(name, requirements=wanted, target=builder.Target(target), **given)


def _check_folder(order: "Order") -> None:
    """Files are written where the program that they are for is."""
    from worker import builder

    if os.environ.get("HANDLERS", _HANDLERS) not in ("", _HANDLERS):
        fail("new writes into the package handlers, but HANDLERS names another one: unset it")
    needed = [Path(_HANDLERS, "__init__.py")]
    if order.target is builder.Target.FASTAPI:
        needed.append(Path("petsage"))
    if not any(path.exists() for path in needed):
        where = " or ".join(map(str, needed))
        fail(f"this folder has no {where}: run new in the checkout that the feature is for")


def _generated(order: "Order") -> "Draft":
    from worker import builder

    _tick("processing", f"{order.feature}, for the target {order.target}")
    try:
        draft = builder.generate(order, _taken(order))
    except builder.OrderRefused as error:
        fail(str(error))
    except builder.BuildFailed as error:
        fail(str(error), _FAILED)
    _tick("generating", f"{len(draft.files)} files")
    return draft


def _taken(order: "Order") -> frozenset[str]:
    """The names of the other features that are here."""
    from worker import builder
    from worker.cli.features import features_or_fail

    if order.target is not builder.Target.WORKER:
        return frozenset()
    module = f"{_HANDLERS}.{order.feature}"
    found = features_or_fail().all()
    return frozenset(
        one.name
        for one in found
        if one.name != order.feature or one.handler.__module__ != module or _is_package(module)
    )


def _is_package(module: str) -> bool:
    return hasattr(sys.modules[module], "__path__")


def _verify(draft: "Draft") -> None:
    from worker import builder

    try:
        checks = builder.verify(draft)
    except builder.BuildFailed as error:
        fail(str(error), _FAILED)
    _tick("verifying", ", ".join(check.name for check in checks))


def _tick(stage: str, text: str) -> None:
    click.echo(f"{click.style('✓', fg='green')} {stage:10}  {text}")
