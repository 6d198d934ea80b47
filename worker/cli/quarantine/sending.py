"""Replaying on a terminal: what would be sent, then what became of it."""

from collections import Counter
from collections.abc import Sequence

import click

from worker.cli.interrupts import Interrupts
from worker.cli.quarantine.progress import progress
from worker.cli.quarantine.shown import line_of
from worker.client.text import printable
from worker.desk.check import Verdict
from worker.desk.replay import Pace, Replay


def show_plan(replay: Replay, going: Sequence[Verdict], command: str) -> bool:
    """The dry run: each message that would be sent. False when one of them would be refused."""
    refused = 0
    click.echo(f"from {printable(replay.place.name)} to {printable(replay.target.name)}:")
    for verdict in going:
        refusal = replay.refusal(verdict.held)
        refused += bool(refusal)
        what = f"refused: {refusal}" if refusal else _outlook(replay, verdict)
        click.echo(f"  {line_of(verdict.held)}  {printable(what)}")
    click.echo(f"nothing was sent; {len(going) - refused} would be")
    if len(going) > refused:
        click.echo(f"to send them:\n  {command}")
    return not refused


def _outlook(replay: Replay, verdict: Verdict) -> str:
    number = f"replay {replay.audit.replays(verdict.held) + 1} of {replay.max_replays}"
    return number if verdict.passes else f"{number}, would be rejected again: {verdict.reason}"


def send(replay: Replay, going: Sequence[Verdict], pace: Pace, interrupts: Interrupts) -> bool:
    """Replay them. False when some of them stay. Whatever ends it, it says how far it came.

    Ctrl-C lets the message in hand end; pressed twice, it does not wait for a slow worker.
    """
    ended: Counter[str] = Counter()
    try:
        with progress(len(going)) as step:
            for verdict in going:
                pace.wait()
                with interrupts.held(kept=1):
                    sent = replay.send(verdict.held)
                    ended["replayed" if sent.settled else "stay"] += 1
                    step(f"{line_of(verdict.held)}  {printable(sent.answer)}")
    finally:
        click.echo(_summary(ended, len(going), printable(replay.place.name)))
    return not ended["stay"]


def _summary(ended: Counter[str], total: int, place: str) -> str:
    parts = [f"replayed {ended['replayed']} of {total}"]
    if ended["stay"]:
        parts.append(f"{ended['stay']} stay in {place}")
    if waiting := total - ended.total():
        parts.append(f"{waiting} were not looked at: repeat the command")
    return "; ".join(parts)
