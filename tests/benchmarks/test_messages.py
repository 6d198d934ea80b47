"""The pushes of the benchmark are pushes: the worker reads them, and they are as large as said."""

import json

import pytest

from tests.benchmarks.alone import validate
from tests.benchmarks.connection import ID_MARK
from tests.benchmarks.messages import SIZES, push, sized_body, usual_body
from tests.support.pushes import push_of
from worker.envelope import decode
from worker.payload import parse


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_a_body_is_exactly_as_large_as_it_says(size: int) -> None:
    body = sized_body(size)
    assert len(body) == size
    assert size - len(body.rstrip()) < 4


@pytest.mark.parametrize("body", [usual_body(), *map(sized_body, SIZES.values())])
def test_the_worker_and_the_plain_process_read_the_same(body: str) -> None:
    message = decode(push_of(body.encode()))
    assert message.id == ID_MARK
    payload = parse(message)
    assert payload.feature == "benchmark"
    read = validate(body.encode())
    assert (read.requirements.model_dump() if read.requirements.lines else {}) == (
        payload.requirements or {}
    )


def test_every_token_makes_a_head_that_says_how_long_the_body_is() -> None:
    sent = push("{}", "token-1", "token-2", headers=("ce-id: 1",))
    for number, head in enumerate(sent.heads, 1):
        assert head.startswith("POST / HTTP/1.1\r\n")
        assert f"\r\nAuthorization: Bearer token-{number}\r\n" in head
        assert head.endswith("\r\nce-id: 1\r\nContent-Length: 2\r\n\r\n")


def test_the_id_is_where_pubsub_has_it() -> None:
    message = json.loads(usual_body())["message"]
    assert message["messageId"] == message["message_id"] == ID_MARK
