"""`python -m worker smoke`."""

import click

from worker.cli import fail


@click.command("smoke", short_help="Prove that a deployed worker receives, handles and logs.")
def command() -> None:
    """Prove that a deployed worker receives, handles and logs.

    Example: python -m worker smoke
    """
    fail("not built yet")
