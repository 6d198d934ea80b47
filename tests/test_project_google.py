"""Calls to a project's APIs: what is missing, lists of many pages, operations that take time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from google.auth.credentials import AnonymousCredentials

from tests.support.standin import Answer, Call, Reply, StandIn
from worker.project.apis import IAM, RUN
from worker.project.google import Google
from worker.rest import CallFailed

Standing = Callable[[Answer], StandIn]


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """A stand-in for IAM that answers so; it is begun by the test's `with`."""

    def make(answer: Answer) -> StandIn:
        service = StandIn(answer)
        monkeypatch.setenv(IAM.override, f"{service.url}/")
        return service

    return make


def _unslept(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s")


def test_what_is_not_there_is_none(standing: Standing) -> None:
    with standing(lambda _call: Reply.error(404, "no such account")) as service:
        assert Google().get(IAM, "v1/projects/p/serviceAccounts/a") is None
    assert [call.path for call in service.calls] == ["/v1/projects/p/serviceAccounts/a"]


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_any_other_refusal_is_one(standing: Standing, status: int) -> None:
    with (
        standing(lambda _call: Reply.error(status, "no")),
        pytest.raises(CallFailed, match=f"IAM answered {status}: no") as failed,
    ):
        Google().get(IAM, "v1/x")
    assert failed.value.status == status


@pytest.mark.parametrize("answer", [[], "x", 1, None])
def test_an_answer_that_is_no_resource_is_a_failure(standing: Standing, answer: Any) -> None:
    with standing(lambda _call: Reply.json(answer)), pytest.raises(CallFailed, match="no resource"):
        Google().call(IAM, "GET", "v1/x")


def test_the_body_is_sent(standing: Standing) -> None:
    with standing(lambda call: Reply.json({"got": call.json()})):
        assert Google().call(IAM, "POST", "v1/x", {"a": 1}) == {"got": {"a": 1}}


@pytest.mark.parametrize("path", ["v1/accounts", "v1/accounts?pageSize=2"])
def test_a_list_has_the_items_of_all_its_pages(standing: Standing, path: str) -> None:
    pages: dict[str, dict[str, Any]] = {
        "": {"accounts": [{"n": 1}, {"n": 2}], "nextPageToken": "a+b/c=&d"},
        "a+b/c=&d": {"nextPageToken": "last"},
        "last": {"accounts": [{"n": 3}]},
    }

    def answer(call: Call) -> Reply:
        query = parse_qs(urlsplit(call.path).query)
        assert ("pageSize" in query) == ("pageSize" in path)
        return Reply.json(pages[query.get("pageToken", [""])[0]])

    with standing(answer):
        assert Google().pages(IAM, path, "accounts") == [{"n": 1}, {"n": 2}, {"n": 3}]


def test_an_empty_list_is_one(standing: Standing) -> None:
    with standing(lambda _call: Reply.json({})):
        assert Google().pages(IAM, "v1/accounts", "accounts") == []


def test_an_operation_that_is_done_is_not_waited_for() -> None:
    google = Google(sleep=_unslept)
    assert google.wait(IAM, "v1", {"name": "operations/1", "done": True, "response": {"a": 1}}) == {
        "a": 1
    }
    assert google.wait(IAM, "v1", {"name": "operations/1", "done": True}) == {}


def test_an_operation_is_looked_at_until_it_is_done(standing: Standing) -> None:
    looks = iter(
        [{"name": "operations/1"}, {"name": "operations/1", "done": True, "response": {"a": 1}}]
    )
    slept: list[float] = []

    with standing(lambda _call: Reply.json(next(looks))) as service:
        assert Google(slept.append).wait(IAM, "v1beta1", {"name": "operations/1"}) == {"a": 1}

    assert [call.path for call in service.calls] == ["/v1beta1/operations/1"] * 2
    assert slept == [1.0, 1.0]


def test_an_operation_that_failed_says_why() -> None:
    operation = {"name": "operations/1", "done": True, "error": {"code": 7, "message": "no quota"}}
    with pytest.raises(CallFailed, match="Cloud Run could not: no quota"):
        Google(sleep=_unslept).wait(RUN, "v2", operation)


def test_an_operation_that_never_ends_is_given_up(standing: Standing) -> None:
    slept: list[float] = []
    with (
        standing(lambda _call: Reply.json({"name": "operations/1"})),
        pytest.raises(CallFailed, match="IAM goes on with operations/1: try later"),
    ):
        Google(slept.append).wait(IAM, "v1", {"name": "operations/1"})
    assert sum(slept) == 300


def test_threads_share_the_credentials_of_an_api(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[AnonymousCredentials] = []

    def find() -> AnonymousCredentials:
        asked.append(AnonymousCredentials())
        return asked[-1]

    monkeypatch.setattr("worker.project.google.find_credentials", find)
    with StandIn(lambda _call: Reply.json({})) as service:
        api = IAM.__class__("X", service.url)
        google = Google()
        google.call(api, "GET", "v1/x")
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: google.call(api, "GET", "v1/x"), range(8)))
    assert len(asked) == 1
