"""`python -m worker quarantine`: look at what is held, check it, replay it, drop it."""

import click

from worker.cli import LazyGroup


@click.group(
    "quarantine",
    cls=LazyGroup,
    package=__name__,
    names=("list", "show", "check", "replay", "drop"),
    short_help="Look at what was rejected, check it, replay it.",
)
def command() -> None:
    """Messages that the worker rejected, and those that Pub/Sub dead-lettered.

    They are held in a folder, or in the subscription of a quarantine or dead-letter topic. No
    command loses one when it is interrupted, and each is safe to repeat (docs/quarantine.md).

    \b
    Example: python -m worker quarantine list
    Example: python -m worker quarantine check --from projects/p/subscriptions/dead
    Example: python -m worker quarantine replay --all --to http://127.0.0.1:8080
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
