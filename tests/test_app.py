"""The routes beside pushes: what a smoke test that does not pass is answered."""

import json
from typing import Any

import pytest

from tests.support.inprocess import make_worker
from worker import Context, Reject, Requirements, Retry, feature
from worker.app import create_site
from worker.feature import Feature
from worker.http1 import Request
from worker.pipeline import Worker


def ask(worker: Worker, path: str) -> tuple[int, dict[str, str]]:
    answer = create_site(worker)(Request("GET", path, (), b"", keep_alive=True))
    return answer.status, json.loads(answer.body)


class Needy(Requirements):
    needed: int


@feature("smoke_test")
def rejects(context: Context) -> None:
    raise Reject("it can never pass")


@feature("smoke_test")
def asks_again(context: Context) -> None:
    raise Retry("not yet")


@feature("smoke_test")
def wants_more(want: Needy, context: Context) -> None: ...


@pytest.mark.parametrize("path", ["/smoke-test/", "/api/v1/health/smoke-test"])
@pytest.mark.parametrize(
    ("smoke_test", "status", "message"),
    [
        (rejects, 500, "it can never pass"),
        (asks_again, 503, "not yet"),
        (wants_more, 500, "bad payload: requirements.needed: missing"),
    ],
)
def test_a_smoke_test_that_does_not_pass_is_no_success(
    path: str, smoke_test: Feature[Any], status: int, message: str
) -> None:
    assert ask(make_worker(smoke_test), path) == (status, {"status": "error", "message": message})


def test_without_a_handler_of_it_the_smoke_test_is_not_found() -> None:
    status, body = ask(make_worker(), "/smoke-test/")

    assert (status, body["status"]) == (404, "error")
    assert body["message"].startswith("no handler is registered for smoke_test")
