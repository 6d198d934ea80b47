"""Every form that `push` makes, read back by the worker's own envelope."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from worker.client.forms import (
    NOT_CARRIED,
    CannotSend,
    Delivery,
    Request,
    check_header,
    fresh_id,
    request_of,
)
from worker.envelope import decode
from worker.message import Form, Message, Push

FULL = Delivery(
    b'{"feature": "smoke_test"}',
    {"tenant": "a, b", "idempotency_key": "k"},
    "id-7",
    "key-7",
    7,
    "projects/demo/subscriptions/seven",
    datetime(2026, 11, 21, 19, 20, 9, 17000, UTC),
)
NAMED = {  # field of Delivery -> field of Message
    "attributes": "attributes",
    "message_id": "id",
    "ordering_key": "ordering_key",
    "delivery_attempt": "delivery_attempt",
    "subscription": "subscription",
}


def read(request: Request) -> Message:
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return decode(Push(headers, request.body))


@pytest.mark.parametrize("form", Form)
def test_a_form_is_read_back_as_that_form_with_its_data(form: Form) -> None:
    message = read(request_of(form, FULL))
    assert (message.form, message.data) == (form, FULL.data)


@pytest.mark.parametrize("form", Form)
def test_a_form_carries_everything_but_what_it_has_no_place_for(form: Form) -> None:
    message = read(request_of(form, FULL))
    attributes = {k: v for k, v in message.attributes.items() if not k.startswith("ce-")}
    got = {**{name: getattr(message, field) for name, field in NAMED.items()}}
    got["attributes"] = attributes
    lost = NOT_CARRIED.get(form, frozenset())
    for name in NAMED:
        assert (got[name] == getattr(FULL, name)) is (name not in lost), name


@pytest.mark.parametrize("form", Form)
def test_the_publish_time_travels(form: Form) -> None:
    message = read(request_of(form, FULL))
    without = form is Form.UNWRAPPED_NO_METADATA
    assert message.publish_time == (None if without else FULL.publish_time)


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("data", [b"", b"\xff\x00", b"{", b'"\xed\xa0\x80"'])
def test_broken_data_travels_as_it_is(form: Form, data: bytes) -> None:
    assert read(request_of(form, Delivery(data))).data == data


def test_the_wrapped_body_is_pubsubs() -> None:
    request = request_of(Form.WRAPPED, FULL)
    assert json.loads(request.body) == {
        "message": {
            "attributes": {"tenant": "a, b", "idempotency_key": "k"},
            "data": base64.b64encode(FULL.data).decode(),
            "messageId": "id-7",
            "message_id": "id-7",
            "orderingKey": "key-7",
            "publishTime": "2026-11-21T19:20:09.017Z",
            "publish_time": "2026-11-21T19:20:09.017Z",
        },
        "subscription": "projects/demo/subscriptions/seven",
        "deliveryAttempt": 7,
    }


def test_what_was_not_given_is_left_out() -> None:
    body: dict[str, Any] = json.loads(request_of(Form.WRAPPED, Delivery(b"")).body)
    assert "deliveryAttempt" not in body
    assert body["message"].keys().isdisjoint({"data", "orderingKey"})
    headers = request_of(Form.UNWRAPPED, Delivery(b"")).headers
    assert "x-goog-pubsub-ordering-key" not in headers


def test_attributes_that_are_ce_headers_replace_ours() -> None:
    delivery = Delivery(b"x", {"ce-type": "theirs", "ce-source": "//theirs"})
    headers = request_of(Form.CLOUDEVENT_ATTRIBUTES, delivery).headers
    assert (headers["ce-type"], headers["ce-source"]) == ("theirs", "//theirs")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("line\nbreak", "x"),
        ("", "x"),
        ("co:lon", "x"),
        ("snow\N{SNOWMAN}man", "x"),
        ("Content-Length", "1"),
        ("host", "x"),
        ("transfer-encoding", "chunked"),
        ("tenant", "secret-7\r\nx-injected: 1"),
        ("tenant", "secret-7\0"),
        ("tenant", "secret-7\x7f"),
    ],
)
def test_what_http_cannot_carry_is_refused_without_its_value(name: str, value: str) -> None:
    with pytest.raises(CannotSend) as refused:
        request_of(Form.UNWRAPPED, Delivery(b"", {name: value}))
    assert "secret-7" not in str(refused.value)
    request_of(Form.WRAPPED, Delivery(b"", {name: value}))  # JSON carries anything


def test_tabs_and_text_in_any_language_can_be_header_values() -> None:
    check_header("tenant", "a\tb \N{SNOWMAN}")


def test_a_fresh_id_is_never_the_same() -> None:
    assert fresh_id() != fresh_id()
    assert Delivery(b"").message_id != Delivery(b"").message_id
