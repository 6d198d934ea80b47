"""Every delivery form becomes the same Message; whatever else arrives is a BadEnvelope."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.anything import HEADERS, PUSHES
from tests.support.pushes import (
    EVENTARC,
    METADATA,
    OWN_EVENT,
    PUBLISHED,
    SUBSCRIPTION,
    TOPIC_SOURCE,
    push_of,
    structured,
    unwrapped,
    wrapped,
)
from worker.envelope import PUBSUB_EVENT, decode
from worker.message import Form, Message, Push
from worker.outcome import BadEnvelope

PUBLISHED_AT = datetime(2026, 11, 21, 19, 20, 9, 17000, tzinfo=UTC)

Encode = Callable[[bytes, dict[str, str], str], Push]

# Each form that carries data, attributes and an id: how a sender makes it.
ENCODERS: dict[Form, Encode] = {
    Form.WRAPPED: lambda data, attributes, message_id: push_of(
        wrapped(data, message_id=message_id, attributes=attributes)
    ),
    Form.UNWRAPPED: lambda data, attributes, message_id: unwrapped(
        data, message_id=message_id, attributes=attributes
    ),
    Form.CLOUDEVENT_BINARY: lambda data, attributes, message_id: push_of(
        wrapped(data, message_id=message_id, attributes=attributes), EVENTARC
    ),
    Form.CLOUDEVENT_STRUCTURED: lambda data, attributes, message_id: structured(
        type=PUBSUB_EVENT, data=wrapped(data, message_id=message_id, attributes=attributes)
    ),
    Form.CLOUDEVENT_ATTRIBUTES: lambda data, attributes, message_id: push_of(
        data, {**OWN_EVENT, "ce-id": message_id, **attributes}
    ),
}


def end_of(push: Push) -> Message | BadEnvelope:
    try:
        return decode(push)
    except BadEnvelope as bad:
        return bad


def refusal(push: Push) -> str:
    with pytest.raises(BadEnvelope) as caught:
        decode(push)
    return caught.value.reason


def message_with(**fields: Any) -> Push:
    """A wrapped push whose message has nothing but these fields."""
    return push_of({"message": fields, "subscription": SUBSCRIPTION})


# --- the same content in every form


@pytest.mark.parametrize("form", ENCODERS)
@given(
    data=st.binary(),
    attributes=st.dictionaries(
        st.from_regex(r"app_[a-z0-9_.-]{0,20}", fullmatch=True), st.text(max_size=50), max_size=5
    ),
    message_id=st.text(min_size=1),
)
def test_whatever_is_sent_in_a_form_is_what_arrives(
    form: Form, data: bytes, attributes: dict[str, str], message_id: str
) -> None:
    message = decode(ENCODERS[form](data, attributes, message_id))
    received = {name: v for name, v in message.attributes.items() if name.startswith("app_")}
    assert (message.form, message.data, message.id) == (form, data, message_id)
    assert received == attributes
    assert message.publish_time == PUBLISHED_AT or form is Form.CLOUDEVENT_STRUCTURED
    assert not message.id_derived


@given(PUSHES)
@example(Push((), b"[" * 100_000))
@example(Push((), b'{"message":' + b"[" * 100_000))
@example(Push((), b'{"message":{"data":""},"extra":' + b"9" * 5000 + b"}"))
@example(Push((("x-goog-pubsub-message-id", ""),), b"{}"))
@example(Push((("x-goog-pubsub-message-id", "\ud800"),), b"{}"))
@example(Push((("x-goog-pubsub-publish-time", "\ud800"),), b"{}"))
@example(Push((("ce-specversion", "1.0"), ("ce-id", "\ud800")), b"{}"))
def test_any_bytes_and_headers_are_a_message_or_a_bad_envelope(push: Push) -> None:
    end = end_of(push)
    if isinstance(end, BadEnvelope):
        assert end.reason.startswith("bad envelope: ")
        assert end.reason.isprintable()
    else:
        assert end.id.encode()  # text that can be written anywhere
        assert end.form in Form
        assert end.publish_time is None or end.publish_time.tzinfo is not None


# --- wrapped


def test_a_wrapped_push_is_read_whole() -> None:
    body = wrapped(b"\x00\xff", attributes={"k": "v"}, deliveryAttempt=3)
    body["message"]["orderingKey"] = "customer-7"
    assert decode(push_of(body)) == Message(
        id="1",
        data=b"\x00\xff",
        attributes={"k": "v"},
        form=Form.WRAPPED,
        subscription=SUBSCRIPTION,
        publish_time=PUBLISHED_AT,
        delivery_attempt=3,
        ordering_key="customer-7",
    )


@pytest.mark.parametrize(("id_name", "time_name"), [
    ("messageId", "publishTime"), ("message_id", "publish_time"),
    ("messageId", "publish_time"), ("message_id", "publishTime"),
])  # fmt: skip
def test_either_spelling_of_id_and_time_is_enough(id_name: str, time_name: str) -> None:
    message = decode(message_with(data="", **{id_name: "77", time_name: PUBLISHED}))
    assert (message.id, message.publish_time) == ("77", PUBLISHED_AT)


@pytest.mark.parametrize(
    "fields", [{}, {"data": ""}, {"data": None}, {"attributes": {"k": "v"}}, {"attributes": None}]
)
def test_data_may_be_absent_empty_or_null(fields: dict[str, Any]) -> None:
    message = decode(message_with(messageId="1", **fields))
    assert message.data == b""
    assert message.attributes == (fields.get("attributes") or {})


@pytest.mark.parametrize(
    ("envelope", "attempt"),
    [
        ({}, None),
        ({"deliveryAttempt": None}, None),
        ({"deliveryAttempt": 0}, None),
        ({"deliveryAttempt": 1}, 1),
        ({"deliveryAttempt": 100}, 100),
        ({"delivery_attempt": 5}, 5),
    ],
)
def test_the_delivery_attempt_is_none_without_a_dead_letter_policy(
    envelope: dict[str, Any], attempt: int | None
) -> None:
    assert decode(push_of(wrapped(**envelope))).delivery_attempt == attempt


def test_unknown_fields_of_the_envelope_are_let_through() -> None:
    body = wrapped(somethingNew={"deep": [1]})
    body["message"]["somethingNew"] = 1
    assert decode(push_of(body)).id == "1"


def test_a_message_without_an_id_gets_one_from_its_content() -> None:
    first, again = (decode(message_with(data="YQ==", attributes={"k": "v"})) for _ in range(2))
    assert first.id_derived
    assert first.id == again.id
    for data, value in (("Yg==", "v"), ("YQ==", "w")):
        assert decode(message_with(data=data, attributes={"k": value})).id != first.id


def test_what_a_delivery_does_not_say_is_empty() -> None:
    for push, form in [
        (push_of({"message": {"messageId": "1"}}), Form.WRAPPED),
        (push_of(b"", {"x-goog-pubsub-message-id": "1"}), Form.UNWRAPPED),
    ]:
        assert decode(push) == Message(id="1", data=b"", attributes={}, form=form)


@pytest.mark.parametrize("name", ["messageId", "message_id"])
def test_an_empty_id_is_a_bad_envelope(name: str) -> None:
    assert f"message.{name}" in refusal(message_with(data="", **{name: ""}))


@pytest.mark.parametrize("message", [None, [], "text", 5, True])
def test_a_message_that_is_no_object_is_a_bad_envelope(message: Any) -> None:
    assert "message" in refusal(push_of({"message": message, "subscription": SUBSCRIPTION}))


@pytest.mark.parametrize("top", [{"subscription": SUBSCRIPTION}, {"message": {"data": 5}}])
def test_what_looks_wrapped_but_is_broken_is_not_taken_for_a_payload(top: Any) -> None:
    assert refusal(push_of(top)).startswith("bad envelope: message")


@pytest.mark.parametrize(
    "data", ["a", "YQ=", "YQ", "YQ==YQ==", "Y Q==", "YQ==\n", "Y-_=", "ä", "="]
)
def test_bad_base64_is_a_bad_envelope_that_does_not_repeat_it(data: str) -> None:
    assert refusal(message_with(data=data, messageId="1")) == (
        "bad envelope: message.data: not valid base64"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("publishTime", "yesterday"),
        ("publishTime", "2026-11-21T19:20:09"),
        ("publishTime", "2026-13-21T19:20:09Z"),
        ("publishTime", ""),
        ("publishTime", 1),
        ("orderingKey", 5),
        ("messageId", 5),
        ("data", {}),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(field: str, value: Any) -> None:
    assert refusal(message_with(**{"messageId": "1", field: value})).startswith(
        f"bad envelope: message.{field}: "
    )


@pytest.mark.parametrize("attributes", [[], "a", {"k": 1}, {"k": None}, {"k": {}}])
def test_attributes_are_text_by_name(attributes: Any) -> None:
    assert "message.attributes" in refusal(message_with(messageId="1", attributes=attributes))


@pytest.mark.parametrize("attempt", [-1, 1.5, "1", True, [], 1e30])
def test_a_delivery_attempt_is_a_whole_number(attempt: Any) -> None:
    assert "deliveryAttempt" in refusal(push_of(wrapped(deliveryAttempt=attempt)))


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [
        ("2026-11-21T19:20:09Z", 0),
        ("2026-11-21T19:20:09.5+00:00", 500_000),
        ("2026-11-21T21:20:09.017123456+02:00", 17123),
    ],
)
def test_publish_times_have_any_offset_and_up_to_nanoseconds(text: str, microseconds: int) -> None:
    expected = PUBLISHED_AT.replace(microsecond=microseconds)
    assert decode(message_with(messageId="1", publishTime=text)).publish_time == expected
    headers = {**METADATA, "x-goog-pubsub-publish-time": text}
    assert decode(push_of(b"x", headers)).publish_time == expected


def test_of_duplicate_keys_the_last_one_counts() -> None:
    body = b'{"message": {"messageId": "1", "data": "YQ==", "data": "Yg=="}}'
    assert decode(push_of(body)).data == b"b"


# --- unwrapped


def test_an_unwrapped_push_is_read_from_its_headers() -> None:
    headers = {
        **METADATA,
        "content-type": "text/plain",
        "x-goog-pubsub-ordering-key": "customer-7",
        "idempotency_key": "k1",
    }
    assert decode(push_of(b"\x00{", headers)) == Message(
        id="1",
        data=b"\x00{",
        attributes={"idempotency_key": "k1"},
        form=Form.UNWRAPPED,
        subscription=SUBSCRIPTION,
        publish_time=PUBLISHED_AT,
        ordering_key="customer-7",
    )


def test_the_emulators_spelling_of_the_ordering_key_is_read_too() -> None:
    push = push_of(b"x", {**METADATA, "x-goog-ordering-key": "k"})
    assert decode(push).ordering_key == "k"


def test_a_wrapped_looking_body_is_data_when_the_metadata_is_in_headers() -> None:
    body = json.dumps(wrapped()).encode()
    message = decode(unwrapped(body))
    assert (message.form, message.data) == (Form.UNWRAPPED, body)


def test_an_empty_id_header_is_a_bad_envelope() -> None:
    assert "message-id header is empty" in refusal(unwrapped(b"x", message_id=""))


def test_metadata_without_an_id_gives_a_derived_one() -> None:
    message = decode(push_of(b"x", {"x-goog-pubsub-subscription-name": SUBSCRIPTION}))
    assert (message.form, message.id_derived) == (Form.UNWRAPPED, True)
    assert message.subscription == SUBSCRIPTION


@pytest.mark.parametrize("text", ["yesterday", "2026-11-21", "2026-11-21T19:20:09", '"', "\x00"])
def test_a_bad_publish_time_header_is_a_bad_envelope_that_names_it(text: str) -> None:
    reason = refusal(push_of(b"x", {**METADATA, "x-goog-pubsub-publish-time": text}))
    assert reason.startswith("bad envelope: x-goog-pubsub-publish-time: ")


@pytest.mark.parametrize("coding", ["", "identity", "Identity"])
def test_a_body_that_is_not_compressed_may_say_so(coding: str) -> None:
    headers = {"content-encoding": coding}
    assert decode(push_of(wrapped(), headers)) == decode(push_of(wrapped()))
    assert decode(unwrapped(b"data", attributes=headers)).data == b"data"


@pytest.mark.parametrize(
    "codings", [["gzip"], ["BR"], ["identity", "gzip"], ["gzip, identity"], ["x"]]
)
def test_a_compressed_body_is_a_bad_envelope_in_every_form(codings: list[str]) -> None:
    for push in (push_of(wrapped()), unwrapped(b"data"), structured(), push_of(b"", EVENTARC)):
        compressed = push._replace(
            headers=(*push.headers, *(("content-encoding", coding) for coding in codings))
        )
        with pytest.raises(BadEnvelope, match="content-encoding: a compressed body is not read"):
            decode(compressed)


@pytest.mark.parametrize("content_type", [
    "application/x-www-form-urlencoded", "application/octet-stream", "application/json",
    "multipart/form-data; boundary=x", "text/plain;charset=latin-1", "", "nonsense",
])  # fmt: skip
def test_an_unwrapped_body_may_have_any_content_type(content_type: str) -> None:
    push = push_of(b"a=1&b=%2", {**METADATA, "content-type": content_type})
    assert decode(push).data == b"a=1&b=%2"
    bare = decode(push_of(b"a=1&b=%2", {"content-type": content_type}))
    assert (bare.form, bare.data) == (Form.UNWRAPPED_NO_METADATA, b"a=1&b=%2")


def test_a_hundred_attributes_arrive_as_a_hundred_headers() -> None:
    attributes = {f"attribute-{i}": f"v{i}" for i in range(100)}
    assert decode(unwrapped(b"x", attributes=attributes)).attributes == attributes


@pytest.mark.parametrize("name", [
    "authorization", "cookie", "proxy-authorization", "x-serverless-authorization",
])  # fmt: skip
@pytest.mark.parametrize("headers", [METADATA, OWN_EVENT, {}], ids=["unwrapped", "event", "bare"])
def test_credentials_never_become_attributes(name: str, headers: dict[str, str]) -> None:
    message = decode(push_of(b"x", {**headers, name: "Bearer SECRET"}))
    assert "SECRET" not in str(message)


def test_headers_of_the_way_to_us_are_no_attributes() -> None:
    way = ("host", "user-agent", "from", "traceparent", "x-forwarded-for", "content-length", "via")
    assert decode(unwrapped(b"x", attributes=dict.fromkeys(way, "v"))).attributes == {}


# --- unwrapped without metadata


def test_without_metadata_the_body_makes_the_id_and_the_message_says_so() -> None:
    first, again, other = (decode(push_of(body)) for body in (b"a", b"a", b"b"))
    assert first.form is Form.UNWRAPPED_NO_METADATA
    assert first.id_derived
    assert first.id == again.id != other.id


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'{"feature": "a"}',
        b'"\\ud800"',
        b"NaN",
    ],
)
def test_whatever_is_not_a_wrapped_push_is_the_data_itself(body: bytes) -> None:
    message = decode(push_of(body))
    assert (message.form, message.data) == (Form.UNWRAPPED_NO_METADATA, body)


# --- CloudEvents


def test_eventarcs_binary_mode_is_a_wrapped_push_in_an_event() -> None:
    message = decode(push_of(wrapped(deliveryAttempt=2), EVENTARC))
    assert message.form is Form.CLOUDEVENT_BINARY
    assert (message.id, message.subscription) == ("1", SUBSCRIPTION)
    assert (message.delivery_attempt, message.source) == (2, "")


def test_an_event_fills_in_the_id_and_the_time_that_its_message_lacks() -> None:
    body = {"message": {"data": "YQ=="}, "subscription": SUBSCRIPTION}
    message = decode(push_of(body, EVENTARC))
    assert (message.id, message.id_derived) == ("event-1", False)
    assert message.publish_time == PUBLISHED_AT
    assert message.source == TOPIC_SOURCE


def test_an_eventarc_event_around_something_else_is_a_bad_envelope() -> None:
    assert "message: missing" in refusal(push_of({"feature": "a"}, EVENTARC))


@pytest.mark.parametrize("missing", ["ce-id", "ce-source", "ce-type"])
def test_an_event_that_lacks_a_needed_header_is_a_bad_envelope(missing: str) -> None:
    headers = {name: value for name, value in OWN_EVENT.items() if name != missing}
    assert refusal(push_of(b"{}", headers)) == f"bad envelope: {missing[3:]}: missing"
    assert refusal(push_of(b"{}", {**headers, missing: ""})).startswith(
        f"bad envelope: {missing[3:]}: "
    )


@pytest.mark.parametrize("version", ["0.3", "", "1", "1.0.0"])
def test_another_version_of_cloudevents_is_a_bad_envelope(version: str) -> None:
    assert "specversion" in refusal(push_of(b"{}", {**OWN_EVENT, "ce-specversion": version}))
    assert "specversion" in refusal(structured(specversion=version))


def test_an_event_made_of_attributes_has_the_payload_as_its_body() -> None:
    message = decode(push_of(b"data", OWN_EVENT))
    assert (message.form, message.data) == (Form.CLOUDEVENT_ATTRIBUTES, b"data")
    assert (message.id, message.source) == ("event-1", "//shop/orders")


def test_pubsubs_own_id_counts_before_that_of_an_event_made_of_attributes() -> None:
    message = decode(push_of(b"data", {**OWN_EVENT, **METADATA}))
    assert (message.form, message.id) == (Form.CLOUDEVENT_ATTRIBUTES, "1")
    assert message.subscription == SUBSCRIPTION


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        (
            {"data": {"feature": "a", "n": [1, 2.5, None, "ä"]}},
            '{"feature":"a","n":[1,2.5,null,"ä"]}',
        ),
        ({"data": "text"}, "text"),
        ({"data": [1]}, "[1]"),
        ({"data": None}, ""),
        ({}, ""),
        ({"data_base64": base64.b64encode(b"raw").decode()}, "raw"),
        ({"data_base64": ""}, ""),
    ],
)
def test_a_structured_event_carries_its_data_in_any_of_three_ways(
    fields: dict[str, Any], data: str
) -> None:
    message = decode(structured(**fields, time=PUBLISHED))
    assert (message.form, message.data) == (Form.CLOUDEVENT_STRUCTURED, data.encode())
    assert (message.id, message.source) == ("event-1", "//shop/orders")
    assert message.publish_time == PUBLISHED_AT


def test_a_structured_eventarc_event_may_carry_the_push_in_base64() -> None:
    body = base64.b64encode(json.dumps(wrapped(b"x")).encode()).decode()
    message = decode(structured(type=PUBSUB_EVENT, data_base64=body))
    assert (message.id, message.data) == ("1", b"x")


def test_a_structured_event_fills_in_what_its_message_lacks() -> None:
    push = structured(type=PUBSUB_EVENT, time=PUBLISHED, data={"message": {"data": "YQ=="}})
    message = decode(push)
    assert (message.id, message.source) == ("event-1", "//shop/orders")
    assert (message.id_derived, message.publish_time) == (False, PUBLISHED_AT)


@pytest.mark.parametrize("content_type", [
    "application/cloudevents+json; charset=utf-8", "Application/CloudEvents+JSON",
])  # fmt: skip
def test_the_content_type_of_a_structured_event_may_have_parameters_and_any_case(
    content_type: str,
) -> None:
    push = Push((("content-type", content_type),), structured(data="x").body)
    assert decode(push).form is Form.CLOUDEVENT_STRUCTURED


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        (b"[" * 100_000, "JSON"),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","data":"\\ud800"}', "JSON"),
        (
            b'{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"?"}',
            "data_base64",
        ),
        (b'{"specversion":"1.0","id":"1","source":"s","type":"t","time":"?"}', "time"),
        (b'{"specversion":"1.0","id":"","source":"s","type":"t"}', "id"),
        (b'{"specversion":"1.0","id":1,"source":"s","type":"t"}', "id"),
    ],
)
def test_a_broken_structured_event_is_a_bad_envelope(body: bytes, named: str) -> None:
    assert named in refusal(push_of(body, {"content-type": "application/cloudevents+json"}))


def test_a_batch_of_events_is_refused_by_name() -> None:
    push = push_of([], {"content-type": "application/cloudevents-batch+json; charset=utf-8"})
    assert "batches" in refusal(push)


# --- what a reason may say


@given(st.sampled_from([*METADATA, *OWN_EVENT]), HEADERS)
def test_a_reason_never_repeats_the_value_of_a_header(
    name: str, headers: tuple[tuple[str, str], ...]
) -> None:
    end = end_of(Push(((name, "zq7marker"), *headers), b"{}"))
    assert isinstance(end, Message) or "zq7marker" not in end.reason


@pytest.mark.parametrize("field", ["data", "attributes", "publishTime", "orderingKey", "messageId"])
@pytest.mark.parametrize("value", ["zq7 marker", ["zq7 marker"], {"a": ["zq7 marker"]}])
def test_a_reason_never_repeats_the_value_of_a_field(field: str, value: Any) -> None:
    end = end_of(message_with(**{field: value}))
    assert isinstance(end, Message) or "zq7" not in end.reason


@pytest.mark.parametrize("name", ["priority", "cache-control", "x-request-id", "tenant"])
def test_an_attribute_that_only_looks_like_a_transport_header_arrives(name: str) -> None:
    message = decode(unwrapped(b"x", attributes={name: "high"}))
    assert message.attributes[name] == "high"
