"""`python -m worker smoke`: prove that a deployed worker receives, handles and logs."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from worker.cli import fail
from worker.cli.settings import settings_options
from worker.client.text import printable

if TYPE_CHECKING:
    from worker.smoke.question import Question
    from worker.smoke.verdict import Verdict

_DEFAULT_WAIT_SECONDS = 90.0
_LOOKS: dict[str, dict[str, Any]] = {
    "good": {"fg": "green", "bold": True},
    "bad": {"fg": "red", "bold": True},
    "dim": {"dim": True},
    "strong": {"bold": True},
}


@click.command("smoke", short_help="Prove that a deployed worker receives, handles and logs.")
@settings_options
@click.option("--url", metavar="URL", default="", help="Push to it, instead of the topic.")
@click.option(
    "--audience", metavar="AUDIENCE", default="", help="Of the token. [default: the service's URL]"
)
@click.option(
    "--as", "account", metavar="EMAIL", default="", help="Whose token. [default: the push account]"
)
@click.option("--revision", metavar="NAME", default="", help="The revision that has to handle it.")
@click.option(
    "--wait",
    "wait_seconds",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=_DEFAULT_WAIT_SECONDS,
    show_default=True,
    help="How long to wait for the entry.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON document.")
def command(*, settings: Path | None, project: str | None, as_json: bool, **given: Any) -> None:
    """Publish a smoke test, and wait for its entry in Cloud Logging.

    When none comes, it looks at everything between the topic and the log, names what is broken,
    and the command that mends it. With --url it pushes to a revision that has no traffic yet, with
    a token of the push account. Exit code: 0 proved, 1 not proved, 2 could not ask.

    \b
    Example: python -m worker smoke --project my-project
    Example: python -m worker smoke --json --wait 180
    Example: python -m worker smoke --url https://candidate---SERVICE.run.app \\
               --revision feature-worker-00007-abc
    Example: eval "$(python -m worker dev --env)"; python -m worker smoke --wait 10
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from worker.deployment import DeploymentInvalid, read_deployment
    from worker.smoke.question import Question

    try:
        deployment = read_deployment(settings, project=project)
    except DeploymentInvalid as error:
        _could_not_ask(str(error), as_json=as_json)
    verdict = _ask(Question(deployment, **given), quiet=as_json)
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=2))
    elif verdict.error:
        fail(printable(verdict.error))
    else:
        _show(verdict)
    raise SystemExit(verdict.conclusion.code)


def _ask(question: "Question", *, quiet: bool) -> "Verdict":
    from worker.cli.smokeprogress import progress
    from worker.smoke.question import Time
    from worker.smoke.run import smoke

    with _half_made_is_silent(), progress(sys.stderr, quiet=quiet) as shown:
        return smoke(question, shown.say, Time(sleep=shown.sleep))


@contextmanager
def _half_made_is_silent() -> Iterator[None]:
    """Ctrl-C may fall into a constructor; what is thrown away then complains with a traceback."""
    before, sys.unraisablehook = sys.unraisablehook, lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


def _could_not_ask(error: str, *, as_json: bool) -> NoReturn:
    from worker.smoke.verdict import Conclusion, Verdict

    if not as_json:
        fail(printable(error))
    verdict = Verdict(Conclusion.COULD_NOT_ASK, error=error)
    click.echo(json.dumps(verdict.as_json(), indent=2))
    raise SystemExit(verdict.conclusion.code)


def _show(verdict: "Verdict") -> None:
    from worker.smoke.text import plain, text_of

    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    paint = _painted if coloured else plain
    click.echo(text_of(verdict, paint), color=coloured)


def _painted(text: str, look: str) -> str:
    return click.style(text, **_LOOKS[look])
