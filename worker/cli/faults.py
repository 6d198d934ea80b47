"""`python -m worker faults`: have the laptop cloud deliver badly on purpose."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import click

from worker.cli import fail, need_laptop_cloud
from worker.cli.dev import PORT, STATE
from worker.client.text import printable

_PATH = "/local/v1/faults"
_WAIT_SECONDS = 10.0
_LIMIT = 64 * 1024  # bytes of an answer
_MEANINGS = {
    "duplicate": "of the acked messages delivered once more",
    "reorder": "whichever of the waiting messages goes next",
    "delay_seconds": "before each push",
    "drop_answer": "of the acks thrown away, their messages retried",
    "burst": "messages held back, then pushed at once",
    "paused": "nothing is pushed",
}


class _Unanswered(Exception):
    """The laptop cloud did not do it. One line: why, and what to do."""


@click.command("faults", short_help="Have the laptop cloud deliver badly on purpose.")
@click.argument("faults", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--off", is_flag=True, help="End all faults first.")
@click.option(
    "--url",
    metavar="URL",
    help="The laptop cloud's page. [default: that of `dev` in this folder, or port 8085]",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(*, faults: tuple[str, ...], off: bool, url: str | None, as_json: bool) -> None:
    """Show how pushes are disturbed, or change it: every fault may happen in production.

    duplicate and drop_answer are probabilities from 0 to 1, delay is a time (500ms, 2s),
    burst a number of messages, reorder and paused are on or off.
    Exit code: 0 done, 2 not.

    \b
    Example: python -m worker faults duplicate=0.2 delay=500ms
    Example: python -m worker faults drop_answer=0.1 reorder=on
    Example: python -m worker faults burst=50
    Example: python -m worker faults paused=on
    Example: python -m worker faults --off
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    need_laptop_cloud()
    try:
        settings = _ask(url or _found(), _wanted(faults, off=off))
    except _Unanswered as error:
        fail(printable(str(error)))
    click.echo(json.dumps(settings, indent=2) if as_json else _for_people(settings))


def _found() -> str:
    """The address of the laptop cloud that was started here, else the usual one."""
    from worker.local.address import running

    address = running(Path(STATE))
    return f"http://{address.host if address else f'127.0.0.1:{PORT}'}"


def _wanted(words: Sequence[str], *, off: bool) -> dict[str, Any]:
    """The settings to change. Raises _Unanswered."""
    from dataclasses import asdict

    from worker.local.pubsub.push.faults import BadFault, FaultSettings, changed, parse_fault

    wanted = asdict(FaultSettings()) if off else {}
    try:
        wanted |= dict(parse_fault(word) for word in words)
        changed(FaultSettings(), wanted)
    except BadFault as error:
        raise _Unanswered(str(error)) from None
    return wanted


def _ask(url: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Change what is wanted: the settings in force. Raises _Unanswered."""
    from urllib.request import Request

    from worker.client.deliver import Unreachable, check_url, opener_for

    try:
        address = urlsplit(check_url(url))._replace(path=_PATH, query="").geturl()
        body = json.dumps(wanted).encode() if wanted else None
        call = Request(  # noqa: S310 - check_url let http and https through, nothing else
            address,
            body,
            {"content-type": "application/json"} if body else {},
            method="PATCH" if body else "GET",
        )
        with opener_for(address).open(call, timeout=_WAIT_SECONDS) as answer:
            return _read(answer.status, answer.read(_LIMIT))
    except Unreachable as error:
        raise _Unanswered(str(error)) from None
    except (OSError, HTTPException, HTTPError):
        raise _Unanswered(f"no laptop cloud at {url} (start it: python -m worker dev)") from None


def _read(status: int, body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
        if status == 200:  # noqa: PLR2004 - HTTP's OK
            return {name: found[name] for name in _MEANINGS}
        reason = f": {found['error']['message']}"
    except (ValueError, RecursionError, TypeError, KeyError):
        reason = ""
    raise _Unanswered(f"what answers at --url is no laptop cloud: status {status}{reason}")


def _for_people(settings: Mapping[str, Any]) -> str:
    lines = [f"{name:13}  {_shown(name, settings[name])}" for name in _MEANINGS if settings[name]]
    return "\n".join(lines) or "no faults: pushes are delivered as they come"


def _shown(name: str, value: Any) -> str:
    match name:
        case "reorder" | "paused":
            return f"on      {_MEANINGS[name]}"
        case "delay_seconds":
            return f"{f'{value:g} s':6}  {_MEANINGS[name]}"
        case "burst":
            return f"{value:<6}  {_MEANINGS[name]}"
    return f"{f'{value:.0%}':6}  {_MEANINGS[name]}"
