"""`python -m worker doctor`."""

import click

from worker.cli import fail


@click.command("doctor", short_help="Say what is wrong with a deployment, why, and what mends it.")
def command() -> None:
    """Say what is wrong with a deployment, why, and what mends it.

    Example: python -m worker doctor
    """
    fail("not built yet")
