"""`python -m worker quarantine drop`: remove held messages for good."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from worker.cli import fail
from worker.cli.interrupts import Interrupts
from worker.cli.quarantine.auditing import audit_of, audit_option
from worker.cli.quarantine.desk import desk, place_options, select
from worker.cli.quarantine.progress import progress
from worker.cli.quarantine.shown import cut_note, line_of
from worker.client.text import printable
from worker.desk import Place
from worker.desk.audit import Audit
from worker.desk.held import Held
from worker.desk.replay import drop


@click.command("drop", short_help="Remove messages for good.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="Instead of ID: all quarantined messages.")
@place_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@audit_option
def command(
    *, ids: tuple[str, ...], place: str, limit: int | None, audit: Path | None, **flags: bool
) -> None:
    """Remove messages for good. It asks first; each is written down before it goes.

    ID is the beginning of an id, as with show. --all leaves what is no quarantined message: that
    is dropped by its ID only. Exit code: 0 dropped, 2 not, 130 interrupted; it can be repeated.

    \b
    Example: python -m worker quarantine drop 5d41 77a0
    Example: python -m worker quarantine drop --all --from folder:old-quarantine --yes
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    every, yes = flags["every"], flags["yes"]
    if bool(ids) == every:
        fail("what is to be dropped? give one ID or more, or --all")
    with desk(place, limit) as (opened, interrupts):
        held = list(opened.messages()) if every else select(opened, ids)
        going = [one for one in held if not (every and one.foreign)]
        _drop(opened, going, audit_of(place, audit), interrupts, yes=yes)
        if foreign := len(held) - len(going):
            click.echo(f"{foreign} that are no quarantined messages stay: drop them by their ID")
        if opened.cut:
            click.echo(cut_note(opened.cut, place).strip())


def _drop(
    place: Place, going: Sequence[Held], audit: Audit, interrupts: Interrupts, *, yes: bool
) -> None:
    if going and not yes:
        _confirm(going)
    dropped = 0
    try:
        with progress(len(going)) as step:
            for held in going:
                with interrupts.held():
                    drop(place, audit, held)
                    dropped += 1
                    step(f"{line_of(held)}  dropped")
    finally:
        click.echo(f"dropped {dropped} of {len(going)}")


def _confirm(going: Sequence[Held]) -> None:
    """Ask on a terminal; elsewhere there is nobody to ask."""
    if not sys.stdin.isatty():
        fail(f"{len(going)} would be dropped for good, and nobody is there to ask: give --yes")
    for held in going:
        click.echo(f"  {line_of(held)}  {printable(held.reason)}")
    click.confirm(f"drop {len(going)} for good?", abort=True)
