"""`python -m worker dev`: the laptop cloud, the real worker in it, and a proof."""

import importlib.util
import os
from pathlib import Path

import click

from worker.cli import fail, need_laptop_cloud
from worker.client.text import quote

PORT = 8085  # of Google's emulator, too: what people have in their scripts
STATE = ".laptop-cloud"
_NEEDED = {
    "rich": "rich",
    "watchfiles": "watchfiles",
    "lark": "lark",
    "re2": "google-re2",
    "google.pubsub_v1": "google-cloud-pubsub",
}


@click.command("dev", short_help="Run the laptop cloud and the worker, prove it, reload on change.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help=f"Of the page, Pub/Sub and Logging; 0: a free one. [default: {PORT}, or a free one]",
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    metavar="N",
    default=0,
    help="Of gRPC alone; --port takes it as well. [default: a free one]",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help=f"Where messages and entries are kept. [default: {STATE}]",
)
@click.option("--reset", is_flag=True, help="Clear the state first.")
@click.option("--project", metavar="ID", help="[default: GOOGLE_CLOUD_PROJECT, or demo]")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 3600),
    default=1.0,
    help="How much faster Pub/Sub's time runs: retries, backoff, retention. [default: 1]",
)
@click.option("--emulator", is_flag=True, help="Google's emulator for Pub/Sub instead of ours.")
@click.option("--env", "show", is_flag=True, help="Print the variables for a shell, and stop.")
@click.option("--once", is_flag=True, help="Stop after the proof: exit code 0 done, 1 not.")
def command(*, state: Path | None, project: str | None, show: bool, **given: object) -> None:
    """Run Pub/Sub, Cloud Logging and a page on this machine, with the real worker behind them.

    It makes the topic `features` with a subscription that pushes to the worker, publishes the
    smoke_test payload, shows the log entries for people, and goes on until Ctrl-C. The worker
    restarts when a file of the handlers package or of worker/ changes. gcloud and Google's client
    libraries work in a shell that has run the line with --env. Settings are those of `serve`.

    \b
    Example: python -m worker dev
    Example: eval "$(python -m worker dev --env)"
    Example: python -m worker dev --port 0 --state /tmp/cloud --reset
    Example: python -m worker dev --once
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    need_laptop_cloud()
    project = project or os.environ.get("GOOGLE_CLOUD_PROJECT") or "demo"
    if show:
        port = given["port"]
        click.echo(_exports(project, state or Path(STATE), port if isinstance(port, int) else None))
        return
    missing = [package for name, package in _NEEDED.items() if not _is_there(name)]
    if missing:
        fail(f"dev needs {' and '.join(missing)}: pip install -r requirements-dev.txt")
    from worker.cli.devrun import run
    from worker.cli.devsetup import Options

    raise SystemExit(run(Options(project=project, state=state, **given)))  # type: ignore[arg-type]


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # the package around it
        return False


def _exports(project: str, state: Path, port: int | None) -> str:
    """Lines for `eval`: where the laptop cloud with this state listens, or is going to."""
    from worker.local.address import Address, running

    host = f"127.0.0.1:{port or PORT}"
    address = (running(state) if port is None else None) or Address(project, host, host)
    variables = address.variables()
    return "\n".join(f"export {name}={quote(value)}" for name, value in variables.items())
