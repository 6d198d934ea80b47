"""Filters of time series: what is read from them, and that anything else is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.errors import ApiError, Code
from worker.local.monitoring.filter import parse

METRIC = 'metric.type="pubsub.googleapis.com/subscription/push_request_count"'
SERIES = {
    "project": "demo",
    "metric.type": "pubsub.googleapis.com/subscription/push_request_count",
    "metric.labels.response_class": "ack",
    "resource.type": "pubsub_subscription",
    "resource.labels.subscription_id": "feature-worker",
}


@pytest.mark.parametrize(
    "text",
    [
        "",
        ' AND resource.labels.subscription_id="feature-worker"',
        " AND resource.label.subscription_id = 'feature-worker'",
        ' resource.label."subscription_id"="feature-worker"',
        '\n  AND resource.type = "pubsub_subscription"\nAND project="demo"  ',
        ' AND metric.labels.response_class != "unreachable"',
        ' AND metric.labels.nothing != "a"',
        r' AND resource.labels.subscription_id="feature\-worker"',
    ],
)
def test_a_series_matches(text: str) -> None:
    found = parse(METRIC + text)
    assert found.metric == SERIES["metric.type"]
    assert found.matches(SERIES)


@pytest.mark.parametrize(
    "text",
    [
        ' AND resource.labels.subscription_id="other"',
        ' AND resource.labels.subscription_id="Feature-Worker"',
        ' AND resource.type="pubsub_topic"',
        ' AND metric.labels.response_class!="ack"',
        ' AND metric.labels.nothing="a"',
        ' AND project="other"',
    ],
)
def test_a_series_does_not_match(text: str) -> None:
    assert not parse(METRIC + text).matches(SERIES)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at column 1: want metric.type"),
        ('resource.type="pubsub_subscription"', "it must name one metric"),
        (f'{METRIC} AND metric.type="other"', "it must name one metric"),
        ('metric.type!="a"', "it must name one metric"),
        (f"{METRIC} AND", "at column 72: want metric.type"),
        (f"{METRIC} AND ", "at column 72: want metric.type"),
        (f'{METRIC} OR project="a"', "want metric.type"),
        (f'{METRIC} AND NOT project="a"', "want metric.type"),
        (f"({METRIC})", "at column 1: want metric.type"),
        (f'{METRIC}project="a"', "at column 68: want AND"),
        (f"{METRIC} AND project=a", "want metric.type"),
        (f'{METRIC} AND project>"a"', "want metric.type"),
        (f'{METRIC} AND project="a', "want metric.type"),
        ('metric.type=starts_with("pubsub")', "at column 1: want metric.type"),
        (METRIC + ' AND project="a"' * 200, "longer than 2048 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_place(text: str, says: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(text)
    assert refused.value.code is Code.INVALID_ARGUMENT
    assert says in str(refused.value)


@given(value=st.text(max_size=50), quote=st.sampled_from("\"'"))
def test_any_value_can_be_written(value: str, quote: str) -> None:
    written = value.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    found = parse(f"{METRIC} AND resource.labels.subscription_id={quote}{written}{quote}")
    assert found.matches({**SERIES, "resource.labels.subscription_id": value})


PARTS = [
    METRIC,
    " AND ",
    " ",
    "project",
    "=",
    "!=",
    '"',
    "'",
    "\\",
    "resource.labels.",
    "a",
    "(",
    "\n",
]


@given(st.text(max_size=60) | st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ApiError):
        assert parse(text).metric in text.replace("\\", "")


@pytest.mark.parametrize(
    "text", ['metric.type="' + "\\" * 2000, " " * 2040, METRIC + " " * 1900 + "x"]
)
def test_a_long_filter_is_refused_quickly(text: str) -> None:
    with pytest.raises(ApiError):
        parse(text)
