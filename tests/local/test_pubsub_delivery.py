"""What push and pull work with: leases, acks, nacks, and what time does to them."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.pubsub_support import (
    DEAD,
    DEAD_LETTERS,
    DEAD_TOPIC,
    NOW,
    SUBSCRIPTION,
    TOPIC,
    ack,
    lease,
    make_topics,
    nack,
    opened,
    send,
    stopped_clock,
    subscribe,
    texts,
)
from worker.local.errors import ApiError
from worker.local.pubsub import protos
from worker.local.pubsub.leases import PushTarget
from worker.local.pubsub.service import PubSub
from worker.message import PubsubMessage


@pytest.fixture
def pubsub(tmp_path: Path) -> Iterator[PubSub]:
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        yield pubsub


def test_a_message_is_leased_as_it_was_published(pubsub: PubSub) -> None:
    subscribe(pubsub)
    (message_id,) = send(pubsub, "one", key="k", color="red")

    (leased,) = lease(pubsub)

    assert leased.message_id == message_id
    assert leased.data == b"one"
    assert leased.attributes == {"color": "red"}
    assert leased.ordering_key == "k"
    assert (leased.publish_time, leased.attempt, leased.topic) == (NOW, 1, TOPIC)


def test_each_subscription_gets_the_message_with_the_same_id(pubsub: PubSub) -> None:
    subscribe(pubsub)
    other = subscribe(pubsub, name="projects/demo/subscriptions/other").name
    send(pubsub, "one")

    assert lease(pubsub)[0].message_id == lease(pubsub, subscription=other)[0].message_id


def test_a_leased_message_is_not_handed_out_again_until_its_lease_ends(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")

    lease(pubsub)
    pubsub.clock.advance(9.9)
    assert lease(pubsub) == []
    assert pubsub.next_time(SUBSCRIPTION) == NOW + 10
    pubsub.clock.advance(0.1)
    assert [one.attempt for one in lease(pubsub)] == [2]


def test_an_acked_message_never_comes_again(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")

    ack(pubsub, lease(pubsub))
    pubsub.clock.advance(100)

    assert lease(pubsub) == []
    assert pubsub.next_time(SUBSCRIPTION) is None
    assert pubsub.backlog()[SUBSCRIPTION] == 0


def test_an_ack_that_comes_after_the_deadline_counts(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    late = lease(pubsub)
    pubsub.clock.advance(10)
    again = lease(pubsub)

    ack(pubsub, late)
    nack(pubsub, again)

    assert lease(pubsub) == []


def test_a_nack_that_comes_after_the_deadline_does_not_count_twice(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    late = lease(pubsub)
    pubsub.clock.advance(10)

    nack(pubsub, late)

    assert [one.attempt for one in lease(pubsub)] == [2]


def test_a_lease_that_is_extended_lasts_from_now(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    (leased,) = lease(pubsub)

    pubsub.clock.advance(9)
    pubsub.extend(SUBSCRIPTION, [leased.ack_id], 30)
    pubsub.clock.advance(29)
    assert lease(pubsub) == []
    pubsub.clock.advance(1)
    assert [one.attempt for one in lease(pubsub)] == [2]


def test_a_lease_that_is_given_back_counts_as_no_attempt(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")

    pubsub.release(SUBSCRIPTION, [one.ack_id for one in lease(pubsub)])

    assert [one.attempt for one in lease(pubsub)] == [1]


def test_without_a_retry_policy_a_nacked_message_comes_again_at_once(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")

    nack(pubsub, lease(pubsub))

    assert [one.attempt for one in lease(pubsub)] == [2]


def test_the_backoff_doubles_from_its_least_to_its_most(pubsub: PubSub) -> None:
    policy = {
        "minimum_backoff": protos.duration(10),
        "maximum_backoff": protos.duration(60),
    }
    subscribe(pubsub, retry_policy=policy)
    send(pubsub, "one")
    waits = []
    for _ in range(5):
        nack(pubsub, lease(pubsub))
        time = pubsub.next_time(SUBSCRIPTION)
        assert time is not None
        waits.append(time - pubsub.clock.now())
        pubsub.clock.advance(waits[-1])

    assert waits == [10, 20, 40, 60, 60]


def test_a_deadline_that_is_missed_is_followed_by_the_backoff(pubsub: PubSub) -> None:
    subscribe(pubsub, retry_policy={"minimum_backoff": protos.duration(30)})
    send(pubsub, "one")
    lease(pubsub)

    pubsub.clock.advance(39.9)
    assert lease(pubsub) == []
    assert pubsub.next_time(SUBSCRIPTION) == NOW + 40
    pubsub.clock.advance(0.1)
    assert [one.attempt for one in lease(pubsub)] == [2]


def test_a_waiting_message_does_not_hold_others_up(pubsub: PubSub) -> None:
    subscribe(pubsub, retry_policy={"minimum_backoff": protos.duration(30)})
    send(pubsub, "poison", "good")
    nack(pubsub, lease(pubsub, most=1))

    assert texts(lease(pubsub)) == ["good"]


def test_after_its_last_attempt_a_message_is_forwarded(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    (message_id,) = send(pubsub, "poison", key="k", color="red")
    pubsub.clock.advance(0.25)
    attempts = []
    while leased := lease(pubsub):
        attempts.append(leased[0].attempt)
        nack(pubsub, leased)

    (dead,) = lease(pubsub, subscription=DEAD)

    assert attempts == [1, 2, 3, 4, 5]
    assert dead.message_id != message_id
    assert dead.publish_time == NOW + 0.25
    assert (dead.data, dead.ordering_key, dead.topic) == (b"poison", "k", DEAD_TOPIC)
    assert dead.attributes == {
        "color": "red",
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
        "CloudPubSubDeadLetterSourceSubscription": "feature-worker",
        "CloudPubSubDeadLetterSourceSubscriptionProject": "demo",
        "CloudPubSubDeadLetterSourceTopicPublishTime": "2027-01-15T08:00:00Z",
    }
    assert pubsub.backlog()[SUBSCRIPTION] == 0


def test_missed_deadlines_use_up_the_attempts_too(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "poison")
    for _ in range(5):
        lease(pubsub)
        pubsub.clock.advance(10)

    assert lease(pubsub) == []
    assert texts(lease(pubsub, subscription=DEAD)) == ["poison"]


def test_a_message_stays_while_there_is_no_dead_letter_topic(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "poison")
    pubsub.delete_topic(protos.DeleteTopicRequest(topic=DEAD_TOPIC))
    for _ in range(6):
        nack(pubsub, lease(pubsub))

    (leased,) = lease(pubsub)

    assert leased.attempt == 7


def test_a_message_with_as_many_attributes_as_may_be_is_forwarded_with_more(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "poison", **{f"a{number}": "" for number in range(100)})
    while leased := lease(pubsub):
        nack(pubsub, leased)

    assert len(lease(pubsub, subscription=DEAD)[0].attributes) == 104


def test_one_message_of_a_key_is_out_at_a_time_in_the_order_of_publication(pubsub: PubSub) -> None:
    subscribe(pubsub, enable_message_ordering=True)
    send(pubsub, "a1", "a2", key="a")
    send(pubsub, "b1", key="b")
    send(pubsub, "free")

    first = lease(pubsub)
    assert texts(first) == ["a1", "b1", "free"]
    assert lease(pubsub) == []
    assert pubsub.next_time(SUBSCRIPTION) == NOW + 10
    ack(pubsub, first)
    assert texts(lease(pubsub)) == ["a2"]


def test_a_nacked_message_comes_again_before_the_later_ones_of_its_key(pubsub: PubSub) -> None:
    subscribe(
        pubsub,
        enable_message_ordering=True,
        retry_policy={"minimum_backoff": protos.duration(30)},
    )
    send(pubsub, "a1", "a2", key="a")
    nack(pubsub, lease(pubsub))

    assert lease(pubsub) == []
    pubsub.clock.advance(30)
    again = lease(pubsub)
    assert texts(again) == ["a1"]
    ack(pubsub, again)
    assert texts(lease(pubsub)) == ["a2"]


def test_a_dead_letter_makes_way_for_the_next_of_its_key(pubsub: PubSub) -> None:
    subscribe(pubsub, enable_message_ordering=True, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "poison", "good", key="a")
    for _ in range(5):
        nack(pubsub, lease(pubsub))

    assert texts(lease(pubsub)) == ["good"]
    assert texts(lease(pubsub, subscription=DEAD)) == ["poison"]


def test_without_ordering_a_key_orders_nothing(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "a1", "a2", key="a")

    assert texts(lease(pubsub)) == ["a1", "a2"]


def test_a_message_that_the_filter_does_not_match_counts_as_acked(pubsub: PubSub) -> None:
    subscribe(pubsub, filter='attributes.color = "red"')
    send(pubsub, "blue", color="blue")
    send(pubsub, "red", color="red")

    assert texts(lease(pubsub)) == ["red"]
    assert pubsub.backlog()[SUBSCRIPTION] == 1


def test_a_message_is_kept_as_long_as_the_subscription_retains_it(pubsub: PubSub) -> None:
    subscribe(pubsub, message_retention_duration=protos.duration(600))
    send(pubsub, "old")
    pubsub.clock.advance(1)
    send(pubsub, "young")
    pubsub.clock.advance(599)

    assert texts(lease(pubsub)) == ["young"]
    assert pubsub.backlog()[SUBSCRIPTION] == 1


def test_a_message_that_expires_makes_way_for_the_next_of_its_key(pubsub: PubSub) -> None:
    retention = protos.duration(600)
    subscribe(pubsub, message_retention_duration=retention, enable_message_ordering=True)
    send(pubsub, "old", key="a")
    pubsub.clock.advance(1)
    send(pubsub, "young", key="a")
    pubsub.clock.advance(599)

    assert texts(lease(pubsub)) == ["young"]


def test_a_subscription_gets_what_is_published_after_it_was_made(pubsub: PubSub) -> None:
    send(pubsub, "before")
    subscribe(pubsub)
    send(pubsub, "after")

    assert texts(lease(pubsub)) == ["after"]


def test_whoever_waits_is_told_of_a_message(pubsub: PubSub) -> None:
    subscribe(pubsub)
    got: list[str] = []

    def wait() -> None:
        with pubsub.changed:
            ready.set()
            while not (leased := lease(pubsub)):
                pubsub.clock.wait(pubsub.changed, None)
        got.extend(texts(leased))

    ready = threading.Event()
    waiting = threading.Thread(target=wait)
    waiting.start()
    ready.wait()
    send(pubsub, "one")
    waiting.join()

    assert got == ["one"]


def test_whoever_waits_for_dead_letters_is_told_of_one(pubsub: PubSub) -> None:
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "poison")
    for _ in range(5):
        lease(pubsub)
        pubsub.clock.advance(10)
    told: list[bool] = []

    def wait() -> None:
        with pubsub.changed:
            ready.set()
            told.append(pubsub.changed.wait(10))

    ready = threading.Event()
    waiting = threading.Thread(target=wait)
    waiting.start()
    ready.wait()
    with pubsub.changed:  # it waits now, and not before
        pass
    lease(pubsub)
    waiting.join()

    assert told == [True]


def test_time_that_is_moved_forward_wakes_whoever_waits_for_a_backoff(pubsub: PubSub) -> None:
    subscribe(pubsub, retry_policy={"minimum_backoff": protos.duration(30)})
    send(pubsub, "one")
    nack(pubsub, lease(pubsub))
    ready = threading.Event()
    got: list[str] = []

    def wait() -> None:
        with pubsub.changed:
            while not (leased := lease(pubsub)):
                ready.set()
                pubsub.clock.wait(pubsub.changed, None)
        got.extend(texts(leased))

    waiting = threading.Thread(target=wait)
    waiting.start()
    ready.wait()
    pubsub.clock.advance(30)
    waiting.join()

    assert got == ["one"]


def test_a_subscription_that_is_gone_has_nothing_and_takes_everything(pubsub: PubSub) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    leased = lease(pubsub)
    pubsub.delete_subscription(protos.DeleteSubscriptionRequest(subscription=SUBSCRIPTION))

    ack(pubsub, leased)
    nack(pubsub, leased)
    pubsub.extend(SUBSCRIPTION, [leased[0].ack_id], 10)

    assert lease(pubsub) == []
    assert pubsub.next_time(SUBSCRIPTION) is None


def test_ack_ids_of_a_subscription_of_the_same_name_that_was_deleted_do_nothing(
    pubsub: PubSub,
) -> None:
    subscribe(pubsub)
    send(pubsub, "one")
    leased = lease(pubsub)
    pubsub.delete_subscription(protos.DeleteSubscriptionRequest(subscription=SUBSCRIPTION))
    subscribe(pubsub)
    send(pubsub, "two")

    ack(pubsub, leased)
    nack(pubsub, leased)

    assert [(one.data, one.attempt) for one in lease(pubsub)] == [(b"two", 1)]


def test_ack_ids_of_another_subscription_do_nothing(pubsub: PubSub) -> None:
    subscribe(pubsub)
    other = subscribe(pubsub, name="projects/demo/subscriptions/other").name
    send(pubsub, "one")
    (leased,) = lease(pubsub, subscription=other)

    pubsub.ack(SUBSCRIPTION, [leased.ack_id])
    pubsub.nack(SUBSCRIPTION, [leased.ack_id])

    assert (pubsub.backlog()[SUBSCRIPTION], pubsub.backlog()[other]) == (1, 1)
    assert lease(pubsub, subscription=other) == []


def test_an_ack_id_that_is_none_is_refused(pubsub: PubSub) -> None:
    subscribe(pubsub)
    with pytest.raises(ApiError, match="acknowledgement ids in the request were invalid"):
        pubsub.ack(SUBSCRIPTION, ["nonsense"])


def test_an_exactly_once_subscription_refuses_an_ack_that_comes_late(pubsub: PubSub) -> None:
    subscribe(pubsub, enable_exactly_once_delivery=True)
    send(pubsub, "one")
    late = lease(pubsub)
    pubsub.clock.advance(10)

    assert pubsub.settle(SUBSCRIPTION, [late[0].ack_id]) == [late[0].ack_id]
    assert texts(lease(pubsub)) == ["one"]


def test_a_push_target_tells_all_that_a_push_needs(pubsub: PubSub) -> None:
    subscribe(
        pubsub,
        push_config={
            "push_endpoint": "http://127.0.0.1:8080/",
            "oidc_token": {"service_account_email": "push@demo.iam", "audience": "aud"},
            "no_wrapper": {"write_metadata": True},
        },
        ack_deadline_seconds=20,
        dead_letter_policy=DEAD_LETTERS,
        enable_message_ordering=True,
    )

    assert pubsub.push_targets() == [
        PushTarget(
            subscription=SUBSCRIPTION,
            endpoint="http://127.0.0.1:8080/",
            ack_deadline_seconds=20,
            unwrapped=True,
            write_metadata=True,
            service_account="push@demo.iam",
            audience="aud",
            dead_letter=True,
            ordered=True,
        )
    ]


def test_what_nobody_can_need_any_more_is_deleted(pubsub: PubSub) -> None:
    subscribe(pubsub, filter="attributes:wanted")
    send(pubsub, "filtered")
    send(pubsub, "acked", wanted="yes")
    ack(pubsub, lease(pubsub))

    with pubsub._database.read() as connection:
        assert connection.execute("SELECT count(*) FROM messages").fetchone()[0] == 0


def test_no_statement_of_delivery_walks_through_a_backlog(pubsub: PubSub) -> None:
    subscribe(pubsub, enable_message_ordering=True, dead_letter_policy=DEAD_LETTERS)
    statements: set[str] = set()
    with pubsub._database.write() as connection:
        connection.set_trace_callback(statements.add)
    for key in ("", "k", "k"):
        send(pubsub, "one", key=key)
    ack(pubsub, lease(pubsub, most=1))
    while leased := lease(pubsub, most=1):
        nack(pubsub, leased)
    with pubsub._database.write() as connection:
        connection.set_trace_callback(None)
        plans = {
            row["detail"]
            for statement in statements
            if "states" in statement and "UPDATE states SET due" not in statement
            for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            if "states" in row["detail"] or row["detail"].startswith("SEARCH s ")
        }

    assert plans == {
        "SEARCH s USING INDEX ready (subscription=? AND due<?)",
        "SEARCH states USING INDEX ready (subscription=? AND due<?)",
        "SEARCH states USING INDEX leased (subscription=? AND due<?)",
        "SEARCH states USING INDEX keys (subscription=? AND ordering_key=?)",
        "SEARCH states USING PRIMARY KEY (subscription=? AND message=?)",
        "SEARCH states USING PRIMARY KEY (subscription=?)",  # the oldest: it stops at once
        "SEARCH states USING COVERING INDEX states_of_message (message=?)",
    }


def test_a_large_backlog_is_leased_a_few_megabytes_at_a_time(pubsub: PubSub) -> None:
    subscribe(pubsub)
    for _ in range(3):
        pubsub.publish_message(TOPIC, PubsubMessage(bytes(6_000_000)))

    assert [len(lease(pubsub)), len(lease(pubsub))] == [2, 1]


def test_the_clock_of_the_state_may_be_ahead_of_that_of_the_next_start(tmp_path: Path) -> None:
    clock = stopped_clock()
    with opened(tmp_path / "moved", clock) as pubsub:
        make_topics(pubsub)
        subscribe(pubsub, retry_policy={"minimum_backoff": protos.duration(30)})
        clock.advance(1_000_000)
        send(pubsub, "one")
        nack(pubsub, lease(pubsub))

    with opened(tmp_path / "moved") as pubsub:
        assert pubsub.next_time(SUBSCRIPTION) == NOW + 30
        pubsub.clock.advance(30)
        assert [one.attempt for one in lease(pubsub)] == [2]
