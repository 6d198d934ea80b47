"""Time series of the laptop cloud: what Pub/Sub's subscriptions have, as Monitoring shows it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

from tests.local.pubsub_support import (
    DEAD_LETTERS,
    NOW,
    make_topics,
    opened,
    send,
    stopped_clock,
    subscribe,
)
from tests.local.pubsub_support import SUBSCRIPTION as NAME
from tests.support.push_delivery import leased
from worker.local.clock import Clock
from worker.local.monitoring.rest import blueprint
from worker.local.monitoring.series import PREFIX, PushMetrics
from worker.local.pubsub.push.deliveries import Attempt, Deliveries
from worker.local.pubsub.service import PubSub

SERIES = "/v3/projects/demo/timeSeries"
MINUTE = 60.0
assert NOW % MINUTE == 0


class Stage:
    """A Pub/Sub whose time stands still, and what was pushed from it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(machine=lambda: NOW)
        self.pubsub = PubSub(folder, self.clock)
        self.deliveries = Deliveries(folder)
        make_topics(self.pubsub)
        app = flask.Flask("test")
        metrics = PushMetrics("demo", self.pubsub, self.deliveries)
        app.register_blueprint(blueprint(metrics, "demo", self.clock))
        self.client = app.test_client()

    def close(self) -> None:
        self.deliveries.close()
        self.pubsub.close()

    def pushed(self, result: Any, status: int = 0, ago: float = 0.0, name: str = NAME) -> None:
        """A push that began so many seconds ago, and has ended."""
        plain = Attempt(
            id=0, delivery_id=0, subscription=name, message_id="1", attempt=1,
            endpoint="http://127.0.0.1:1/", started=self.clock.now() - ago,
            status=status, result=result,
        )  # fmt: skip
        self.deliveries.end(self.deliveries.begin(leased("1"), plain))

    def series(self, metric: str, subscription: str = "", **options: Any) -> list[dict[str, Any]]:
        wanted = f' AND resource.labels.subscription_id="{subscription}"' if subscription else ""
        answer = ask(self.client, f'metric.type="{PREFIX}{metric}"{wanted}', **options)
        assert answer.status_code == 200, answer.json
        found: list[dict[str, Any]] = answer.get_json()["timeSeries"]
        return found


def ask(client: FlaskClient, text: str, begin: float = -600, end: float = 0, **more: str) -> Any:
    """`begin` and `end` are seconds from now."""
    interval = {"interval.startTime": time(begin), "interval.endTime": time(end)}
    return client.get(SERIES, query_string={"filter": text, **interval, **more})


def time(seconds: float) -> str:
    """So many seconds from now, in whole ones, as callers write it."""
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def values(series: dict[str, Any]) -> list[int]:
    return [int(point["value"]["int64Value"]) for point in series["points"]]


def by_class(found: list[dict[str, Any]]) -> dict[str, int]:
    return {one["metric"]["labels"]["response_class"]: sum(values(one)) for one in found}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.close()


def test_the_backlog_is_what_waits_now(stage: Stage) -> None:
    subscribe(stage.pubsub)
    send(stage.pubsub, "one", "two")
    (found,) = stage.series("num_undelivered_messages", "feature-worker")
    assert found == {
        "metric": {"type": f"{PREFIX}num_undelivered_messages", "labels": {}},
        "resource": {
            "type": "pubsub_subscription",
            "labels": {"project_id": "demo", "subscription_id": "feature-worker"},
        },
        "metricKind": "GAUGE",
        "valueType": "INT64",
        "points": [
            {
                "interval": {
                    "startTime": "2027-01-15T08:00:00Z",
                    "endTime": "2027-01-15T08:00:00Z",
                },
                "value": {"int64Value": "2"},
            }
        ],
    }


def test_the_oldest_message_grows_older_until_it_is_acked(stage: Stage) -> None:
    subscribe(stage.pubsub)
    assert values(stage.series("oldest_unacked_message_age", "feature-worker")[0]) == [0]
    send(stage.pubsub, "one")
    stage.clock.advance(42)
    send(stage.pubsub, "two")
    assert values(stage.series("oldest_unacked_message_age", "feature-worker")[0]) == [42]
    (first,) = stage.pubsub.lease(NAME, 1, 10.0)
    stage.pubsub.ack(NAME, [first.ack_id])
    assert values(stage.series("oldest_unacked_message_age", "feature-worker")[0]) == [0]
    assert values(stage.series("num_undelivered_messages", "feature-worker")[0]) == [1]


