"""What the commands of the desk have in common: which place, which of its messages."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import click

from worker.cli import fail
from worker.cli.interrupts import Interrupts
from worker.client.text import printable
from worker.config import Settings, SettingsInvalid, folder_of, read_settings
from worker.desk import DeskFailed, Place
from worker.desk.folder import FolderPlace
from worker.desk.held import Held

PROJECT = r"[a-z][a-z0-9.:-]{1,98}[a-z0-9]"
NAME = r"[A-Za-z][A-Za-z0-9._~%+-]{2,254}"
_SUBSCRIPTION = re.compile(rf"projects/{PROJECT}/subscriptions/{NAME}")
_SHOWN = 3  # of the messages that an ambiguous id may mean


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --from and --limit; it is called with `place` (as QUARANTINE names it)."""

    @click.option(
        "--from",
        "place",
        metavar="PLACE",
        help="folder:PATH or projects/P/subscriptions/S. [default: QUARANTINE, if it is a folder]",
    )
    @click.option(
        "--limit",
        type=click.IntRange(min=1),
        metavar="N",
        help="At most so many messages. [default: all of a folder, 1000 of a subscription]",
    )
    @wraps(command)
    def with_place(*, place: str | None, **others: Any) -> None:
        command(place=settings_or_fail().quarantine if place is None else place, **others)

    return with_place


@contextmanager
def desk(name: str, limit: int | None) -> Iterator[tuple[Place, Interrupts]]:
    """The place, open; what fails at it is one line. Ctrl-C, too, leaves it as it should be."""
    interrupts = Interrupts()
    try:
        with _place_of(name, limit, interrupts) as place:
            yield place, interrupts
    except DeskFailed as failed:
        fail(printable(str(failed)))
    finally:
        interrupts.restore()


def settings_or_fail() -> Settings:
    """Those settings of this shell that the desk goes by."""
    names = ("QUARANTINE", "HANDLERS", "LOG_SINK", "GOOGLE_CLOUD_PROJECT")
    try:
        return read_settings({name: os.environ.get(name, "") for name in names})
    except SettingsInvalid as error:
        fail(printable(str(error)))


def select(place: Place, ids: Sequence[str]) -> list[Held]:
    """The messages with these ids, or with one that begins like that. Ends the command if not."""
    held = {one.id: one for one in place.messages()}
    chosen = [_named(given, list(held), place) for given in ids]
    return [held[one] for one in dict.fromkeys(chosen)]


def _named(given: str, ids: Sequence[str], place: Place) -> str:
    wanted = given if given.startswith("sha256-") else f"sha256-{given}"
    meant = [wanted] if wanted in ids else [one for one in ids if one.startswith(wanted)]
    if len(meant) > 1:
        shown = ", ".join(meant[:_SHOWN])
        fail(printable(f"{given} may be {len(meant)} messages: {shown} (give more of the id)"))
    if not meant:
        more = f" among the first {len(ids)} (give --limit)" if place.cut else ""
        fail(printable(f"there is no message {given} in {place.name}{more}"))
    return meant[0]


def _place_of(name: str, limit: int | None, interrupts: Interrupts) -> Place:
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return FolderPlace(folder_of(name), limit)
    if not _SUBSCRIPTION.fullmatch(name):
        fail(_no_place(kind, name))
    from worker.desk.subscription import MOST, SubscriptionPlace
    from worker.pubsub import Subscriber

    hold = partial(interrupts.held, kept=1)
    return SubscriptionPlace(name, Subscriber(name), limit or MOST, uninterrupted=hold)


def _no_place(kind: str, name: str) -> str:
    if kind == "topic":
        return "a topic holds nothing, its subscription does: --from projects/P/subscriptions/S"
    if name == "none":
        return "QUARANTINE=none holds nothing: give --from (the dead letters' subscription?)"
    return f"--from is {printable(name)!r} (want folder:PATH or projects/P/subscriptions/S)"
