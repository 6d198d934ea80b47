"""worker.local.pubsub.push.pusher: messages are pushed, retried and settled as Pub/Sub does."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.pubsub_v1 import types

from tests.support.push_delivery import (
    DEAD,
    SUBSCRIPTION,
    TOPIC,
    WAIT_SECONDS,
    Gate,
    PushCloud,
    opened,
)
from tests.support.standin import Call, Reply, StandIn, unused_address
from worker.local.clock import Clock
from worker.local.errors import ApiError, Code
from worker.local.pubsub.push.flow import FIRST_WINDOW

OTHER = "projects/demo/subscriptions/other"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[PushCloud]:
    with PushCloud(tmp_path) as running:
        yield running


@pytest.fixture
def still(tmp_path: Path) -> Iterator[PushCloud]:
    """Its clock goes on only when it is told to."""
    with PushCloud(tmp_path, Clock(machine=lambda: 1000.0)) as running:
        yield running


def replies(*statuses: int) -> Callable[[Call], Reply]:
    """Answers with these one after the other, the last one again and again."""
    left = list(statuses)

    def reply(_: Call) -> Reply:
        return Reply(left.pop(0) if len(left) > 1 else left[0])

    return reply


def id_of(call: Call) -> str:
    return str(call.json()["message"]["messageId"])


def retry(seconds: int) -> types.RetryPolicy:
    delay = timedelta(seconds=seconds)
    return types.RetryPolicy(minimum_backoff=delay, maximum_backoff=delay)


def short_deadline(cloud: PushCloud, seconds: float) -> None:
    """Have pushes time out sooner than any subscription may say."""
    targets = cloud.pubsub.push_targets
    cloud.pubsub.push_targets = lambda: [  # type: ignore[method-assign]
        replace(one, ack_deadline_seconds=seconds)  # type: ignore[arg-type]
        for one in targets()
    ]


def _look_around(cloud: PushCloud) -> None:
    """Return when push delivery has looked for something to do several times."""
    looked, targets = threading.Semaphore(0), cloud.pubsub.push_targets

    def count() -> Any:
        looked.release()
        return targets()

    cloud.pubsub.push_targets = count  # type: ignore[method-assign]
    for _ in range(3):
        cloud.faults.set(cloud.faults.get())  # wakes it
        assert looked.acquire(timeout=WAIT_SECONDS)
    cloud.pubsub.push_targets = targets  # type: ignore[method-assign]


# What an answer means:


def test_a_message_is_pushed_and_acked(cloud: PushCloud) -> None:
    with StandIn(lambda _: Reply.json({"outcome": "done", "reason": "well"})) as endpoint:
        cloud.subscribe(f"{endpoint.url}/push?a=1")
        message_id = cloud.publish(b"hello", tenant="a")
        (attempt,) = cloud.ended()
        cloud.wait_until_acked()
    (call,) = endpoint.calls
    assert (call.path, id_of(call)) == ("/push?a=1", message_id)
    assert (attempt.status, attempt.result, attempt.outcome) == (200, "ack", "done")
    assert (attempt.reason, attempt.attempt, attempt.fault) == ("well", 1, "")
    assert (attempt.message_id, attempt.subscription) == (message_id, SUBSCRIPTION)
    assert attempt.trace in call.headers["traceparent"]
    assert attempt.span in call.headers["traceparent"]
    assert attempt.request_size == len(call.body)
    assert attempt.response_body == '{"outcome": "done", "reason": "well"}'
    delivery = cloud.deliveries.find(SUBSCRIPTION, message_id)
    assert delivery is not None
    assert (delivery.outcome, delivery.data) == ("done", b"hello")
    assert cloud.deliveries.attempts(delivery.id) == [attempt]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_these_answers_ack(cloud: PushCloud, status: int) -> None:
    with StandIn(replies(status)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        assert cloud.ended()[0].result == "ack"
        cloud.wait_until_acked()


@pytest.mark.parametrize("status", [203, 205, 206, 300, 302, 308, 400, 404, 409, 429, 500, 503])
def test_every_other_answer_is_a_nack_and_the_message_comes_again(
    cloud: PushCloud, status: int
) -> None:
    with StandIn(replies(status, 200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish(b"data", tenant="a")
        first, second = cloud.ended(2)
        cloud.wait_until_acked()
    assert (first.status, first.result, first.attempt) == (status, "nack", 1)
    assert (second.status, second.result, second.attempt) == (200, "ack", 2)
    assert endpoint.calls[0].json() == endpoint.calls[1].json()


def test_a_missed_deadline_is_a_nack_and_the_late_answer_is_ignored(cloud: PushCloud) -> None:
    short_deadline(cloud, 0.2)
    gate = Gate()
    with opened(gate), StandIn(gate) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        (missed,) = cloud.ended()
        gate.open()
        assert (missed.result, missed.status, missed.attempt) == ("deadline", 0, 1)
        assert missed.reason == "no answer within 0.2 s"
        while (attempt := cloud.ended()[0]).result != "ack":
            pass
        assert attempt.attempt > 1
        cloud.wait_until_acked()


def test_an_outage_is_survived(cloud: PushCloud) -> None:
    cloud.subscribe(f"http://{unused_address()}")
    ids = {cloud.publish() for _ in range(20)}
    for attempt in cloud.ended(FIRST_WINDOW):
        assert (attempt.result, attempt.status) == ("unreachable", 0)
        assert attempt.reason == "nobody listens at the push endpoint"
    with StandIn(replies(200)) as endpoint:
        cloud.endpoint(endpoint.url)
        cloud.wait_until_acked()
    assert {id_of(call) for call in endpoint.calls} == ids


# Pace:


def test_slow_start_begins_with_a_few_and_grows(cloud: PushCloud) -> None:
    gate = Gate()
    with opened(gate), StandIn(gate) as endpoint:
        cloud.subscribe(endpoint.url)
        for _ in range(50):
            cloud.publish()
        gate.wait_for(FIRST_WINDOW)
        assert len(endpoint.calls) == FIRST_WINDOW
        gate.open()
        cloud.wait_until_acked()
    assert len(endpoint.calls) == 50


def test_many_messages_are_pushed_once_each(
    cloud: PushCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It wakes by what ends, and not because it looks after its connections.
    monkeypatch.setattr("worker.local.pubsub.push.pusher.IDLE_SECONDS", 1000.0)
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        ids = [cloud.publish() for _ in range(500)]
        cloud.wait_until_acked()
    assert sorted(id_of(call) for call in endpoint.calls) == sorted(ids)
    assert len(cloud.deliveries.recent(limit=1000)) == 500


def test_a_nacked_message_waits_for_its_retry_policy(still: PushCloud) -> None:
    with StandIn(replies(500, 200)) as endpoint:
        still.subscribe(endpoint.url, retry_policy=retry(10))
        first = still.publish()
        _wait_for_next(still, 1010.0)
        still.clock.advance(9.9)
        second = still.publish()  # the push backoff of 0.1 s is over
        assert [one.message_id for one in still.ended(2)] == [first, second]
        still.clock.advance(0.2)
        still.wait_until_acked()
    assert [id_of(call) for call in endpoint.calls] == [first, second, first]


def test_the_push_backoff_holds_back_the_whole_subscription(still: PushCloud) -> None:
    """Nothing else can be pushed within 100 ms of a nack: the clock stands still."""
    with StandIn(replies(500, 200)) as endpoint, StandIn(replies(200)) as other:
        still.subscribe(endpoint.url, retry_policy=retry(600))
        still.publish()
        _wait_for_next(still, 1600.0)
        held = still.publish()
        still.subscribe(other.url, OTHER)
        free = still.publish()
        _, attempt = still.ended(2)
        assert (attempt.subscription, attempt.message_id) == (OTHER, free)
        assert len(endpoint.calls) == 1
        still.clock.advance(0.11)
        assert held in {attempt.message_id for attempt in still.ended(2)}


def test_a_poison_message_does_not_stop_the_others(tmp_path: Path) -> None:
    def reply(call: Call) -> Reply:
        return Reply(500 if "data" in call.json()["message"] else 200)

    with PushCloud(tmp_path, Clock(speed=50)) as cloud, StandIn(reply) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish(b"poison")
        good = {cloud.publish(b"", a="1") for _ in range(30)}
        with cloud.pubsub.changed:
            assert cloud.pubsub.changed.wait_for(
                lambda: cloud.pubsub.backlog() == {SUBSCRIPTION: 1}, WAIT_SECONDS
            )
    assert good < {id_of(call) for call in endpoint.calls}


def test_a_push_that_takes_long_keeps_its_lease(still: PushCloud) -> None:
    gate = Gate()
    with opened(gate), StandIn(gate) as endpoint:
        still.subscribe(endpoint.url)
        still.publish()
        gate.wait_for(1)
        for _ in range(5):  # 10 s each: the lease alone would end after 15
            still.clock.advance(10)
            _wait_for_renewal(still)
        gate.open()
        assert still.ended()[0].attempt == 1
        still.wait_until_acked()
    assert len(endpoint.calls) == 1


def _wait_for_next(cloud: PushCloud, time: float) -> None:
    """Return when the next message is due then."""
    with cloud.pubsub.changed:
        assert cloud.pubsub.changed.wait_for(
            lambda: cloud.pubsub.next_time(SUBSCRIPTION) == time, WAIT_SECONDS
        )


def _wait_for_renewal(cloud: PushCloud) -> None:
    def renewed() -> bool:
        ends = cloud.pubsub.next_time(SUBSCRIPTION)
        return ends is not None and ends >= cloud.clock.now() + 15

    with cloud.pubsub.changed:
        assert cloud.pubsub.changed.wait_for(renewed, WAIT_SECONDS)


def test_a_worker_is_not_kept_from_stopping_by_idle_connections(cloud: PushCloud) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        cloud.subscribe(f"http://127.0.0.1:{listening.getsockname()[1]}")
        cloud.publish()
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(WAIT_SECONDS)
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            assert connection.recv(1) == b""


# Features of subscriptions:


def test_an_ordering_key_is_served_in_order_whatever_fails(cloud: PushCloud) -> None:
    failed: set[str] = set()

    def fail_once(call: Call) -> Reply:
        fresh = id_of(call) not in failed
        failed.add(id_of(call))
        return Reply(500 if fresh and len(failed) == 2 else 200)

    with StandIn(fail_once) as endpoint:
        cloud.faults.set(replace(cloud.faults.get(), reorder=True, duplicate=0.5))
        cloud.subscribe(endpoint.url, enable_message_ordering=True)
        ids = [cloud.publish(key="k") for _ in range(5)]
        cloud.wait_until_acked()
        # A duplicate of the last one may still be on its way; the order is complete before.
    pushed = [id_of(call) for call in endpoint.calls]
    assert list(dict.fromkeys(pushed)) == ids
    assert pushed == sorted(pushed)
    assert endpoint.calls[0].json()["message"]["orderingKey"] == "k"


def test_a_message_that_fails_too_often_is_dead_lettered(tmp_path: Path) -> None:
    policy = types.DeadLetterPolicy(dead_letter_topic=DEAD, max_delivery_attempts=5)
    with PushCloud(tmp_path, Clock(speed=50)) as cloud, StandIn(replies(500)) as endpoint:
        cloud.subscribe(endpoint.url, dead_letter_policy=policy)
        dead = types.Subscription(name=OTHER, topic=DEAD)
        cloud.pubsub.create_subscription(types.Subscription.pb(dead))
        cloud.publish(b"poison")
        cloud.ended(5)
        with cloud.pubsub.changed:
            assert cloud.pubsub.changed.wait_for(
                lambda: cloud.pubsub.backlog() == {SUBSCRIPTION: 0, OTHER: 1}, WAIT_SECONDS
            )
    assert [call.json()["deliveryAttempt"] for call in endpoint.calls] == [1, 2, 3, 4, 5]


def test_two_subscriptions_get_the_same_message(cloud: PushCloud) -> None:
    with StandIn(replies(200)) as one, StandIn(replies(200)) as other:
        cloud.subscribe(one.url)
        cloud.subscribe(other.url, OTHER)
        cloud.publish()
        cloud.wait_until_acked()
    assert id_of(one.calls[0]) == id_of(other.calls[0])
    assert other.calls[0].json()["subscription"] == OTHER


def test_a_hostile_attribute_stops_nothing_when_unwrapped(cloud: PushCloud) -> None:
    with StandIn(replies(200)) as endpoint:
        wrapper = types.PushConfig.NoWrapper(write_metadata=True)
        cloud.subscribe(endpoint.url, push={"no_wrapper": wrapper})
        cloud.publish(b"\xff", bad="line\r\nx-injected: 1", good="1")
        cloud.publish(b"next")
        cloud.wait_until_acked()
    first, _ = sorted(endpoint.calls, key=lambda call: call.headers["x-goog-pubsub-message-id"])
    assert (first.body, first.headers["good"]) == (b"\xff", "1")
    assert not {"bad", "x-injected"} & first.headers.keys()


@pytest.mark.parametrize("audience", ["", "https://worker.example"])
def test_an_authenticated_subscription_sends_a_token(cloud: PushCloud, audience: str) -> None:
    account = "pusher@demo.iam.gserviceaccount.com"
    token = types.PushConfig.OidcToken(service_account_email=account, audience=audience)
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(f"{endpoint.url}/a", push={"oidc_token": token})
        cloud.publish()
        (attempt,) = cloud.ended()
    expected = cloud.tokens.token(account, audience or f"{endpoint.url}/a")
    assert endpoint.calls[0].headers["authorization"] == f"Bearer {expected}"
    assert attempt.request_headers["authorization"] == "Bearer …"


def test_without_an_account_there_is_no_token(cloud: PushCloud) -> None:
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        cloud.ended()
    assert "authorization" not in endpoint.calls[0].headers


# Whatever happens, delivery goes on:


def test_a_subscription_that_is_deleted_under_a_push_stops_nothing(cloud: PushCloud) -> None:
    gate = Gate(replies(500))
    with opened(gate), StandIn(gate) as endpoint, StandIn(replies(200)) as other:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        gate.wait_for(1)
        request = types.DeleteSubscriptionRequest(subscription=SUBSCRIPTION)
        cloud.pubsub.delete_subscription(types.DeleteSubscriptionRequest.pb(request))
        gate.open()
        cloud.ended()
        cloud.subscribe(other.url, OTHER)
        cloud.publish()
        assert cloud.ended()[0].subscription == OTHER
    assert len(endpoint.calls) == 1


def test_without_an_endpoint_messages_wait_for_one(cloud: PushCloud) -> None:
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        cloud.ended()
        cloud.endpoint("")
        _look_around(cloud)
        first = cloud.publish()
        cloud.subscribe(endpoint.url, OTHER)
        second = cloud.publish()
        assert cloud.ended()[0].message_id == second
        _look_around(cloud)
        cloud.endpoint(endpoint.url)
        assert {one.message_id for one in cloud.ended(2)} == {first, second}


def test_an_endpoint_that_changed_before_the_message_was_leased_counts(cloud: PushCloud) -> None:
    lease, changed = cloud.pubsub.lease, threading.Event()

    def change_first(*arguments: Any) -> Any:
        if not changed.is_set():  # the scheduler has read the old endpoint by now
            changed.set()
            cloud.endpoint(new.url)
        return lease(*arguments)

    with StandIn(replies(200)) as old, StandIn(replies(200)) as new:
        cloud.pubsub.lease = change_first  # type: ignore[method-assign,assignment]
        cloud.subscribe(old.url)
        cloud.publish()
        cloud.wait_until_acked()
    assert (len(old.calls), len(new.calls)) == (0, 1)


def test_what_is_leased_when_the_endpoint_is_gone_is_given_back(cloud: PushCloud) -> None:
    lease, given_back = cloud.pubsub.lease, threading.Event()
    release = cloud.pubsub.release

    def change_first(*arguments: Any) -> Any:
        cloud.endpoint("")
        return lease(*arguments)

    def tell(*arguments: Any) -> None:
        release(*arguments)
        given_back.set()

    with StandIn(replies(200)) as endpoint:
        cloud.pubsub.lease = change_first  # type: ignore[method-assign,assignment]
        cloud.pubsub.release = tell  # type: ignore[method-assign,assignment]
        cloud.subscribe(endpoint.url)
        cloud.publish()
        assert given_back.wait(WAIT_SECONDS)
    assert [one.attempt for one in lease(SUBSCRIPTION, 9, 9.0)] == [1]
    assert not endpoint.calls


@pytest.mark.parametrize("place", ["on_attempt", "begin", "token"])
def test_an_error_of_our_own_never_ends_delivery(
    cloud: PushCloud, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = threading.Event()
    broken.set()
    holder: Any = {
        "on_attempt": cloud.pusher, "begin": cloud.deliveries, "token": cloud.tokens
    }[place]  # fmt: skip
    name = "_on_attempt" if place == "on_attempt" else place
    good = getattr(holder, name)

    def fail_once(*arguments: Any) -> Any:
        if broken.is_set():
            broken.clear()
            raise RuntimeError("planted")
        return good(*arguments)

    setattr(holder, name, fail_once)
    token = types.PushConfig.OidcToken(service_account_email="a@demo.iam.gserviceaccount.com")
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url, push={"oidc_token": token})
        cloud.publish()
        cloud.wait_until_acked()
    assert capsys.readouterr().err == "push delivery: RuntimeError: planted\n"


def test_an_error_of_the_scheduler_is_survived(
    cloud: PushCloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.local.pubsub.push.pusher._TROUBLE_SECONDS", 0.01)
    lease, calls = cloud.pubsub.lease, []

    def fail_twice(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) <= 2:
            raise RuntimeError("planted")
        return lease(*arguments)

    monkeypatch.setattr(cloud.pubsub, "lease", fail_twice)
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        cloud.wait_until_acked()
    assert capsys.readouterr().err == "push delivery: RuntimeError: planted\n"


def test_stop_cuts_what_is_under_way_and_gives_it_back(tmp_path: Path) -> None:
    gate = Gate()
    with opened(gate), StandIn(gate) as endpoint:
        with PushCloud(tmp_path) as cloud:
            cloud.subscribe(endpoint.url)
            ids = {cloud.publish() for _ in range(10)}
            gate.wait_for(FIRST_WINDOW)
            cloud.pusher.stop()
            assert not cloud.pusher._scheduler.is_alive()
            waiting = cloud.pubsub.lease(SUBSCRIPTION, 100, 10.0)
            cut = cloud.ended(FIRST_WINDOW)
        assert {one.message_id for one in waiting} == ids
        assert {one.attempt for one in waiting} == {1}
        assert {one.reason for one in cut} == {"push delivery was stopped"}


def test_stop_gives_back_what_a_burst_held(still: PushCloud) -> None:
    still.faults.set(replace(still.faults.get(), burst=20))
    leased = _leases(still)
    still.subscribe(f"http://{unused_address()}")
    message_id = still.publish()
    assert leased.wait(WAIT_SECONDS)
    still.pusher.stop()
    assert [one.message_id for one in still.pubsub.lease(SUBSCRIPTION, 9, 9.0)] == [message_id]


def test_stop_without_start_is_fine(tmp_path: Path) -> None:
    cloud = PushCloud(tmp_path)
    with contextlib.closing(cloud.pubsub), contextlib.closing(cloud.deliveries):
        cloud.pusher.stop()


# Faults:


def test_a_duplicate_is_pushed_although_the_message_was_acked(cloud: PushCloud) -> None:
    cloud.faults.set(replace(cloud.faults.get(), duplicate=1.0))
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        ids = [cloud.publish() for _ in range(10)]
        attempts = cloud.ended(20)
        cloud.wait_until_acked()
    assert sorted(id_of(call) for call in endpoint.calls) == sorted(ids * 2)
    assert sorted(one.fault for one in attempts) == [""] * 10 + ["duplicate"] * 10


def test_a_dropped_answer_brings_the_message_again(cloud: PushCloud) -> None:
    cloud.faults.set(replace(cloud.faults.get(), drop_answer=1.0))
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        (dropped,) = cloud.ended()
        assert (dropped.result, dropped.status, dropped.fault) == ("dropped", 200, "drop_answer")
        cloud.faults.set(replace(cloud.faults.get(), drop_answer=0.0))
        while cloud.ended()[0].result != "ack":
            pass
        cloud.wait_until_acked()


def test_a_delay_comes_before_the_push(cloud: PushCloud) -> None:
    cloud.faults.set(replace(cloud.faults.get(), delay_seconds=0.02))
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        assert cloud.ended()[0].fault == "delay"


def test_a_burst_waits_for_enough_messages_and_ignores_the_window(cloud: PushCloud) -> None:
    cloud.faults.set(replace(cloud.faults.get(), burst=20))
    gate = Gate()
    with opened(gate), StandIn(gate) as endpoint:
        cloud.subscribe(endpoint.url)
        for _ in range(20):
            assert not endpoint.calls
            cloud.publish()
        gate.wait_for(20)
        gate.open()
        assert {one.fault for one in cloud.ended(20)} == {"burst"}


def _leases(cloud: PushCloud) -> threading.Event:
    """Is set when push delivery has leased something."""
    leased, lease = threading.Event(), cloud.pubsub.lease

    def tell(*arguments: Any) -> Any:
        if found := lease(*arguments):
            leased.set()
        return found

    cloud.pubsub.lease = tell  # type: ignore[method-assign,assignment]
    return leased


def test_a_burst_that_stays_small_goes_after_a_while(still: PushCloud) -> None:
    still.faults.set(replace(still.faults.get(), burst=20))
    leased = _leases(still)
    with StandIn(replies(200)) as endpoint:
        still.subscribe(endpoint.url)
        still.publish()
        assert leased.wait(WAIT_SECONDS)
        assert not endpoint.calls
        still.clock.advance(2)
        assert still.ended()[0].fault == "burst"


def test_a_pause_holds_everything_until_it_ends(cloud: PushCloud) -> None:
    paused = replace(cloud.faults.get(), paused=True)
    cloud.faults.set(paused)
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        _look_around(cloud)
        assert not endpoint.calls
        cloud.faults.set(replace(paused, paused=False))
        cloud.ended()


def test_reorder_pushes_in_any_order(cloud: PushCloud) -> None:
    cloud.faults.set(replace(cloud.faults.get(), reorder=True, burst=30))
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        ids = [cloud.publish() for _ in range(30)]
        attempts = sorted(cloud.ended(30), key=lambda one: one.id)
    pushed = [one.message_id for one in attempts]
    assert sorted(pushed) == ids
    assert pushed != ids
    assert {one.fault for one in attempts} == {"burst, reorder"}


# Once more:


def test_a_redelivery_pushes_the_same_message_and_changes_nothing_else(cloud: PushCloud) -> None:
    with StandIn(replies(200, 500)) as endpoint:
        cloud.subscribe(endpoint.url)
        data = b"x" * 100_000  # more than a Delivery shows
        cloud.publish(data, tenant="a")
        (first,) = cloud.ended()
        cloud.wait_until_acked()
        cloud.pusher.redeliver(first.delivery_id)
        (second,) = cloud.ended()
    assert endpoint.calls[0].json() == endpoint.calls[1].json()
    assert (second.delivery_id, second.attempt) == (first.delivery_id, 2)
    assert (second.result, second.fault) == ("nack", "redeliver")
    assert cloud.pubsub.backlog() == {SUBSCRIPTION: 0}


def test_what_cannot_be_delivered_again_is_refused(cloud: PushCloud) -> None:
    with pytest.raises(ApiError, match="there is no delivery 7") as unknown:
        cloud.pusher.redeliver(7)
    assert unknown.value.code is Code.NOT_FOUND
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        (attempt,) = cloud.ended()
        cloud.endpoint("")
        with pytest.raises(ApiError, match="has no push endpoint") as pulled:
            cloud.pusher.redeliver(attempt.delivery_id)
        assert pulled.value.code is Code.FAILED_PRECONDITION
    cloud.pusher.stop()
    with pytest.raises(ApiError, match="stopped"):
        cloud.pusher.redeliver(attempt.delivery_id)


def test_the_topic_of_a_delivery_is_where_it_was_published(cloud: PushCloud) -> None:
    with StandIn(replies(200)) as endpoint:
        cloud.subscribe(endpoint.url)
        cloud.publish()
        cloud.ended()
    assert cloud.deliveries.recent(limit=1)[0].topic == TOPIC
