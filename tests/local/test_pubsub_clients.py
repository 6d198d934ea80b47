"""Google's own client libraries, and the gRPC services that they talk to."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest
from flask import Flask
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.exceptions import (  # type: ignore[import-untyped]  # same
    AcknowledgeError,
    AcknowledgeStatus,
)
from google.iam.v1 import (  # type: ignore[import-untyped]  # ships no types
    iam_policy_pb2,
    policy_pb2,
)

from tests.local.pubsub_support import (
    DEAD_LETTERS,
    SUBSCRIPTION,
    TOPIC,
    make_topics,
    opened,
    send,
    subscribe,
)
from worker.local.clock import Clock
from worker.local.pubsub import protos
from worker.local.pubsub import pulling as pulling_module
from worker.local.pubsub.rest import blueprint
from worker.local.pubsub.rpc import rpc_handlers
from worker.local.pubsub.service import PubSub
from worker.local.rpc import RpcServer
from worker.local.web import WebServer

SECONDS = 30.0


class Cloud(NamedTuple):
    pubsub: PubSub
    web_port: int
    rpc_port: int


@contextmanager
def served(folder: Path) -> Iterator[Cloud]:
    with opened(folder, Clock()) as pubsub:
        make_topics(pubsub)
        rpc = RpcServer(rpc_handlers(pubsub), 0)
        app = Flask("test", static_folder=None)
        app.register_blueprint(blueprint(pubsub))
        web = WebServer(app, 0, rpc.port)
        rpc.start()
        web.start()
        try:
            yield Cloud(pubsub, web.port, rpc.port)
        finally:
            pubsub.let_go()
            web.stop()
            rpc.stop()


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with served(tmp_path) as cloud:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{cloud.rpc_port}")
        yield cloud


@pytest.fixture
def publisher(cloud: Cloud) -> Iterator[Any]:
    with pubsub_v1.PublisherClient() as client:
        yield client


@pytest.fixture
def subscriber(cloud: Cloud) -> Iterator[Any]:
    with pubsub_v1.SubscriberClient() as client:
        yield client


@pytest.mark.parametrize("port", ["web_port", "rpc_port"])
def test_the_client_library_finds_pubsub_at_either_port(
    cloud: Cloud, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{getattr(cloud, port)}")
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC)
        message_id = publisher.publish(TOPIC, b"\xff\x00", color="red").result(SECONDS)
        (received,) = subscriber.pull(subscription=SUBSCRIPTION, max_messages=5).received_messages
        subscriber.acknowledge(subscription=SUBSCRIPTION, ack_ids=[received.ack_id])

    assert received.message.message_id == message_id
    assert received.message.data == b"\xff\x00"
    assert received.message.attributes == {"color": "red"}
    assert cloud.pubsub.backlog()[SUBSCRIPTION] == 0


def test_a_streaming_pull_gets_and_acks_what_is_published(
    cloud: Cloud, publisher: Any, subscriber: Any
) -> None:
    subscribe(cloud.pubsub)
    got: queue.Queue[bytes] = queue.Queue()

    def callback(message: Any) -> None:
        message.ack()
        got.put(message.data)

    future = subscriber.subscribe(SUBSCRIPTION, callback)
    for number in range(20):
        publisher.publish(TOPIC, b"%d" % number)
    seen = {got.get(timeout=SECONDS) for _ in range(20)}
    with cloud.pubsub.changed:
        done = cloud.pubsub.changed.wait_for(
            lambda: cloud.pubsub.backlog()[SUBSCRIPTION] == 0, SECONDS
        )
    future.cancel()
    future.result(SECONDS)

    assert seen == {b"%d" % number for number in range(20)}
    assert done


def test_a_streaming_pull_keeps_the_order_of_a_key(cloud: Cloud, subscriber: Any) -> None:
    subscribe(cloud.pubsub, enable_message_ordering=True)
    send(cloud.pubsub, *map(str, range(10)), key="k")
    got: queue.Queue[str] = queue.Queue()

    def callback(message: Any) -> None:
        got.put(message.data.decode())
        message.ack()

    future = subscriber.subscribe(SUBSCRIPTION, callback)
    seen = [got.get(timeout=SECONDS) for _ in range(10)]
    future.cancel()
    future.result(SECONDS)

    assert seen == [str(number) for number in range(10)]


def test_errors_reach_the_client_library_as_its_exceptions(
    cloud: Cloud, publisher: Any, subscriber: Any
) -> None:
    with pytest.raises(exceptions.NotFound, match=r"Resource not found \(resource=missing\)\."):
        publisher.get_topic(topic="projects/demo/topics/missing")
    with pytest.raises(exceptions.AlreadyExists, match="Resource already exists in the project"):
        publisher.create_topic(name=TOPIC)
    with pytest.raises(exceptions.InvalidArgument, match="Invalid ack deadline"):
        subscriber.create_subscription(
            request={"name": SUBSCRIPTION, "topic": TOPIC, "ack_deadline_seconds": 9}
        )


def test_lists_are_paged(cloud: Cloud, publisher: Any) -> None:
    for number in range(5):
        publisher.create_topic(name=f"projects/paged/topics/topic-{number}")

    pages = publisher.list_topics(request={"project": "projects/paged", "page_size": 2}).pages

    names = [[topic.name[-1] for topic in page.topics] for page in pages]
    assert names == [["0", "1"], ["2", "3"], ["4"]]


def test_a_policy_is_kept(cloud: Cloud, publisher: Any) -> None:
    binding = policy_pb2.Binding(role="roles/pubsub.publisher", members=["user:a@example.com"])
    policy = policy_pb2.Policy(bindings=[binding])
    kept = publisher.set_iam_policy(request={"resource": TOPIC, "policy": policy})

    assert publisher.get_iam_policy(request={"resource": TOPIC}) == kept
    assert list(kept.bindings) == [binding]
    asked = iam_policy_pb2.TestIamPermissionsRequest(
        resource=TOPIC, permissions=["pubsub.topics.publish"]
    )
    answer = publisher.test_iam_permissions(request=asked)
    assert list(answer.permissions) == ["pubsub.topics.publish"]


def test_the_client_library_learns_that_an_ack_came_too_late(cloud: Cloud, subscriber: Any) -> None:
    subscribe(cloud.pubsub, enable_exactly_once_delivery=True)
    answers: queue.Queue[Any] = queue.Queue()

    def callback(message: Any) -> None:
        if message.data == b"late":
            cloud.pubsub.settle(SUBSCRIPTION, [message.ack_id])
        answers.put(message.ack_with_response())

    future = subscriber.subscribe(SUBSCRIPTION, callback)
    send(cloud.pubsub, "in time")
    assert answers.get(timeout=SECONDS).result(SECONDS) is AcknowledgeStatus.SUCCESS
    send(cloud.pubsub, "late")
    with pytest.raises(AcknowledgeError) as caught:
        answers.get(timeout=SECONDS).result(SECONDS)
    future.cancel()
    future.result(SECONDS)

    assert caught.value.error_code is AcknowledgeStatus.INVALID_ACK_ID


class Stream:
    """A streaming pull by hand: the protocol, without what the library makes of it."""

    def __init__(self, cloud: Cloud, **first: Any) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{cloud.rpc_port}")
        self._requests: queue.Queue[Any] = queue.Queue()
        self.send(subscription=SUBSCRIPTION, **{"stream_ack_deadline_seconds": 10, **first})
        self._call = self._channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=protos.StreamingPullRequest.SerializeToString,
            response_deserializer=protos.StreamingPullResponse.FromString,
        )(iter(self._requests.get, None), timeout=SECONDS)

    def send(self, **request: Any) -> None:
        self._requests.put(protos.StreamingPullRequest(**request))

    def next(self) -> Any:
        return next(self._call)

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._channel.close()


@contextmanager
def stream(cloud: Cloud, **first: Any) -> Iterator[Stream]:
    opened_stream = Stream(cloud, **first)
    try:
        yield opened_stream
    finally:
        opened_stream.close()


def test_a_stream_begins_with_the_properties_of_the_subscription(cloud: Cloud) -> None:
    subscribe(cloud.pubsub, enable_message_ordering=True)
    with stream(cloud) as pulled:
        properties = pulled.next().subscription_properties

    assert properties.message_ordering_enabled
    assert not properties.exactly_once_delivery_enabled


def test_a_stream_gets_no_more_than_its_client_can_bear(cloud: Cloud) -> None:
    subscribe(cloud.pubsub)
    send(cloud.pubsub, "1", "2", "3")
    with stream(cloud, max_outstanding_messages=2) as pulled:
        pulled.next()
        first = pulled.next().received_messages
        assert [one.message.data for one in first] == [b"1", b"2"]
        # An ack by another call makes room as well: so do the client libraries.
        cloud.pubsub.ack(SUBSCRIPTION, [first[0].ack_id])
        assert [one.message.data for one in pulled.next().received_messages] == [b"3"]


def test_a_stream_gets_no_more_bytes_than_its_client_can_bear(cloud: Cloud) -> None:
    subscribe(cloud.pubsub)
    send(cloud.pubsub, "x" * 100)
    with stream(cloud, max_outstanding_bytes=50, protocol_version=1) as pulled:
        pulled.next()
        (large,) = pulled.next().received_messages
        send(cloud.pubsub, "later")
        pulled.send()  # of this version, a request without anything in it is answered so
        assert not pulled.next().received_messages
        cloud.pubsub.ack(SUBSCRIPTION, [large.ack_id])
        assert [one.message.data for one in pulled.next().received_messages] == [b"later"]


def test_a_lease_that_has_ended_makes_room_on_the_stream(cloud: Cloud) -> None:
    subscribe(cloud.pubsub)
    send(cloud.pubsub, "one")
    with stream(cloud, max_outstanding_messages=1) as pulled:
        pulled.next()
        pulled.next()
        cloud.pubsub.clock.advance(10)
        assert [one.message.data for one in pulled.next().received_messages] == [b"one"]


def test_a_nack_on_the_stream_brings_the_message_again(cloud: Cloud) -> None:
    subscribe(cloud.pubsub, dead_letter_policy=DEAD_LETTERS)
    send(cloud.pubsub, "one")
    with stream(cloud) as pulled:
        pulled.next()
        (first,) = pulled.next().received_messages
        pulled.send(modify_deadline_ack_ids=[first.ack_id], modify_deadline_seconds=[0])
        (second,) = pulled.next().received_messages

    assert [first.delivery_attempt, second.delivery_attempt] == [1, 2]


def test_an_exactly_once_stream_confirms_acks_and_names_those_that_came_late(cloud: Cloud) -> None:
    subscribe(cloud.pubsub, enable_exactly_once_delivery=True)
    send(cloud.pubsub, "one")
    with stream(cloud) as pulled:
        pulled.next()
        (first,) = pulled.next().received_messages
        pulled.send(ack_ids=[first.ack_id])
        assert list(pulled.next().acknowledge_confirmation.ack_ids) == [first.ack_id]
        pulled.send(ack_ids=[first.ack_id])
        late = pulled.next().acknowledge_confirmation
        assert (list(late.ack_ids), list(late.invalid_ack_ids)) == ([], [first.ack_id])


def test_a_stream_ends_when_its_subscription_is_deleted(cloud: Cloud) -> None:
    subscribe(cloud.pubsub)
    with stream(cloud) as pulled:
        pulled.next()
        cloud.pubsub.delete_subscription(
            protos.DeleteSubscriptionRequest(subscription=SUBSCRIPTION)
        )
        with pytest.raises(grpc.RpcError) as caught:
            pulled.next()

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"subscription": "projects/demo/subscriptions/missing"}, grpc.StatusCode.NOT_FOUND),
        ({"stream_ack_deadline_seconds": 5}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"modify_deadline_seconds": [5]}, grpc.StatusCode.INVALID_ARGUMENT),
        ({"ack_ids": ["nonsense"]}, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_a_stream_that_begins_wrongly_is_refused(
    cloud: Cloud, first: dict[str, Any], code: grpc.StatusCode
) -> None:
    subscribe(cloud.pubsub)
    first = {"subscription": SUBSCRIPTION, "stream_ack_deadline_seconds": 10} | first
    with grpc.insecure_channel(f"127.0.0.1:{cloud.rpc_port}") as channel:
        call = channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=protos.StreamingPullRequest.SerializeToString,
            response_deserializer=protos.StreamingPullResponse.FromString,
        )(iter([protos.StreamingPullRequest(**first)]), timeout=SECONDS)
        with pytest.raises(grpc.RpcError) as caught:
            list(call)

    assert caught.value.code() is code


def test_a_pull_waits_for_a_message(cloud: Cloud, subscriber: Any) -> None:
    subscribe(cloud.pubsub)
    waits = threading.Event()
    wait = cloud.pubsub.clock.wait

    def noticed(condition: threading.Condition, seconds: float | None) -> None:
        waits.set()
        wait(condition, seconds)

    cloud.pubsub.clock.wait = noticed  # type: ignore[method-assign]
    got: list[bytes] = []

    def pull() -> None:
        answer = subscriber.pull(subscription=SUBSCRIPTION, max_messages=5)
        got.extend(one.message.data for one in answer.received_messages)

    pulling = threading.Thread(target=pull)
    pulling.start()
    assert waits.wait(SECONDS)
    send(cloud.pubsub, "one")
    pulling.join()

    assert got == [b"one"]


def test_a_pull_that_waits_ends_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling_module, "_WAIT_SECONDS", 1_000.0)
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        subscribe(pubsub)
        answers: list[Any] = []
        request = protos.PullRequest(subscription=SUBSCRIPTION, max_messages=1)
        pulling = threading.Thread(target=lambda: answers.append(pubsub.pull(request)))
        pulling.start()
        pubsub.let_go()
        pulling.join()

    assert not answers[0].received_messages
