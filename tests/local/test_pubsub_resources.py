"""Topics, subscriptions, what may be published, and the documented limits of all of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.pubsub_support import (
    DEAD_LETTERS,
    DEAD_TOPIC,
    SUBSCRIPTION,
    TOPIC,
    lease,
    make_topics,
    opened,
    send,
    subscribe,
    texts,
)
from worker.local.errors import ApiError, Code
from worker.local.pubsub import protos
from worker.local.pubsub.names import DELETED_TOPIC
from worker.local.pubsub.service import PubSub
from worker.message import PubsubMessage


@pytest.fixture
def pubsub(tmp_path: Path) -> Iterator[PubSub]:
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        yield pubsub


def refusal(code: Code, call: Any, *arguments: Any, **settings: Any) -> str:
    with pytest.raises(ApiError) as caught:
        call(*arguments, **settings)
    assert caught.value.code is code
    return str(caught.value)


@pytest.mark.parametrize("name", ["abc", "a" * 255, "A-._~+%9", "GOOG", "x-goog"])
def test_a_name_by_the_rules_is_taken(pubsub: PubSub, name: str) -> None:
    pubsub.create_topic(protos.Topic(name=f"projects/demo/topics/{name}"))


@pytest.mark.parametrize(
    "name",
    [
        "projects/demo/topics/ab",
        f"projects/demo/topics/{'a' * 256}",
        "projects/demo/topics/1abc",
        "projects/demo/topics/googabc",
        "projects/demo/topics/a b",
        "projects/demo/topics/übc",
        "projects/demo/topics/abc\n",
        "projects/demo/subscriptions/abc",
        "projects//topics/abc",
        "abc",
        "",
    ],
)
def test_a_name_against_the_rules_is_refused(pubsub: PubSub, name: str) -> None:
    message = refusal(Code.INVALID_ARGUMENT, pubsub.create_topic, protos.Topic(name=name))

    assert message.startswith(f"Invalid resource name given (name={name}). Refer to https://")


def test_what_is_there_cannot_be_created_again(pubsub: PubSub) -> None:
    subscribe(pubsub)

    assert refusal(Code.ALREADY_EXISTS, subscribe, pubsub) == (
        "Resource already exists in the project (resource=feature-worker)."
    )
    assert refusal(Code.ALREADY_EXISTS, pubsub.create_topic, protos.Topic(name=TOPIC)) == (
        "Resource already exists in the project (resource=features)."
    )


@pytest.mark.parametrize(
    ("call", "request_message"),
    [
        ("get_topic", protos.GetTopicRequest(topic="projects/demo/topics/missing")),
        ("delete_topic", protos.DeleteTopicRequest(topic="projects/demo/topics/missing")),
        (
            "list_topic_subscriptions",
            protos.ListTopicSubscriptionsRequest(topic="projects/demo/topics/missing"),
        ),
        (
            "publish",
            protos.PublishRequest(topic="projects/demo/topics/missing", messages=[{"data": b"x"}]),
        ),
        (
            "update_topic",
            protos.UpdateTopicRequest(
                topic={"name": "projects/demo/topics/missing"}, update_mask={"paths": ["labels"]}
            ),
        ),
        ("get_subscription", protos.GetSubscriptionRequest(subscription="missing")),
        ("delete_subscription", protos.DeleteSubscriptionRequest(subscription="missing")),
        ("detach_subscription", protos.DetachSubscriptionRequest(subscription="missing")),
        ("modify_push_config", protos.ModifyPushConfigRequest(subscription="missing")),
        ("pull", protos.PullRequest(subscription="missing", max_messages=1)),
        ("acknowledge", protos.AcknowledgeRequest(subscription="missing", ack_ids=["a"])),
        ("seek", protos.SeekRequest(subscription="missing")),
        ("create_snapshot", protos.CreateSnapshotRequest(subscription="missing")),
        ("get_snapshot", protos.GetSnapshotRequest(snapshot="missing")),
        ("delete_snapshot", protos.DeleteSnapshotRequest(snapshot="missing")),
    ],
)
def test_what_is_missing_is_named(pubsub: PubSub, call: str, request_message: Any) -> None:
    message = refusal(Code.NOT_FOUND, getattr(pubsub, call), request_message)

    assert message == "Resource not found (resource=missing)."


def test_the_topics_of_a_subscription_must_be_there(pubsub: PubSub) -> None:
    missing = "projects/demo/topics/missing"

    assert "(resource=missing)" in refusal(Code.NOT_FOUND, subscribe, pubsub, topic=missing)
    policy = {"dead_letter_topic": missing}
    message = refusal(Code.NOT_FOUND, subscribe, pubsub, dead_letter_policy=policy)
    assert "(resource=missing)" in message


def push(url: str, **settings: Any) -> dict[str, Any]:
    return {"push_config": {"push_endpoint": url, **settings}}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"ack_deadline_seconds": 9}, "between 10 and 600 seconds"),
    ({"ack_deadline_seconds": 601}, "between 10 and 600 seconds"),
    ({"ack_deadline_seconds": -1}, "between 10 and 600 seconds"),
    ({"message_retention_duration": protos.duration(599)}, "between 600 and 2678400 seconds"),
    ({"message_retention_duration": protos.duration(2678401)}, "between 600 and 2678400"),
    (
        {"expiration_policy": {"ttl": protos.duration(86399)}},
        "Invalid ttl given: the value must be between 86400",
    ),
    ({"retry_policy": {"minimum_backoff": protos.duration(601)}}, "between 0 and 600 seconds"),
    (
        {
            "retry_policy": {
                "minimum_backoff": protos.duration(20),
                "maximum_backoff": protos.duration(19),
            }
        },
        "minimum_backoff exceeds maximum_backoff",
    ),
    ({"dead_letter_policy": {"dead_letter_topic": ""}}, "Invalid resource name given (name=)"),
    ({"dead_letter_policy": {**DEAD_LETTERS, "max_delivery_attempts": 4}}, "between 5 and 100"),
    ({"dead_letter_policy": {**DEAD_LETTERS, "max_delivery_attempts": 101}}, "between 5 and 100"),
    ({"filter": "nonsense"}, "Invalid filter given: unexpected 'nonsense' at position 1."),
    ({"labels": {"Upper": "x"}}, "Invalid label given (key=Upper)"),
    ({"labels": {f"l{number}": "" for number in range(65)}}, "more than 64"),
    (push("ftp://127.0.0.1/"), "Invalid push endpoint given"),
    (push("http://example.com/"), "want an https URL, or an http URL of this machine"),
    (push("http://127.0.0.1:65536/"), "Invalid push endpoint given"),
    (push("http://127.0.0.1:0/"), "Invalid push endpoint given"),
    (push("https://"), "Invalid push endpoint given"),
    (push("https://[::1/"), "Invalid push endpoint given"),
    (push("https://a b/"), "Invalid push endpoint given"),
    (push("https://example.com/", oidc_token={"audience": "x"}), "service_account_email must"),
    (
        {**push("https://example.com/"), "enable_exactly_once_delivery": True},
        "Exactly-once delivery is not supported for push subscriptions.",
    ),
]


@pytest.mark.parametrize(("wanted", "reason"), WRONG)
def test_settings_that_a_subscription_cannot_have_are_refused(
    pubsub: PubSub, wanted: dict[str, Any], reason: str
) -> None:
    assert reason in refusal(Code.INVALID_ARGUMENT, subscribe, pubsub, **wanted)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/push?x=1", "http://localhost/", "http://[::1]:1/", "https://a.b"]
)
def test_an_endpoint_is_https_or_on_this_machine(pubsub: PubSub, url: str) -> None:
    subscribe(pubsub, **push(url))

    assert [target.endpoint for target in pubsub.push_targets()] == [url]


@pytest.mark.parametrize(
    "wanted", [{"bigquery_config": {"table": "a.b.c"}}, {"message_transforms": [{}]}]
)
def test_what_the_laptop_cloud_lacks_is_refused_and_not_ignored(
    pubsub: PubSub, wanted: dict[str, Any]
) -> None:
    assert "leave the field out" in refusal(Code.UNIMPLEMENTED, subscribe, pubsub, **wanted)


def test_policies_are_completed_with_the_documented_defaults(pubsub: PubSub) -> None:
    made = subscribe(pubsub, retry_policy={}, dead_letter_policy={"dead_letter_topic": DEAD_TOPIC})

    assert made.retry_policy.minimum_backoff.seconds == 10
    assert made.retry_policy.maximum_backoff.seconds == 600
    assert made.dead_letter_policy.max_delivery_attempts == 5


def test_an_expiration_policy_without_a_ttl_means_never(pubsub: PubSub) -> None:
    assert not subscribe(pubsub, expiration_policy={}).expiration_policy.HasField("ttl")


def test_the_retention_of_a_topic_shows_in_its_subscriptions(pubsub: PubSub) -> None:
    topic = {"name": TOPIC, "message_retention_duration": protos.duration(600)}
    mask = {"paths": ["message_retention_duration"]}
    pubsub.update_topic(protos.UpdateTopicRequest(topic=topic, update_mask=mask))

    assert subscribe(pubsub).topic_message_retention_duration.seconds == 600
    topic["message_retention_duration"] = protos.duration(599)
    update = protos.UpdateTopicRequest(topic=topic, update_mask=mask)
    assert "between 600" in refusal(Code.INVALID_ARGUMENT, pubsub.update_topic, update)


def test_a_policy_is_taken_away_by_an_update_that_names_it_without_one(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    updated = pubsub.update_subscription(
        protos.UpdateSubscriptionRequest(
            subscription={"name": SUBSCRIPTION}, update_mask={"paths": ["dead_letter_policy"]}
        )
    )

    assert not updated.HasField("dead_letter_policy")


def test_an_update_cannot_name_a_dead_letter_topic_that_is_missing(pubsub: PubSub) -> None:
    subscribe(pubsub)
    policy = {"dead_letter_topic": "projects/demo/topics/missing"}
    request = protos.UpdateSubscriptionRequest(
        subscription={"name": SUBSCRIPTION, "dead_letter_policy": policy},
        update_mask={"paths": ["dead_letter_policy"]},
    )

    assert "(resource=missing)" in refusal(Code.NOT_FOUND, pubsub.update_subscription, request)


def test_what_only_the_service_may_say_is_not_taken_from_a_client(pubsub: PubSub) -> None:
    assert not subscribe(pubsub, detached=True).detached


def test_pushing_begins_and_ends_with_the_push_config(pubsub: PubSub) -> None:
    subscribe(pubsub)
    config = push("http://localhost:1/")["push_config"]
    begin = protos.ModifyPushConfigRequest(subscription=SUBSCRIPTION, push_config=config)
    pubsub.modify_push_config(begin)
    assert len(pubsub.push_targets()) == 1

    pubsub.modify_push_config(protos.ModifyPushConfigRequest(subscription=SUBSCRIPTION))
    assert pubsub.push_targets() == []


def test_a_subscription_outlives_its_topic_with_what_it_has(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    pubsub.delete_topic(protos.DeleteTopicRequest(topic=TOPIC))
    pubsub.create_topic(protos.Topic(name=TOPIC))
    send(pubsub, "to another topic of that name")

    request = protos.GetSubscriptionRequest(subscription=SUBSCRIPTION)
    assert pubsub.get_subscription(request).topic == DELETED_TOPIC
    assert texts(lease(pubsub)) == ["one"]


def test_a_detached_subscription_has_nothing_and_gets_nothing(pubsub: PubSub) -> None:
    subscribe(pubsub, **push("http://localhost:1/"))
    send(pubsub, "one")
    detach = protos.DetachSubscriptionRequest(subscription=SUBSCRIPTION)
    pubsub.detach_subscription(detach)
    send(pubsub, "two")

    request = protos.GetSubscriptionRequest(subscription=SUBSCRIPTION)
    assert pubsub.get_subscription(request).detached
    assert (lease(pubsub), pubsub.push_targets()) == ([], [])
    pull = protos.PullRequest(subscription=SUBSCRIPTION, max_messages=1)
    assert "detached" in refusal(Code.FAILED_PRECONDITION, pubsub.pull, pull)


def test_the_subscriptions_of_a_topic_are_listed(pubsub: PubSub) -> None:
    subscribe(pubsub)
    listed = pubsub.list_topic_subscriptions(protos.ListTopicSubscriptionsRequest(topic=TOPIC))
    assert list(listed.subscriptions) == [SUBSCRIPTION]

    listed = pubsub.list_subscriptions(protos.ListSubscriptionsRequest(project="projects/other"))
    assert not listed.subscriptions


MESSAGES: list[tuple[list[PubsubMessage], str]] = [
    ([], "The request contains no messages."),
    ([PubsubMessage(b"")], "One or more messages in the publish request is empty."),
    ([PubsubMessage(b"x")] * 1001, "The value for message_count is too large. You passed 1001"),
    ([PubsubMessage(b"", {"": "x"})], "an attribute key that is not valid (key=)"),
    ([PubsubMessage(b"", {"Google": "x"})], "an attribute key that is not valid (key=Google)"),
    ([PubsubMessage(b"", {"k" * 257: "x"})], "a key that is too long. The length is 257 bytes"),
    ([PubsubMessage(b"", {"ü" * 129: "x"})], "a key that is too long. The length is 258 bytes"),
    ([PubsubMessage(b"", {"k": "v" * 1025})], 'The attribute "k" in the request has a value that'),
    ([PubsubMessage(b"", {str(n): "" for n in range(101)})], "The value for attribute_count is"),
    ([PubsubMessage(b"x", {}, "k" * 1025)], "The ordering key in the request is too long."),
    ([PubsubMessage(bytes(10_000_001))], "The value for request_size is too large."),
    (
        [PubsubMessage(b"x", {str(n): "v" * 1024 for n in range(100)})] * 98,
        "The value for request_size is too large.",
    ),
    ([PubsubMessage(bytes(5_000_001))] * 2, "The value for request_size is too large."),
]


@pytest.mark.parametrize(("messages", "reason"), MESSAGES)
def test_what_may_not_be_published_is_refused_whole(
    pubsub: PubSub, messages: list[PubsubMessage], reason: str
) -> None:
    subscribe(pubsub)
    request = protos.PublishRequest(
        topic=TOPIC,
        messages=[
            {"data": one.data, "attributes": one.attributes, "ordering_key": one.ordering_key}
            for one in messages
        ],
    )

    assert reason in refusal(Code.INVALID_ARGUMENT, pubsub.publish, request)
    assert lease(pubsub) == []


def test_half_a_surrogate_pair_cannot_be_published(pubsub: PubSub) -> None:
    message = PubsubMessage(b"x", {"k": "\ud800"})

    assert "not UTF-8" in refusal(Code.INVALID_ARGUMENT, pubsub.publish_message, TOPIC, message)


def test_a_request_has_one_ordering_key(pubsub: PubSub) -> None:
    messages = [{"data": b"x", "ordering_key": "a"}, {"data": b"x"}]
    request = protos.PublishRequest(topic=TOPIC, messages=messages)

    assert "ordering key" in refusal(Code.FAILED_PRECONDITION, pubsub.publish, request)


def test_as_much_as_may_be_published_is(pubsub: PubSub) -> None:
    subscribe(pubsub)
    attributes = {"k" * 256: "v" * 1024} | {f"{number}": "" for number in range(99)}
    pubsub.publish_message(TOPIC, PubsubMessage(b"", attributes, "k" * 1024))
    pubsub.publish_message(TOPIC, PubsubMessage(b"", {"googclient_traceparent": "x"}))

    assert lease(pubsub)[0].attributes == attributes


@pytest.mark.parametrize("seconds", [-1, 601])
def test_a_deadline_that_a_message_cannot_have_is_refused(pubsub: PubSub, seconds: int) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    request = protos.ModifyAckDeadlineRequest(
        subscription=SUBSCRIPTION, ack_ids=[lease(pubsub)[0].ack_id], ack_deadline_seconds=seconds
    )

    message = refusal(Code.INVALID_ARGUMENT, pubsub.modify_ack_deadline, request)
    assert "between 0 and 600 seconds" in message


def test_ack_ids_of_another_subscription_are_refused(pubsub: PubSub) -> None:
    subscribe(pubsub)
    other = subscribe(pubsub, name="projects/demo/subscriptions/other").name
    send(pubsub, "one")
    ack_ids = [lease(pubsub)[0].ack_id]

    request = protos.AcknowledgeRequest(subscription=other, ack_ids=ack_ids)
    message = refusal(Code.INVALID_ARGUMENT, pubsub.acknowledge, request)
    assert "a subscription that does not belong to the given ack ID" in message


def test_late_acks_are_an_error_with_exactly_once_delivery_only(pubsub: PubSub) -> None:
    subscribe(pubsub)
    once = subscribe(
        pubsub, name="projects/demo/subscriptions/once", enable_exactly_once_delivery=True
    ).name
    send(pubsub, "one")
    requests = [
        protos.AcknowledgeRequest(
            subscription=name, ack_ids=[lease(pubsub, subscription=name)[0].ack_id]
        )
        for name in (SUBSCRIPTION, once)
    ]
    pubsub.clock.advance(10)

    pubsub.acknowledge(requests[0])
    message = refusal(Code.FAILED_PRECONDITION, pubsub.acknowledge, requests[1])
    assert "Some acknowledgement ids in the request were invalid" in message


def test_a_pull_tells_the_attempt_with_a_dead_letter_policy_only(pubsub: PubSub) -> None:
    subscribe(pubsub)
    dead = subscribe(
        pubsub, name="projects/demo/subscriptions/dead", dead_letter_policy=DEAD_LETTERS
    ).name
    send(pubsub, "one")
    pulled = [
        pubsub.pull(protos.PullRequest(subscription=name, max_messages=1)).received_messages[0]
        for name in (SUBSCRIPTION, dead)
    ]

    assert [one.delivery_attempt for one in pulled] == [0, 1]


def test_a_pull_wants_a_number_of_messages(pubsub: PubSub) -> None:
    subscribe(pubsub)
    request = protos.PullRequest(subscription=SUBSCRIPTION)

    assert "(argument=max_messages)" in refusal(Code.INVALID_ARGUMENT, pubsub.pull, request)


def test_a_pull_gets_a_thousand_messages_at_most(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    pubsub.publish(protos.PublishRequest(topic=TOPIC, messages=[{"data": b"x"}] * 1000))
    request = protos.PullRequest(subscription=SUBSCRIPTION, max_messages=1001)

    assert len(pubsub.pull(request).received_messages) == 1000
