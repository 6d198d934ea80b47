"""What is read of entries and time series: whatever they hold, it is read or left out."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smoke.planted import BEGAN, REVISION, entry
from worker.smoke.measured import backlog_of, responses_of
from worker.smoke.processed import Processed, processed_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def some_of(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of these fields, with anything in them."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, JSON))


TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)
ENTRIES = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": JSON | TIMES,
        "resource": JSON | some_of("labels"),
        "jsonPayload": JSON
        | some_of("outcome", "status", "reason", "seconds", "queue_seconds", "nonce").map(
            lambda payload: {"event": "message.processed", **payload}
        ),
    },
)
NUMBERS = st.integers() | st.integers().map(str)
REAL = st.fixed_dictionaries(
    {
        "interval": st.fixed_dictionaries({"endTime": TIMES}),
        "value": st.fixed_dictionaries({"int64Value": NUMBERS}),
    }
)
ODD = JSON | st.fixed_dictionaries({"interval": JSON, "value": JSON})
POINTS = st.lists(REAL | ODD, max_size=3)
SERIES = st.lists(
    st.fixed_dictionaries({}, optional={"metric": JSON, "points": JSON | POINTS}), max_size=3
)


@given(ENTRIES)
def test_whatever_an_entry_holds_it_is_read_or_is_none(found: dict[str, Any]) -> None:
    one = Processed.of(found)
    if one is not None:
        texts = (one.service, one.revision, one.outcome, one.reason)
        assert all(isinstance(text, str) for text in texts)
        assert one.time.tzinfo is not None
        assert 0 <= one.status < 1000
        assert math.isfinite(one.seconds)
        assert one.arrived <= one.time
        assert isinstance(one.final, bool)


@given(st.lists(ENTRIES, max_size=3))
def test_whatever_entries_hold_they_are_in_the_order_of_time(found: list[dict[str, Any]]) -> None:
    times = [one.time for one in processed_of(found, "smoke-1")]
    assert times == sorted(times)


def test_an_entry_says_when_the_request_came_and_by_whom_it_was_handled() -> None:
    one = Processed.of(entry({"outcome": "done", "seconds": 0.5, "queue_seconds": 2}))
    assert one is not None
    assert one.time - one.arrived == timedelta(seconds=0.5)
    assert (one.service, one.revision, one.queue_seconds) == ("feature-worker", REVISION, 2.0)


def test_with_log_sink_api_the_job_is_the_service() -> None:
    resource = {"type": "generic_task", "labels": {"job": "feature-worker"}}
    one = Processed.of(entry({}, resource=resource))
    assert one is not None
    assert one.service == "feature-worker"


@pytest.mark.parametrize(
    "time",
    [
        None, "soon", "2026-11-21T19:00:00", "0001-01-01T00:00:00+23:00",
        "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",  # nothing can be taken away, or added
    ],
)  # fmt: skip
def test_an_entry_without_a_time_is_none(time: str | None) -> None:
    assert Processed.of(entry({}, timestamp=time)) is None


def test_only_canonical_entries_count() -> None:
    assert Processed.of(entry({"event": "smoke_test.passed"})) is None


def point(value: int, seconds: float) -> dict[str, Any]:
    time = BEGAN + timedelta(seconds=seconds)
    return {"interval": {"endTime": time.isoformat()}, "value": {"int64Value": str(value)}}


def test_pushes_are_counted_by_class_since_the_message_was_sent() -> None:
    series = [
        {"metric": {"labels": {"response_class": "ack"}}, "points": [point(2, 60), point(9, -1)]},
        {"metric": {"labels": {"response_class": "unreachable"}}, "points": [point(0, 60)]},
        {"metric": {"labels": {"response_class": "ack"}}, "points": [point(1, 0)]},
    ]
    assert responses_of(series, BEGAN) == {"ack": 3}


def test_the_newest_measurement_of_the_backlog_counts() -> None:
    counts = [{"points": [point(7, 60), point(9, 0)]}]
    found = backlog_of(counts, [{"points": [point(90, 60)]}])
    assert found is not None
    assert (found.messages, found.time) == (7, BEGAN + timedelta(seconds=60))
    assert found.oldest == BEGAN - timedelta(seconds=30)
    assert backlog_of([], []) is None
    empty = backlog_of([{"points": [point(0, 60)]}], [{"points": [point(0, 60)]}])
    assert empty is not None
    assert empty.oldest is None


@given(SERIES, SERIES)
def test_whatever_a_series_holds_it_is_read_or_left_out(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    assert all(count > 0 for count in responses_of(one, BEGAN).values())
    found = backlog_of(one, other)
    assert found is None or found.messages >= 0
