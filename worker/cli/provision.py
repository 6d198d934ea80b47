"""`python -m worker provision`."""

import click

from worker.cli import fail


@click.command("provision", short_help="Make what the worker needs in a project.")
def command() -> None:
    """Make what the worker needs in a project.

    Example: python -m worker provision
    """
    fail("not built yet")
