"""`python -m worker provision`: show what the worker needs in a project, ask, and make it."""

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from worker.cli import fail
from worker.cli.settings import deployment_options
from worker.client.text import printable, quote
from worker.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from worker.provision.cloud import Cloud
    from worker.provision.plan import Task
    from worker.provision.step import Step


class _Options(NamedTuple):
    """How to go about it."""

    yes: bool
    dry_run: bool


@click.command("provision", short_help="Make what the worker needs in a project.")
@deployment_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--as-script", is_flag=True, help="Print the gcloud commands that do the same.")
@click.option("--destroy", is_flag=True, help="Remove what provision made. It asks first.")
def command(
    *, deployment: Deployment, yes: bool, dry_run: bool, as_script: bool, destroy: bool
) -> None:
    """Show what the worker needs in a project, ask, and make it. What is there already stays.

    It can be run again at any time, and then changes only what differs. Run it before the first
    build, and once more after it: only then there is a service to push to. Exit code: 0 done,
    1 something was refused, 2 could not start, 130 interrupted.

    \b
    Example: python -m worker provision --project my-project
    Example: python -m worker provision --dry-run
    Example: python -m worker provision --as-script > provision.sh
    Example: python -m worker provision --destroy
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if as_script:
        if destroy:
            fail("--as-script prints how things are made: leave --destroy out")
        _print_script(deployment)
        return
    run = _destroy if destroy else _provision
    raise SystemExit(_code(run(deployment, _cloud_of(deployment), _Options(yes, dry_run))))


def _print_script(deployment: Deployment) -> None:
    from worker.provision.script import as_script

    click.echo(as_script(deployment), nl=False)


def _cloud_of(deployment: Deployment) -> "Cloud":
    from worker.project.project import Project
    from worker.provision.cloud import Cloud
    from worker.provision.standin import stand_in

    if variable := stand_in():
        fail(f"this shell talks to a laptop cloud or emulator, which has no IAM: unset {variable}")
    return Cloud(Project(deployment.project), deployment)


def _provision(deployment: Deployment, cloud: "Cloud", options: _Options) -> "Sequence[Step]":
    from worker.provision.inventory import resources_of
    from worker.provision.plan import making

    def ask() -> None:
        click.confirm("Apply?", abort=True)

    steps = _run(making(resources_of(deployment)), cloud, options, ask)
    if not options.dry_run:
        _say_what_is_next(deployment, steps)
    return steps


def _destroy(deployment: Deployment, cloud: "Cloud", options: _Options) -> "Sequence[Step]":
    from worker.provision.inventory import resources_of
    from worker.provision.plan import removing

    def ask() -> None:
        typed = click.prompt("It cannot be undone. To remove all this, type the project's id")
        if typed.strip() != deployment.project:
            fail("that is not the project's id: nothing was removed")

    steps = _run(removing(resources_of(deployment)), cloud, options, ask)
    if _has_service(cloud):
        click.echo(
            "The service was made by the build, and stays. To remove it as well:\n"
            f"  gcloud run services delete {deployment.service} --region={deployment.region}"
            f" --project={quote(deployment.project)}"
        )
    return steps


def _has_service(cloud: "Cloud") -> bool:
    from worker.rest import CallFailed

    try:
        return cloud.service() is not None
    except CallFailed:  # said already, where its policy could not be looked at
        return False


def _run(
    tasks: "Sequence[Task]", cloud: "Cloud", options: _Options, ask: "Callable[[], None]"
) -> "Sequence[Step]":
    """The steps as they went, or as they were planned where nothing was to be done."""
    from worker.provision.plan import Patience, apply, plan
    from worker.provision.showing import does, line_of, lines_of, summary, width_of
    from worker.provision.step import DOES
    from worker.rest import CallFailed

    try:
        planned = plan(tasks, cloud)
    except CallFailed as failed:
        fail(f"the project cannot be looked at: {printable(str(failed))}")
    click.echo("\n".join([*lines_of(planned), summary(planned)]))
    if options.dry_run or not does(planned):
        return planned
    if not options.yes:
        _needs_terminal()
        ask()
    click.echo()
    went = []
    for before, step in zip(planned, apply(tasks, planned, cloud, Patience()), strict=True):
        if before.state in DOES:
            click.echo(line_of(step, width_of(planned)))
        went.append(step)
    click.echo(summary(went, done=True))
    return went


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _needs_terminal() -> None:
    if not _is_terminal():
        fail("nobody is there to ask: give --yes, or --dry-run to see the plan only")


def _say_what_is_next(deployment: Deployment, steps: "Sequence[Step]") -> None:
    from worker.provision.nextsteps import next_steps
    from worker.provision.showing import refused
    from worker.provision.step import State

    given = click.get_current_context().params
    options = "".join(
        f" --{name}={quote(str(given[name]))}" for name in ("settings", "project") if given[name]
    )
    waits = any(step.state is State.WAITS for step in steps)
    if refused(steps):
        click.echo(f"Mend that, and run it again: python -m worker provision{options}")
        return
    click.echo("Next:")
    for line in next_steps(deployment, options, waits=waits):
        click.echo(f"  {line}")


def _code(steps: "Sequence[Step]") -> int:
    from worker.provision.showing import refused

    return 1 if refused(steps) else 0
