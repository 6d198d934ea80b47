"""Seek to a time and to a snapshot, and what is retained for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.pubsub_support import (
    DEAD,
    NOW,
    SUBSCRIPTION,
    TOPIC,
    ack,
    lease,
    make_topics,
    opened,
    send,
    stopped_clock,
    subscribe,
    texts,
)
from worker.local.errors import ApiError, Code
from worker.local.pubsub import protos
from worker.local.pubsub.service import PubSub

SNAPSHOT = "projects/demo/snapshots/before"


@pytest.fixture
def pubsub(tmp_path: Path) -> Iterator[PubSub]:
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        yield pubsub


def seek(pubsub: PubSub, seconds: float, subscription: str = SUBSCRIPTION) -> None:
    time = protos.timestamp(NOW + seconds)
    pubsub.seek(protos.SeekRequest(subscription=subscription, time=time))


def seek_snapshot(pubsub: PubSub, subscription: str = SUBSCRIPTION) -> None:
    pubsub.seek(protos.SeekRequest(subscription=subscription, snapshot=SNAPSHOT))


def snap(pubsub: PubSub, name: str = SNAPSHOT) -> None:
    pubsub.create_snapshot(protos.CreateSnapshotRequest(name=name, subscription=SUBSCRIPTION))


def retain(pubsub: PubSub, seconds: float) -> None:
    """The topic does."""
    topic = {"name": TOPIC, "message_retention_duration": protos.duration(seconds)}
    mask = {"paths": ["message_retention_duration"]}
    pubsub.update_topic(protos.UpdateTopicRequest(topic=topic, update_mask=mask))


def three(pubsub: PubSub) -> None:
    """Published 10 seconds apart, and acked."""
    for text in ("zero", "ten", "twenty"):
        send(pubsub, text, key="k")
        ack(pubsub, lease(pubsub))
        pubsub.clock.advance(10)


def count(pubsub: PubSub, table: str) -> int:
    with pubsub._database.read() as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - constants
    return found


def test_a_seek_to_the_future_purges(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one", "two")
    lease(pubsub, most=1)

    seek(pubsub, 100)

    assert pubsub.backlog()[SUBSCRIPTION] == 0
    pubsub.clock.advance(10)
    assert lease(pubsub) == []
    assert count(pubsub, "messages") == 0
    send(pubsub, "later")
    assert texts(lease(pubsub)) == ["later"]


def test_a_seek_back_replays_what_the_subscription_retains(pubsub: PubSub) -> None:
    subscribe(pubsub, retain_acked_messages=True)
    three(pubsub)

    seek(pubsub, 10)

    assert [(one.data, one.attempt) for one in lease(pubsub)] == [(b"ten", 1), (b"twenty", 1)]


def test_without_retention_a_seek_back_replays_nothing(pubsub: PubSub) -> None:
    subscribe(pubsub)
    three(pubsub)

    seek(pubsub, 0)

    assert lease(pubsub) == []


def test_a_seek_back_replays_what_the_topic_retains_even_from_before_the_subscription(
    pubsub: PubSub,
) -> None:
    retain(pubsub, 600)
    send(pubsub, "zero", color="red")
    pubsub.clock.advance(10)
    send(pubsub, "ten", color="red")
    send(pubsub, "blue", color="blue")
    subscribe(pubsub, filter='attributes.color = "red"')

    seek(pubsub, 0)
    leased = lease(pubsub)
    assert texts(leased) == ["zero", "ten"]
    ack(pubsub, leased)
    pubsub.clock.advance(591)
    seek(pubsub, 0)
    assert texts(lease(pubsub)) == ["ten"]


def test_a_replay_keeps_the_order_of_a_key(pubsub: PubSub) -> None:
    subscribe(pubsub, retain_acked_messages=True, enable_message_ordering=True)
    three(pubsub)

    seek(pubsub, 0)

    for text in ("zero", "ten", "twenty"):
        leased = lease(pubsub)
        assert texts(leased) == [text]
        ack(pubsub, leased)


def test_an_ack_id_from_before_a_seek_does_not_ack_what_is_replayed(pubsub: PubSub) -> None:
    subscribe(pubsub, retain_acked_messages=True)
    send(pubsub, "one")
    old = lease(pubsub)
    ack(pubsub, old)

    seek(pubsub, 0)
    ack(pubsub, old)

    assert texts(lease(pubsub)) == ["one"]


def test_nor_does_it_ack_what_is_replayed_from_the_topic(pubsub: PubSub) -> None:
    retain(pubsub, 600)
    subscribe(pubsub)
    send(pubsub, "one")
    old = lease(pubsub)
    ack(pubsub, old)

    seek(pubsub, 0)
    ack(pubsub, old)

    assert texts(lease(pubsub)) == ["one"]


def test_a_topic_retains_nothing_of_another_that_had_its_name(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "old")
    pubsub.delete_topic(protos.DeleteTopicRequest(topic=TOPIC))
    pubsub.create_topic(protos.Topic(name=TOPIC))
    retain(pubsub, 600)
    other = subscribe(pubsub, name="projects/demo/subscriptions/other").name

    seek(pubsub, 0, other)

    assert lease(pubsub, subscription=other) == []


def test_a_lease_outlives_a_seek_to_before_its_message(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    leased = lease(pubsub)

    seek(pubsub, 0)

    assert lease(pubsub) == []
    ack(pubsub, leased)
    assert pubsub.backlog()[SUBSCRIPTION] == 0


def test_acked_messages_are_retained_no_longer_than_the_subscription_says(pubsub: PubSub) -> None:
    retention = protos.duration(600)
    subscribe(pubsub, retain_acked_messages=True, message_retention_duration=retention)
    three(pubsub)
    pubsub.clock.advance(580)
    lease(pubsub)

    seek(pubsub, 0)

    assert texts(lease(pubsub)) == ["twenty"]
    assert count(pubsub, "messages") == 1


def test_what_a_topic_retained_is_deleted_after_that(tmp_path: Path) -> None:
    clock = stopped_clock()
    with opened(tmp_path, clock) as pubsub:
        make_topics(pubsub)
        retain(pubsub, 600)
        send(pubsub, "one")
        assert count(pubsub, "messages") == 1
        clock.advance(600)

    with opened(tmp_path, clock) as pubsub:
        send(pubsub, "two")  # any change looks after the rest, now and then
        assert count(pubsub, "messages") == 1


def test_what_was_retained_is_deleted_when_retention_is_switched_off(pubsub: PubSub) -> None:
    subscribe(pubsub, retain_acked_messages=True)
    three(pubsub)
    assert count(pubsub, "messages") == 3

    pubsub.update_subscription(
        protos.UpdateSubscriptionRequest(
            subscription={"name": SUBSCRIPTION}, update_mask={"paths": ["retain_acked_messages"]}
        )
    )

    assert count(pubsub, "messages") == 0


def test_a_snapshot_brings_back_its_backlog_and_all_that_came_later(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "acked")
    ack(pubsub, lease(pubsub))
    send(pubsub, "open")
    snap(pubsub)
    send(pubsub, "later")
    ack(pubsub, lease(pubsub))

    seek_snapshot(pubsub)

    assert texts(lease(pubsub)) == ["open", "later"]


def test_a_snapshot_acks_what_was_acked_when_it_was_made(pubsub: PubSub) -> None:
    subscribe(pubsub, retain_acked_messages=True)
    send(pubsub, "one")
    ack(pubsub, lease(pubsub))
    snap(pubsub)
    seek(pubsub, 0)
    assert pubsub.backlog()[SUBSCRIPTION] == 1

    seek_snapshot(pubsub)

    assert lease(pubsub) == []


def test_another_subscription_of_the_topic_may_seek_to_a_snapshot(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    snap(pubsub)
    other = subscribe(pubsub, name="projects/demo/subscriptions/other").name

    seek_snapshot(pubsub, other)

    assert texts(lease(pubsub, subscription=other)) == ["one"]


def test_a_subscription_of_another_topic_may_not(pubsub: PubSub) -> None:
    subscribe(pubsub)
    snap(pubsub)
    with pytest.raises(ApiError, match="is not the topic of the subscription") as caught:
        seek_snapshot(pubsub, DEAD)
    assert caught.value.code is Code.FAILED_PRECONDITION


def test_a_seek_needs_a_target(pubsub: PubSub) -> None:
    subscribe(pubsub)
    with pytest.raises(ApiError, match="a time or a snapshot"):
        pubsub.seek(protos.SeekRequest(subscription=SUBSCRIPTION))


def test_a_snapshot_lives_seven_days_from_its_oldest_message(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    pubsub.clock.advance(86_400)
    snap(pubsub)
    request = protos.GetSnapshotRequest(snapshot=SNAPSHOT)

    snapshot = pubsub.get_snapshot(request)
    assert (snapshot.topic, snapshot.expire_time.seconds) == (TOPIC, NOW + 7 * 86_400)
    pubsub.clock.advance(6 * 86_400)
    with pytest.raises(ApiError, match="Resource not found"):
        pubsub.get_snapshot(request)
    snap(pubsub)


def test_a_backlog_that_is_too_old_has_no_snapshot(pubsub: PubSub) -> None:
    subscribe(pubsub, message_retention_duration=protos.duration(30 * 86_400))
    send(pubsub, "one")
    pubsub.clock.advance(7 * 86_400 - 3_599)

    with pytest.raises(ApiError, match="too old"):
        snap(pubsub)


def test_snapshots_are_listed_updated_and_deleted(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    snap(pubsub)
    ack(pubsub, lease(pubsub))
    pubsub.update_snapshot(
        protos.UpdateSnapshotRequest(
            snapshot={"name": SNAPSHOT, "labels": {"a": "b"}}, update_mask={"paths": ["labels"]}
        )
    )
    (listed,) = pubsub.list_snapshots(
        protos.ListSnapshotsRequest(project="projects/demo")
    ).snapshots
    of_topic = pubsub.list_topic_snapshots(protos.ListTopicSnapshotsRequest(topic=TOPIC))

    assert (listed.name, listed.labels) == (SNAPSHOT, {"a": "b"})
    assert list(of_topic.snapshots) == [SNAPSHOT]
    with pytest.raises(ApiError, match="already exists"):
        snap(pubsub)
    assert count(pubsub, "messages") == 1
    pubsub.delete_snapshot(protos.DeleteSnapshotRequest(snapshot=SNAPSHOT))
    assert count(pubsub, "messages") == 0


@pytest.mark.parametrize("seconds", [0, 7 * 86_400 + 1])
def test_a_snapshot_expires_within_seven_days(pubsub: PubSub, seconds: int) -> None:
    subscribe(pubsub)
    snap(pubsub)
    snapshot = {"name": SNAPSHOT, "expire_time": protos.timestamp(NOW + seconds)}
    mask = {"paths": ["expire_time"]}

    with pytest.raises(ApiError, match="within the next 7 days"):
        pubsub.update_snapshot(protos.UpdateSnapshotRequest(snapshot=snapshot, update_mask=mask))


def test_a_snapshot_without_a_name_gets_one(pubsub: PubSub) -> None:
    subscribe(pubsub)
    snapshot = pubsub.create_snapshot(protos.CreateSnapshotRequest(subscription=SUBSCRIPTION))

    assert snapshot.name.startswith("projects/demo/snapshots/snapshot-")
