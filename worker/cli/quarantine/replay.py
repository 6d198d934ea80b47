"""`python -m worker quarantine replay`: send held messages again."""

from pathlib import Path
from typing import Any, NamedTuple

import click

from worker.cli import fail
from worker.cli.features import features_or_fail
from worker.cli.quarantine.auditing import audit_of, audit_option
from worker.cli.quarantine.desk import desk, place_options, select
from worker.cli.quarantine.sending import send, show_plan
from worker.cli.quarantine.shown import cut_note
from worker.cli.quarantine.target import target_of
from worker.client.text import quote
from worker.desk import Place
from worker.desk.check import Verdict, check
from worker.desk.replay import Pace, Replay

_RATE = 10.0
_MAX_REPLAYS = 3


class _Wish(NamedTuple):
    """What is to be replayed, where to, and how."""

    ids: tuple[str, ...]
    every: bool
    to: str
    token: str | None
    rate: float
    max_replays: int


@click.command("replay", short_help="Send them again: to a topic or straight to a worker.")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="Instead of ID: all that check passes.")
@click.option(
    "--to", required=True, metavar="TARGET", help="projects/P/topics/T, or a worker's http://..."
)
@place_options
@click.option("--yes", is_flag=True, help="Send them. Without it nothing is sent, only shown.")
@click.option("--token", metavar="TOKEN", help="Bearer token, where a worker wants one.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=_RATE,
    show_default=True,
    metavar="N",
    help="Messages a second, at most.",
)
@click.option(
    "--max-replays",
    type=click.IntRange(min=1),
    default=_MAX_REPLAYS,
    show_default=True,
    metavar="N",
    help="Refuse a message that has been replayed so often.",
)
@audit_option
def command(*, place: str, limit: int | None, yes: bool, audit: Path | None, **given: Any) -> None:
    """Send messages to a topic, as they were published, or to a worker, as they were delivered.

    ID is the beginning of an id, as with show. A message is removed when it was published, or when
    the worker answered done or duplicate; one that is rejected again stays, and so does any other.
    Sent twice, it is handled once. Exit code: 0 all are replayed (or would be), 1 some stay, 2 it
    failed, 130 it was interrupted. Repeat it then.

    \b
    Example: python -m worker quarantine replay --all --to http://127.0.0.1:8080
    Example: python -m worker quarantine replay 5d41 --to projects/p/topics/features --yes
    Example: python -m worker quarantine replay --all --yes --rate 2 \\
               --from projects/my-project/subscriptions/feature-worker-quarantine \\
               --to https://SERVICE.run.app --token "$(gcloud auth print-identity-token)"
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    wish = _Wish(**given)
    if bool(wish.ids) == wish.every:
        fail("what is to be replayed? give one ID or more, or --all")
    target = target_of(wish.to, wish.token)
    with desk(place, limit) as (opened, interrupts):
        going, left = _chosen(opened, wish)
        replay = Replay(opened, target, audit_of(place, audit), wish.max_replays)
        if yes:
            complete = send(replay, going, Pace(wish.rate), interrupts)
        else:
            complete = show_plan(replay, going, _again(click.get_current_context(), wish))
        if left:
            click.echo(f"not among these: {left} that would be rejected again (see check)")
        if opened.cut:
            click.echo(cut_note(opened.cut, place).strip())
    raise SystemExit(0 if complete else 1)


def _chosen(place: Place, wish: _Wish) -> tuple[list[Verdict], int]:
    """What is to be replayed, oldest first, and how many are not because they would not pass."""
    features = features_or_fail()
    held = place.messages() if wish.every else select(place, wish.ids)
    verdicts = sorted((check(one, features) for one in held), key=lambda one: one.held.since)
    going = [one for one in verdicts if one.passes or not wish.every]
    return going, len(verdicts) - len(going)


def _again(context: click.Context, wish: _Wish) -> str:
    """The same command with --yes; the token is not shown."""
    given = {
        "--to": wish.to,
        "--from": context.params["place"],
        "--limit": context.params["limit"],
        "--audit": context.params["audit"],
        "--rate": wish.rate if wish.rate != _RATE else None,
        "--max-replays": wish.max_replays if wish.max_replays != _MAX_REPLAYS else None,
    }
    words = ["--all"] if wish.every else list(wish.ids)
    for option, value in given.items():
        if value is not None:
            words += [option, str(value)]
    shown = [quote(word) for word in words]
    if wish.token is not None:
        shown.append('--token "$(gcloud auth print-identity-token)"')
    return " ".join(["python -m worker quarantine replay", *shown, "--yes"])
