"""Publisher against a stand-in for Pub/Sub's REST API."""

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.standin import Reply, StandIn, talks, unused_address
from worker import pubsub
from worker.message import PubsubMessage
from worker.pubsub import PUBSUB, Publisher, PublishFailed

TOPIC = "projects/demo-project/topics/worker"
PUBLISHED = Reply.json({"messageIds": ["4711"]})
HOST_VARIABLE = "PUBSUB_EMULATOR_HOST"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn(lambda _call: PUBLISHED) as running:
        monkeypatch.setenv(HOST_VARIABLE, running.address)
        yield running


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    made = Publisher()
    yield made
    if hasattr(made._api._sessions, "session"):
        made._api._sessions.session.close()


def failure(publisher: Publisher, message: PubsubMessage | None = None) -> str:
    with pytest.raises(PublishFailed) as failed:
        publisher.publish(TOPIC, message or PubsubMessage(b"SECRET", {"a": "SECRET"}))
    said = str(failed.value)
    assert "SECRET" not in said
    assert "\n" not in said
    return said


def test_a_message_is_published_and_its_id_returned(service: StandIn, publisher: Publisher) -> None:
    message = PubsubMessage(b"\xff\x00data", {"name": "Zoë"}, "key")

    assert publisher.publish(TOPIC, message) == "4711"

    (call,) = service.calls
    assert (call.method, call.path) == ("POST", f"/v1/{TOPIC}:publish")
    (sent,) = call.json()["messages"]
    assert base64.b64decode(sent["data"]) == b"\xff\x00data"
    assert sent["attributes"] == {"name": "Zoë"}
    assert sent["orderingKey"] == "key"


def test_a_message_without_ordering_key_has_no_such_field(
    service: StandIn, publisher: Publisher
) -> None:
    publisher.publish(TOPIC, PubsubMessage(b"x"))

    assert "orderingKey" not in service.calls[0].json()["messages"][0]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "User not authorized to perform this action."),
        (404, "Resource not found (resource=worker)."),
        (429, "Quota exceeded"),
        (503, "unavailable"),
    ],
)
def test_what_pubsub_says_is_passed_on(
    service: StandIn, publisher: Publisher, status: int, said: str
) -> None:
    service.answer = lambda _call: Reply.error(status, said)

    assert failure(publisher) == f"Pub/Sub answered {status}: {said}"


@pytest.mark.parametrize(
    "body", [b"", b"<html>\n</html>", b"[]", b"null", b'{"error": "no"}', b'{"error": {}}', b"\xff"]
)
def test_a_refusal_that_is_not_googles_is_a_refusal_all_the_same(
    service: StandIn, publisher: Publisher, body: bytes
) -> None:
    service.answer = lambda _call: Reply(502, body)

    assert failure(publisher).startswith("Pub/Sub answered 502")


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"{}", b"[]", b"null", b'{"messageIds": []}', b'{"messageIds": null}'],
)
def test_an_answer_without_a_message_id_confirms_nothing(
    service: StandIn, publisher: Publisher, body: bytes
) -> None:
    service.answer = lambda _call: Reply(200, body)

    failure(publisher)


def test_nobody_listening_is_a_failure_that_names_the_address(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = unused_address()
    monkeypatch.setenv(HOST_VARIABLE, address)

    assert failure(publisher) == f"http://{address} cannot be used: ConnectionError"


def test_an_answer_that_does_not_come_is_a_failure(
    service: StandIn, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pubsub._TIMEOUT_SECONDS <= 5  # part of what a push may take
    monkeypatch.setattr(pubsub, "_TIMEOUT_SECONDS", 0.2)
    service.answer = lambda _call: Reply(hang=True)

    assert "Timeout" in failure(publisher)


def test_a_connection_that_is_cut_is_a_failure(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    with talks(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{") as address:
        monkeypatch.setenv(HOST_VARIABLE, address)
        failure(publisher)


def test_without_credentials_the_failure_says_what_to_do(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(HOST_VARIABLE, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(PublishFailed, match="gcloud auth application-default login"):
        publisher.publish(TOPIC, PubsubMessage(b"x"))


def test_threads_share_a_publisher(service: StandIn, publisher: Publisher) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: publisher.publish(TOPIC, PubsubMessage(b"x")), range(40)))

    assert ids == {"4711"}
    assert len(service.calls) == 40


def test_the_service_is_googles_without_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOST_VARIABLE, raising=False)

    assert PUBSUB.endpoint() == "https://pubsub.googleapis.com"
