"""The options that say which deployment a command is about, the same for all that ask a project."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from worker.cli import fail
from worker.client.text import printable
from worker.deployment import FILE, DeploymentInvalid, read_deployment


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --settings and --project, for `read_deployment`."""
    settings = click.option(
        "--settings",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"What is deployed, and where. [default: {FILE}, which may be missing]",
    )
    project = click.option(
        "--project", metavar="ID", help="The project. [default: that of FILE, GOOGLE_CLOUD_PROJECT]"
    )
    return settings(project(command))


def deployment_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --settings and --project; it is called with `deployment`.

    Ends the command with one line and exit code 2 where they make no deployment.
    """

    @settings_options
    @functools.wraps(command)
    def with_deployment(*, settings: Path | None, project: str | None, **others: Any) -> None:
        try:
            deployment = read_deployment(settings, project=project)
        except DeploymentInvalid as error:
            fail(printable(str(error)))
        command(deployment=deployment, **others)

    return with_deployment
