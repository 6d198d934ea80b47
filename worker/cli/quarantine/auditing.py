"""Where replays and drops are written down."""

from collections.abc import Callable
from pathlib import Path

import click

from worker.cli.quarantine.desk import settings_or_fail
from worker.config import LogSink, folder_of
from worker.desk.audit import Audit
from worker.desk.folder import AUDIT

audit_option: Callable[[Callable[..., None]], Callable[..., None]] = click.option(
    "--audit",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Where it is written down. [default: {AUDIT} in the folder, else quarantine-{AUDIT}]",
)


def audit_of(place: str, file: Path | None) -> Audit:
    """The audit of what is done at the place, written to Cloud Logging too when LOG_SINK=api."""
    kind, _, path = place.partition(":")
    beside = folder_of(place) / AUDIT if kind == "folder" and path else Path(f"quarantine-{AUDIT}")
    settings = settings_or_fail()
    if settings.log_sink is LogSink.STDOUT:
        return Audit(file or beside)  # stdout is the terminal here
    from worker.build import root_log

    return Audit(file or beside, root_log(settings).sink)