def test_what_was_acked_and_is_kept_for_a_seek_does_not_wait(stage: Stage) -> None:
    subscribe(stage.pubsub, retain_acked_messages=True)
    send(stage.pubsub, "one")
    (one,) = stage.pubsub.lease(NAME, 1, 10.0)
    stage.pubsub.ack(NAME, [one.ack_id])
    stage.clock.advance(5)
    assert values(stage.series("num_undelivered_messages", "feature-worker")[0]) == [0]
    assert values(stage.series("oldest_unacked_message_age", "feature-worker")[0]) == [0]


@pytest.mark.parametrize(
    ("result", "status", "kind"),
    [
        ("ack", 200, "ack"),
        ("nack", 403, "remote_server_4xx"),
        ("nack", 503, "remote_server_5xx"),
        ("nack", 301, "invalid"),
        ("nack", 203, "invalid"),
        ("deadline", 0, "deadline_exceeded"),
        ("unreachable", 0, "unreachable"),
        ("dropped", 200, "unreachable"),
    ],
)
def test_a_push_is_counted_by_its_response_class(
    stage: Stage, result: str, status: int, kind: str
) -> None:
    stage.pushed(result, status)
    stage.pushed(result, status, ago=1.0)
    found = stage.series("push_request_count", "feature-worker")
    assert by_class(found) == {kind: 2}
    assert found[0]["metricKind"] == "DELTA"


def test_a_push_that_is_under_way_is_not_counted(stage: Stage) -> None:
    stage.pushed("pending")
    assert stage.series("push_request_count") == []


def test_pushes_are_counted_by_the_minute_newest_first(stage: Stage) -> None:
    stage.clock.advance(30)
    for ago in (0, 10, 40, 100, 120, 200):
        stage.pushed("ack", 200, ago=ago)
    (found,) = stage.series("push_request_count", begin=-600)
    assert values(found) == [2, 1, 2, 1]
    begins = [point["interval"]["startTime"] for point in found["points"]]
    ends = [point["interval"]["endTime"] for point in found["points"]]
    assert begins == sorted(begins, reverse=True)
    assert all(begin < end for begin, end in zip(begins, ends, strict=True))


def test_pushes_outside_of_the_interval_are_not_counted(stage: Stage) -> None:
    for ago in (30, 90, 150):
        stage.pushed("ack", 200, ago=ago)
    (found,) = stage.series("push_request_count", begin=-120, end=-60)
    assert values(found) == [1]
    (point,) = found["points"]
    assert point["interval"] == {"startTime": time(-120), "endTime": time(-60)}


def test_a_minute_begins_no_earlier_than_the_interval(stage: Stage) -> None:
    stage.pushed("ack", 200, ago=80)
    (found,) = stage.series("push_request_count", begin=-90)
    assert found["points"][0]["interval"] == {"startTime": time(-90), "endTime": time(-60)}


