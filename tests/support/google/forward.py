"""Handing a call on to a Pub/Sub or a Logging that works, and its answer back."""

import http.client
import json
from dataclasses import dataclass

from tests.support.google.request import Refused, Request

_SECONDS = 100.0  # a pull waits for messages up to 90
_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, in the bytes that are sent."""

    status: int
    body: bytes


def forward(target: str, request: Request) -> Answer:
    """The answer of `target`, HOST:PORT. Raises Refused where there is none."""
    there = http.client.HTTPConnection(target, timeout=_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        there.request(request.method, request.target, request.raw or None, headers)
        answer = there.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, http.client.HTTPException) as error:
        raise Refused(503, f"{target} gives no answer: {type(error).__name__}") from None
    finally:
        there.close()


def exists(target: str, api: str, name: str) -> bool:
    """Whether `target` has the resource of that name."""
    try:
        asked = Request("GET", api, f"/v1/{name}", {}, None, target=f"/v1/{name}")
        return forward(target, asked).status == _OK
    except Refused:
        return False


def answer_of(status: int, body: object) -> Answer:
    """The answer that holds this JSON."""
    return Answer(status, json.dumps(body).encode())
