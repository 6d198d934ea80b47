"""The options that say what a message holds, the same for every command that sends one."""

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from worker.cli import fail
from worker.message import PubsubMessage


def content_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options of a message; it is called with `content`."""

    @click.argument("payload", nargs=-1, metavar="[PAYLOAD]")
    @click.option("--feature", metavar="NAME", help="Instead of PAYLOAD: the feature it is for.")
    @click.option("--description", metavar="TEXT", help="Its description.")
    @click.option(
        "--requirements",
        metavar="JSON",
        help="Its requirements; what is no JSON is sent as a string.",
    )
    @click.option(
        "--attribute",
        "attributes",
        metavar="KEY=VALUE",
        multiple=True,
        help="An attribute of the message, may be repeated. "
        "idempotency_key=... is the key that duplicates are found by.",
    )
    @click.option("--ordering-key", metavar="KEY", default="", help="Its ordering key.")
    @functools.wraps(command)
    def with_content(
        *, payload: tuple[str, ...], attributes: tuple[str, ...], ordering_key: str, **others: Any
    ) -> None:
        fields = {name: others.pop(name) for name in ("feature", "description", "requirements")}
        content = PubsubMessage(_data(payload, fields), _attributes(attributes), ordering_key)
        command(content=content, **others)

    return with_content


def _data(payload: Sequence[str], fields: Mapping[str, str | None]) -> bytes:
    given = {name: value for name, value in fields.items() if value is not None}
    if given and payload:
        fail("give either PAYLOAD or --feature, --description, --requirements")
    if given:
        return _built(given)
    if len(payload) != 1:
        fail(
            "PAYLOAD is more than one word: put it in single quotes"
            if payload
            else "nothing to send: give PAYLOAD (JSON text, - for stdin, @file) or --feature NAME"
        )
    return _read(payload[0])


def _built(fields: Mapping[str, str]) -> bytes:
    payload: dict[str, Any] = dict(fields)
    if "requirements" in fields:
        try:
            payload["requirements"] = json.loads(fields["requirements"])
        except (ValueError, RecursionError):
            payload["requirements"] = fields["requirements"]
    return json.dumps(payload).encode("ascii")


def _read(payload: str) -> bytes:
    if payload == "-":
        return sys.stdin.buffer.read()
    if not payload.startswith("@"):
        return os.fsencode(payload)  # the bytes that were typed, whatever they are
    try:
        return Path(payload[1:]).read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a file name"
        fail(f"cannot read the file of PAYLOAD: {why} (@ is followed by a file's name)")


def _attributes(pairs: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            fail("--attribute wants KEY=VALUE")
        found[key] = value
    return found