def test_the_last_second_of_the_interval_counts_in_full(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    try:
        stage.clock.advance(0.9)
        stage.pushed("ack", 200, ago=0.1)
        stage.clock._skipped = 0.0  # the machine's time has caught up
        assert by_class(stage.series("push_request_count", end=0)) == {"ack": 1}
        assert stage.series("push_request_count", end=-1) == []
    finally:
        stage.close()


def test_a_filter_may_ask_for_one_class_or_for_all_subscriptions(stage: Stage) -> None:
    stage.pushed("ack", 200)
    stage.pushed("nack", 500)
    stage.pushed("ack", 200, name="projects/demo/subscriptions/other")
    asked = f'metric.type="{PREFIX}push_request_count"'
    one = ask(stage.client, f'{asked} AND metric.labels.response_class="remote_server_5xx"')
    assert by_class(one.get_json()["timeSeries"]) == {"remote_server_5xx": 1}
    names = [
        one["resource"]["labels"]["subscription_id"]
        for one in ask(stage.client, asked).get_json()["timeSeries"]
    ]
    assert names == ["feature-worker", "feature-worker", "other"]


def test_dead_letters_are_counted_where_they_come_from(stage: Stage) -> None:
    subscribe(stage.pubsub, dead_letter_policy=DEAD_LETTERS)
    send(stage.pubsub, "one", "two")
    for _ in range(5):
        ids = [one.ack_id for one in stage.pubsub.lease(NAME, 9, 10.0)]
        assert stage.series("dead_letter_message_count") == []
        stage.pubsub.nack(NAME, ids)
    (found,) = stage.series("dead_letter_message_count")
    assert found["resource"]["labels"]["subscription_id"] == "feature-worker"
    assert values(found) == [2]
    assert stage.series("dead_letter_message_count", "feature-worker-dead") == []


def give_up(pubsub: PubSub) -> None:
    """One message of a new subscription becomes a dead letter."""
    subscribe(pubsub, dead_letter_policy=DEAD_LETTERS)
    send(pubsub, "one")
    for _ in range(5):
        pubsub.nack(NAME, [one.ack_id for one in pubsub.lease(NAME, 9, 10.0)])


def test_a_dead_letter_is_remembered_over_a_restart_of_a_clock_that_was_ahead(
    tmp_path: Path,
) -> None:
    clock = stopped_clock()
    with opened(tmp_path, clock) as pubsub:
        make_topics(pubsub)
        clock.advance(3600)
        give_up(pubsub)
    with opened(tmp_path) as pubsub:
        assert pubsub.dead_lettered(NOW - 1, NOW + 1) == [(NAME, NOW)]


def test_dead_letters_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as pubsub:
        make_topics(pubsub)
        give_up(pubsub)
    for days, kept in ((6, 1), (8, 0)):
        with opened(tmp_path, stopped_clock(NOW + days * 86_400)) as pubsub:
            send(pubsub, "any change has it tidied up")
            assert len(pubsub.dead_lettered(0.0, NOW + 1)) == kept


def test_times_are_the_machines_however_far_the_clock_is_ahead(stage: Stage) -> None:
    stage.clock.advance(86_400)
    stage.pushed("ack", 200, ago=61)
    subscribe(stage.pubsub)
    (counted,) = stage.series("push_request_count")
    (gauge,) = stage.series("num_undelivered_messages", "feature-worker")
    assert counted["points"][0]["interval"]["startTime"] == time(-120)
    assert gauge["points"][0]["interval"]["endTime"] == time(0)


def test_of_a_gauge_there_is_no_history(stage: Stage) -> None:
    subscribe(stage.pubsub)
    assert stage.series("num_undelivered_messages", begin=-600, end=-60) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('metric.type="pubsub.googleapis.com/subscription/other"', SERIES),
        ('metric.type="run.googleapis.com/request_count"', SERIES),
        ('metric.type="num_undelivered_messages"', SERIES),
        (f'metric.type="{PREFIX}num_undelivered_messages"', "/v3/projects/other/timeSeries"),
    ],
)
def test_what_is_not_known_has_no_series(stage: Stage, text: str, path: str) -> None:
    subscribe(stage.pubsub)
    query = {"filter": text, "interval.endTime": time(0)}
    answer = stage.client.get(path, query_string=query)
    assert (answer.status_code, answer.get_json()) == (200, {"timeSeries": []})


def test_a_subscription_that_is_not_there_has_no_series(stage: Stage) -> None:
    assert stage.series("num_undelivered_messages", "nobody") == []


def test_headers_come_without_points(stage: Stage) -> None:
    subscribe(stage.pubsub)
    found = stage.series("num_undelivered_messages", "feature-worker", view="HEADERS")
    assert "points" not in found[0]


GOOD = {
    "filter": f'metric.type="{PREFIX}num_undelivered_messages"',
    "interval.endTime": "2027-01-15T08:00:00Z",
}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"filter": ""}, "INVALID_ARGUMENT", "Field filter had an invalid value"),
        ({"interval.endTime": ""}, "INVALID_ARGUMENT", "interval.endTime is missing"),
        ({"interval.endTime": "SECRET"}, "INVALID_ARGUMENT", "interval.endTime: want a time"),
        ({"interval.startTime": "SECRET"}, "INVALID_ARGUMENT", "interval.startTime: want a time"),
        ({"interval.startTime": "2027-01-15T08:00:01Z"}, "INVALID_ARGUMENT", "is after"),
        ({"view": "SECRET"}, "INVALID_ARGUMENT", "view: want FULL or HEADERS"),
        ({"aggregation.perSeriesAligner": "ALIGN_SUM"}, "UNIMPLEMENTED", "aggregation"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    stage: Stage, change: dict[str, str], code: str, says: str
) -> None:
    error = stage.client.get(SERIES, query_string=GOOD | change).get_json()["error"]
    assert error["status"] == code
    assert says in error["message"]
    assert "SECRET" not in error["message"]


def test_googles_emulator_has_no_figures() -> None:
    app = flask.Flask("test")
    app.register_blueprint(blueprint(None, "demo", Clock()))
    answer = app.test_client().get(SERIES, query_string=GOOD)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["status"]) == (501, "UNIMPLEMENTED")
    assert "emulator keeps no figures" in error["message"]
    other = GOOD | {"filter": 'metric.type="logging.googleapis.com/user/crashes"'}
    assert app.test_client().get(SERIES, query_string=other).get_json() == {"timeSeries": []}
