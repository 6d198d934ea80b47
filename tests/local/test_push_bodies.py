"""worker.local.pubsub.push.bodies: the requests are what Pub/Sub documents."""

import json
import string
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.push_delivery import SUBSCRIPTION, leased, target_of
from worker.envelope import decode
from worker.local.pubsub.push.bodies import PushRequest, Trace, fresh_trace, request_of
from worker.message import Form, Message, Push
from worker.trace import trace_of

TRACE = Trace("0af7651916cd43dd8448eb211c80319c", "00f067aa0ba902b7")
UNWRAPPED: dict[str, Any] = {"unwrapped": True, "write_metadata": True}

# What Pub/Sub carries: any text, without lone surrogates.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.integers(0, 4_102_444_800_000).map(lambda milliseconds: milliseconds / 1000)
# What a header can carry, and an attribute that comes back as one.
WORDS = st.text(string.ascii_lowercase + string.digits + "_", min_size=1).map("x{}".format)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20).map(str.strip)


def request(message: Any = None, *, token: str = "", **target: Any) -> PushRequest:
    return request_of(message or leased(), target_of(**target), TRACE, token)


def body_of(message: Any = None, **target: Any) -> Any:
    return json.loads(request(message, **target).body)


def read(sent: PushRequest) -> Message:
    """What our worker makes of it: headers as they are after their way over the wire."""
    received = tuple((name, value.encode().decode()) for name, value in sent.headers)
    return decode(Push(received, sent.body))


def test_a_wrapped_body_has_both_spellings_and_nothing_that_is_not_there() -> None:
    message = leased("17", data=b"hi", attributes={"a": "1"}, publish_time=1_614_366_835.749)
    assert body_of(message) == {
        "message": {
            "attributes": {"a": "1"},
            "data": "aGk=",
            "messageId": "17",
            "message_id": "17",
            "publishTime": "2021-02-26T19:13:55.749Z",
            "publish_time": "2021-02-26T19:13:55.749Z",
        },
        "subscription": SUBSCRIPTION,
    }


def test_data_and_attributes_are_absent_when_they_are_empty() -> None:
    assert "data" not in body_of(leased(data=b"", attributes={"a": "1"}))["message"]
    assert "attributes" not in body_of(leased())["message"]


def test_the_ordering_key_is_there_only_if_the_message_has_one() -> None:
    assert body_of(leased(ordering_key="k"))["message"]["orderingKey"] == "k"
    assert "orderingKey" not in body_of()["message"]


def test_the_attempt_is_told_only_with_a_dead_letter_policy() -> None:
    assert body_of(leased(attempt=3), dead_letter=True)["deliveryAttempt"] == 3
    assert "deliveryAttempt" not in body_of(leased(attempt=3))


def test_the_headers_are_those_of_the_service_and_of_the_front_end() -> None:
    assert dict(request().headers) == {
        "accept": "application/json",
        "content-type": "application/json",
        "from": "noreply@google.com",
        "user-agent": "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
        "traceparent": f"00-{TRACE.trace}-{TRACE.span}-01",
        "x-cloud-trace-context": f"{TRACE.trace}/{int(TRACE.span, 16)};o=1",
    }


def test_both_spellings_of_the_trace_name_the_same_one() -> None:
    trace = fresh_trace()
    for name, value in trace.headers():
        found = trace_of(Push(((name, value),), b""))
        assert found is not None
        assert found == (trace.trace, trace.span, True)
    assert trace != fresh_trace()


def test_a_token_is_sent_as_a_bearer_and_never_shown() -> None:
    sent = request(token="secret")
    assert dict(sent.headers)["authorization"] == "Bearer secret"
    assert sent.shown()["authorization"] == "Bearer …"
    assert "authorization" not in dict(request().headers)


def test_an_unwrapped_body_is_the_data_alone() -> None:
    sent = request(leased(data=b"\xff\x00", attributes={"a": "1"}), unwrapped=True)
    assert sent.body == b"\xff\x00"
    assert not [name for name, _ in sent.headers if name.startswith("x-goog") or name == "a"]


