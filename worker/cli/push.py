"""`python -m worker push`: deliver a message straight to a worker, without a broker."""

import os
from dataclasses import replace
from typing import Any

import click

from worker.cli import fail
from worker.cli.content import content_options
from worker.client.deliver import Answer, Unreachable, check_url, deliver
from worker.client.forms import NOT_CARRIED, CannotSend, Delivery, checked_token, request_of
from worker.client.text import printable
from worker.message import Form, PubsubMessage


@click.command("push", short_help="Deliver a message to a worker, without a broker.")
@content_options
@click.option("--url", metavar="URL", help="The worker. [default: http://127.0.0.1:$PORT, or 8080]")
@click.option(
    "--form",
    type=click.Choice([form.value for form in Form]),
    default=Form.WRAPPED.value,
    show_default=True,
    metavar="FORM",
    help=f"How Pub/Sub or Eventarc would deliver it: {', '.join(Form)}.",
)
@click.option("--message-id", metavar="ID", help="Its id. [default: a fresh one]")
@click.option("--delivery-attempt", metavar="N", type=int, help="As with a dead-letter policy.")
@click.option("--subscription", metavar="NAME", help="The subscription that delivers it.")
@click.option("--token", metavar="TOKEN", help="Bearer token for PUSH_AUTH or Cloud Run's IAM.")
def command(
    *, content: PubsubMessage, url: str | None, form: str, token: str | None, **given: Any
) -> None:
    """Deliver PAYLOAD to a worker as a push, the way Pub/Sub does, and print its answer.

    PAYLOAD is JSON text, - for stdin, or @file. It is sent as it is: try broken
    ones too. Exit code: 0 acked, 1 nacked, 2 could not ask.

    \b
    Example: python -m worker push '{"feature": "smoke_test", "description": "hello"}'
    Example: python -m worker push --feature smoke_test --requirements '{"nonce": "n-1"}'
    Example: python -m worker push @broken.json --form unwrapped --attribute tenant=a
    Example: python -m worker push --feature smoke_test --url https://SERVICE.run.app \\
               --token "$(gcloud auth print-identity-token)"
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    try:
        address = check_url(_default_url() if url is None else url)
        delivery = _delivery(content, Form(form), given)
        answer = deliver(address, request_of(Form(form), delivery), checked_token(token))
    except (CannotSend, Unreachable) as error:
        fail(printable(str(error)))
    _show(answer)
    raise SystemExit(0 if answer.acked else 1)


def _default_url() -> str:
    return f"http://127.0.0.1:{os.environ.get('PORT') or 8080}"


def _delivery(content: PubsubMessage, form: Form, given: dict[str, Any]) -> Delivery:
    fields = {name: value for name, value in given.items() if value is not None}
    if content.attributes:
        fields["attributes"] = content.attributes
    if content.ordering_key:
        fields["ordering_key"] = content.ordering_key
    if lost := sorted(NOT_CARRIED.get(form, frozenset()) & fields.keys()):
        names = ", ".join(f"--{name.removesuffix('s').replace('_', '-')}" for name in lost)
        raise CannotSend(f"a push of the form {form} does not carry {names}: leave it out")
    return replace(Delivery(content.data), **fields)


def _show(answer: Answer) -> None:
    verdict = "acked" if answer.acked else "nacked: Pub/Sub would deliver it again"
    rows = {
        "status": f"{answer.status} ({verdict})",
        "outcome": answer.outcome or "none (not the answer of a worker)",
        "reason": answer.reason,
        "message id": answer.message_id,
        "advice": answer.advice,
    }
    for name, value in rows.items():
        if value:
            click.echo(f"{name:10}  {printable(value)}")
