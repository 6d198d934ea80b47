"""`python -m worker serve`: the server that Cloud Run runs."""

import os

import click

from worker.build import project_of_metadata_server, store_of
from worker.cli import fail
from worker.config import Settings, SettingsInvalid, read_settings


@click.command("serve")
@click.option("--check", is_flag=True, help="Print the effective settings and stop.")
def command(*, check: bool) -> None:
    """Serve pushes until SIGTERM, configured by environment variables (docs/configuration.md).

    Example: PORT=8080 python -m worker serve
    """
    settings = settings_or_fail()
    if check:
        for variable, value in settings.effective().items():
            click.echo(f"{variable}={value}")
        return
    from worker.server import serve

    try:
        serve(settings)
    except SettingsInvalid as error:
        fail(str(error))
    except OSError as error:
        fail(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror} (set PORT or HOST)"
        )


def settings_or_fail() -> Settings:
    """The settings of the environment, or the end of the command."""
    asks = os.environ.get("K_SERVICE") and not os.environ.get("GOOGLE_CLOUD_PROJECT")
    try:
        settings = read_settings(os.environ, project=project_of_metadata_server() if asks else None)
        if settings.claims != "memory":
            store_of(settings)  # a wrong address is told here, once, and not by each process
    except SettingsInvalid as error:
        fail(str(error))
    return settings