def test_unwrapped_metadata_and_attributes_are_headers() -> None:
    message = leased("17", attributes={"Tenant": "ä"}, ordering_key="k", publish_time=0.25)
    headers = dict(request(message, **UNWRAPPED).headers)
    assert headers["x-goog-pubsub-subscription-name"] == SUBSCRIPTION
    assert headers["x-goog-pubsub-message-id"] == "17"
    assert headers["x-goog-pubsub-publish-time"] == "1970-01-01T00:00:00.250Z"
    assert headers["x-goog-pubsub-ordering-key"] == "k"
    assert headers["tenant"] == "ä"


def test_an_attribute_may_replace_the_content_type() -> None:
    message = leased(attributes={"Content-Type": "text/plain"})
    found = [value for name, value in request(message, **UNWRAPPED).headers if "content" in name]
    assert found == ["text/plain"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lines", "a\r\nx-injected: 1"),
        ("null", "\x00"),
        ("two words", "a"),
        ("", "a"),
        ("schlüssel", "a"),
        ("Host", "evil"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "close"),
        ("Authorization", "Bearer mine"),
        ("X-Goog-Pubsub-Message-Id", "99"),
        ("traceparent", "00-1-1-01"),
    ],
)
def test_an_attribute_that_cannot_be_a_header_is_left_out(name: str, value: str) -> None:
    message = leased(attributes={name: value, "kept": "1"})
    sent = request(message, **UNWRAPPED)
    plain = request(leased(attributes={"kept": "1"}), **UNWRAPPED)
    assert sent == plain


@given(TEXT.filter(bool), TEXT)
def test_whatever_an_attribute_is_the_request_can_be_sent(name: str, value: str) -> None:
    sent = request(leased(attributes={name: value}, ordering_key=value), **UNWRAPPED)
    for header, text in sent.headers:
        assert header.isascii()
        assert not set(f"{header}{text}") & {"\r", "\n", "\0"}


@given(
    data=st.binary(),
    attributes=st.dictionaries(TEXT.filter(bool), TEXT, max_size=5),
    key=TEXT,
    published=TIMES,
    attempt=st.integers(1, 100),
)
def test_what_is_wrapped_is_what_the_worker_reads(
    data: bytes, attributes: dict[str, str], key: str, published: float, attempt: int
) -> None:
    message = leased(
        data=data, attributes=attributes, ordering_key=key, publish_time=published, attempt=attempt
    )
    assert read(request(message, dead_letter=True)) == Message(
        "1",
        data,
        attributes,
        Form.WRAPPED,
        subscription=SUBSCRIPTION,
        publish_time=datetime.fromtimestamp(published, UTC).replace(
            microsecond=round(published % 1 * 1000) % 1000 * 1000
        ),
        delivery_attempt=attempt,
        ordering_key=key,
    )


@given(data=st.binary(), attributes=st.dictionaries(WORDS, VALUES, max_size=5), key=VALUES)
def test_what_is_unwrapped_is_what_the_worker_reads(
    data: bytes, attributes: dict[str, str], key: str
) -> None:
    message = leased(data=data, attributes=attributes, ordering_key=key)
    found = read(request(message, **UNWRAPPED))
    # From and the rest of our own headers would be attributes to it: it cannot know.
    carried = {name: value for name, value in found.attributes.items() if name in attributes}
    assert (found.id, found.data, found.form) == ("1", data, Form.UNWRAPPED)
    assert (found.subscription, found.ordering_key) == (SUBSCRIPTION, key)
    assert carried == attributes


@given(st.binary())
def test_without_metadata_the_worker_reads_the_data(data: bytes) -> None:
    found = read(request(leased(data=data), unwrapped=True))
    assert (found.data, found.form) == (data, Form.UNWRAPPED_NO_METADATA)
