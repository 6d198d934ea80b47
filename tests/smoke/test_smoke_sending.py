"""The message on its way: whose token, for which audience, and when it is sent once more."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.smoke.planted import ACCOUNT, BY_URL, DEPLOYMENT, TAGGED, URL, answer
from tests.support.standin import Call, Reply, StandIn, unused_address
from worker.client.deliver import Answer, Unreachable
from worker.client.forms import Request
from worker.project.project import Project
from worker.rest import CallFailed
from worker.smoke import sending
from worker.smoke.question import Content, Question, Sent, Time

SERVICE = f"/v2/{DEPLOYMENT.service_name}"
TOKEN = f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateIdToken"


class Front:
    """Stands in for whatever is at the url: gives these answers, the last for ever."""

    def __init__(self, *answers: Answer | Unreachable) -> None:
        self.answers = list(answers)
        self.pushes: list[tuple[str, bytes, str, float]] = []

    def __call__(self, url: str, request: Request, token: str, seconds: float) -> Answer:
        self.pushes.append((url, request.body, token, seconds))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(said, Unreachable):
            raise said
        return said


class Google(StandIn):
    """Cloud Run, and IAM Credentials."""

    def __init__(self) -> None:
        self.service: Reply = Reply.json({"uri": URL})
        super().__init__(self._reply)

    def _reply(self, call: Call) -> Reply:
        if call.path == SERVICE:
            return self.service
        return Reply.json({"token": f"token for {call.json()['audience']}"})

    def audiences(self) -> list[str]:
        return [call.json()["audience"] for call in self.calls if call.path == TOKEN]


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    with Google() as there:
        for name in ("RUN", "IAMCREDENTIALS"):
            monkeypatch.setenv(f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}", f"{there.url}/")
        yield there


Push = Callable[..., tuple[Sent, list[float]]]


@pytest.fixture
def push(google: Google, monkeypatch: pytest.MonkeyPatch) -> Push:
    """Push to a front: what was sent, and the pauses."""

    def pushed(front: Front, question: Question = BY_URL) -> tuple[Sent, list[float]]:
        slept: list[float] = []
        monkeypatch.setattr(sending, "deliver", front)
        project = Project(DEPLOYMENT.project)
        return sending.push(question, Content("n-1"), project, Time(sleep=slept.append)), slept

    return pushed


DONE = answer(200, "done")


def test_it_is_pushed_as_the_subscription_would(push: Push) -> None:
    front = Front(DONE)
    sent, _ = push(front)
    ((url, body, token, seconds),) = front.pushes
    assert (url, token, seconds) == (f"{TAGGED}/", f"token for {URL}", 90.0)
    assert b'"subscription": "projects/demo-project/subscriptions/feature-worker"' in body
    assert (sent.message_id, sent.answer, sent.taken) == ("n-1", DONE, True)
    assert b'"messageId": "n-1"' in body


@pytest.mark.parametrize(
    ("changes", "service", "audience"),
    [
        ({}, Reply.json({"uri": URL}), URL),
        ({"audience": "mine"}, Reply.json({"uri": URL}), "mine"),
        ({}, Reply.error(403, "no leave"), TAGGED),
        ({}, Reply.error(404, "no service"), TAGGED),
        ({}, Reply.json({}), TAGGED),
    ],
)
def test_the_audience_is_the_one_given_else_the_services_else_that_of_the_url(
    push: Push, google: Google, changes: dict[str, Any], service: Reply, audience: str
) -> None:
    google.service = service
    push(Front(DONE), replace(BY_URL, **changes))
    assert google.audiences() == [audience]


def test_on_this_machine_no_token_is_made_unless_an_audience_is_given(
    push: Push, google: Google
) -> None:
    here = replace(BY_URL, url=f"http://{unused_address()}")
    front = Front(DONE)
    push(front, here)
    push(front, replace(here, audience="mine"))
    assert [token for _, _, token, _ in front.pushes] == ["", "token for mine"]


@pytest.mark.parametrize("status", [403, 404, 429, 502, 503])
def test_what_a_front_end_says_while_news_travel_is_asked_again(push: Push, status: int) -> None:
    sent, slept = push(Front(answer(status), DONE))
    assert (sent.answer, slept) == (DONE, [1.0])


def test_nobody_there_is_asked_again_and_then_told(push: Push) -> None:
    sent, slept = push(Front(Unreachable("no such name")))
    assert (sent.answer, sent.unreachable, sent.taken) == (None, "no such name", False)
    assert slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("said", [answer(503, "retry"), answer(401), answer(500), DONE])
def test_what_the_worker_says_or_will_not_change_is_the_answer(push: Push, said: Answer) -> None:
    assert push(Front(said))[1] == []


def test_it_never_waits_for_most_of_the_time(push: Push) -> None:
    assert push(Front(answer(403)), replace(BY_URL, wait_seconds=8.0))[1] == [1.0, 2.0]


def test_nothing_travels_on_this_machine(push: Push) -> None:
    here = replace(BY_URL, url=f"http://{unused_address()}")
    assert push(Front(Unreachable("nobody")), here)[1] == []


def test_the_answer_has_as_long_as_pubsub_gives_it(push: Push) -> None:
    front = Front(DONE)
    push(front, replace(BY_URL, wait_seconds=0.0))
    assert front.pushes[0][3] == 10.0


@pytest.mark.parametrize(
    ("said", "taken"),
    [(DONE, True), (answer(200), True), (answer(500, "crashed"), True), (answer(503), False)],
)
def test_an_entry_is_worth_waiting_for_where_a_worker_answered(said: Answer, taken: bool) -> None:
    sent = Sent("n-1", "n-1", Time().now(), Time().now(), answer=said)
    assert sent.taken is taken


def test_without_leave_to_make_a_token_nothing_is_pushed(push: Push, google: Google) -> None:
    google.answer = lambda call: Reply.error(403, "denied")
    front = Front(DONE)
    with pytest.raises(CallFailed, match="no token of feature-worker-push@"):
        push(front)
    assert front.pushes == []
