"""`python -m worker doctor`: what is wrong with a deployment, why it matters, what mends it."""

import json
import os
from collections import defaultdict
from pathlib import Path

import click

from worker.cli import fail
from worker.cli.settings import settings_options
from worker.client.text import printable
from worker.deployment import Deployment, DeploymentInvalid, read_deployment
from worker.doctor.finding import Finding, Severity
from worker.doctor.report import Report

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}
_NAMED = 3  # checks that were not made, beside the reason
_UNKNOWN = "the project is not known (give --project, or set GOOGLE_CLOUD_PROJECT)"
_NO_PROJECT = "no-project"  # a stand-in: nothing offline depends on it


@click.command("doctor", short_help="Say what is wrong with a deployment, why, and what mends it.")
@settings_options
@click.option(
    "--live/--offline",
    default=None,
    help="Ask the project too, or never. [default: if the project is known]",
)
@click.option(
    "--image",
    "archive",
    type=click.Path(path_type=Path),
    metavar="ARCHIVE",
    help="Examine the image too: a tar of `docker save` or `podman save`.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    *,
    settings: Path | None,
    project: str | None,
    live: bool | None,
    archive: Path | None,
    as_json: bool,
) -> None:
    """Say what is wrong with a deployment, why it matters, and what mends it.

    Examines the folder it is started in (handlers, Dockerfile, cloudbuild.yaml, deploy.toml), and
    the project with its service, subscription and roles. Exit code: 0 healthy, 1 warnings,
    2 errors. docs/doctor.md lists the checks.

    \b
    Example: python -m worker doctor --offline
    Example: python -m worker doctor --project my-project
    Example: python -m worker doctor --image image.tar --json
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from worker.doctor import offline
    from worker.doctor.folder import Folder

    if archive is not None and not archive.is_file():
        fail(f"--image: there is no file {printable(str(archive))}")
    deployment, known = _deployment(settings, project)
    folder = Folder(Path.cwd(), os.environ)
    report = offline.examine(folder, deployment, archive)
    report += _live(deployment, live=live, known=known)
    click.echo(json.dumps(report.as_json(), indent=2) if as_json else _for_people(report))
    raise SystemExit(report.exit_code)


def _deployment(path: Path | None, project: str | None) -> tuple[Deployment | str, bool]:
    """The deployment or what is wrong with it, and whether its project is known."""
    try:
        return read_deployment(path, project=project), True
    except DeploymentInvalid as error:
        if not error.project_unknown:
            return str(error), False
    try:
        return read_deployment(path, project=_NO_PROJECT), False
    except DeploymentInvalid as error:
        return str(error), False


def _live(deployment: Deployment | str, *, live: bool | None, known: bool) -> Report:
    from worker.doctor.everything import examine_live, not_live

    if live is False:
        return not_live("--offline", wanted=False)
    if isinstance(deployment, str):
        return not_live("deploy.toml makes no deployment", wanted=live is True)
    if not known:
        return not_live(_UNKNOWN, wanted=live is True)
    return examine_live(deployment, wanted=live is True)


def _for_people(report: Report) -> str:
    parts = [_finding(finding) for finding in report.worst_first()]
    return "\n".join([*parts, _closing(report)])


def _finding(finding: Finding) -> str:
    severity = click.style(f"{finding.severity:8}", fg=_COLOURS[finding.severity], bold=True)
    return (
        f"{severity} {printable(finding.where)}: {printable(finding.what)} [{finding.check}]\n"
        f"    why: {printable(finding.why)}\n"
        f"    fix: {printable(finding.fix)}\n"
    )


def _closing(report: Report) -> str:
    counts = ", ".join(_plural(report.count(one), one) for one in Severity)
    made = len(set(report.checked))
    lines = [f"{counts}; {_plural(made, 'check')} made"]
    reasons: dict[str, list[str]] = defaultdict(list)
    for one in report.not_checked:
        reasons[one.reason].append(one.check)
    for reason, names in reasons.items():
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        lines.append(f"not checked: {', '.join(names[:_NAMED])}{more}: {printable(reason)}")
    return "\n".join(lines)


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
