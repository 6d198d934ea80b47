"""Memory stays bounded: measured, as RSS at its peak, in the process that serves."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.attacks.support import JSON, new_id
from tests.contracts.edge import PeakMemory, serving_process, status_of
from tests.support.pushes import wrapped
from tests.support.rawhttp import RawConnection, post, request
from tests.support.server import ServerProcess
from worker.body import MAX_BODIES, MAX_BODY

pytestmark = pytest.mark.server

KIB = 1024
EIGHT_BOUND = 400 * KIB  # measured: 180 to 260 MiB over what an idle process has
MANY_BOUND = 480 * KIB  # measured: 230 to 360 MiB; without a bound more than 48 x 14 = 670
KEPT_BOUND = 80 * KIB  # measured: 0 to 30 MiB; without mallopt 200 and more


def bodies_of(size: int, number: int) -> Iterator[bytes]:
    """Wrapped pushes of nearly that size, most of it in their descriptions."""
    text = "x" * (size * 3 // 4 - 1000)
    body = json.dumps(wrapped({"feature": "smoke_test", "description": text}, message_id="ID"))
    assert size - 2000 < len(body) < size
    return (body.replace('"ID"', f'"{new_id()}"').encode() for _ in range(number))


def pushed(server: ServerProcess, number: int, size: int) -> tuple[Counter[int], int]:
    """How that many pushes at once were answered, and what the process took at its peak in KiB."""
    bodies = list(bodies_of(size, number))
    process = serving_process(server)
    with PeakMemory(process) as memory, ThreadPoolExecutor(number) as pool:
        answers = list(pool.map(lambda body: post(server.port, body, [JSON]).status, bodies))
    return Counter(answers), memory.grown


def test_eight_bodies_of_14_mb_at_once_are_done_in_bounded_memory(trusting: ServerProcess) -> None:
    before = status_of(serving_process(trusting), "VmRSS")
    for _ in range(2):
        answers, grown = pushed(trusting, 8, 14_000_000)
        assert answers == {200: 8}
        assert grown < EIGHT_BOUND
    assert status_of(serving_process(trusting), "VmRSS") - before < KEPT_BOUND


def test_of_many_at_once_those_that_have_no_room_are_nacked(trusting: ServerProcess) -> None:
    answers, grown = pushed(trusting, 24, 14_000_000)
    assert set(answers) <= {200, 429}
    assert answers[200] >= MAX_BODIES // MAX_BODY
    assert grown < MANY_BOUND
    assert pushed(trusting, 8, 14_000_000)[0] == {200: 8}  # all room was given back


def test_bodies_that_stop_before_their_end_take_no_more_than_there_is_room_for(
    trusting: ServerProcess,
) -> None:
    head = request("POST", "/", [("Content-Length", str(MAX_BODY))], None)
    rest = b"x" * (MAX_BODY - 1)
    with PeakMemory(serving_process(trusting)) as memory, ExitStack() as stack:
        links = [stack.enter_context(RawConnection(trusting.port)) for _ in range(48)]
        for link in links:
            link.send(head + rest)
        # Small bodies always have room, whatever the large ones take.
        small = json.dumps(wrapped(message_id=new_id())).encode()
        assert post(trusting.port, small, [JSON]).status == 200
        assert links[-1].answer().status == 429
    assert memory.grown < MANY_BOUND
