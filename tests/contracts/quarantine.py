"""What every place for rejected messages does.

A subclass hands in `quarantine`, `broken` (one whose place cannot be used), `records`, which reads
back what is there (for each message its address and its record, as `Rejected.record()` makes it),
and `everything`: all bytes that are there.
"""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from worker.message import Form, Message, Push
from worker.outcome import BadEnvelope, Reject
from worker.quarantine import Quarantine, QuarantineFailed, Rejected

Records = Callable[[], list[tuple[str, dict[str, Any]]]]

TIME = datetime(2026, 11, 21, 19, 20, 9, 17000, tzinfo=UTC)
PUBLISHED = datetime(2026, 11, 21, 19, 20, 0, tzinfo=UTC)
SUBSCRIPTION = "projects/demo/subscriptions/worker-push"
SECRETS = (
    ("authorization", "Bearer SECRET"),
    ("cookie", "session=SECRET"),
    ("proxy-authorization", "Basic SECRET"),
    ("x-serverless-authorization", "Bearer SECRET"),
)
BODY = b'{"message": \xff\x00 \r\n'


def message(message_id: str = "17", **fields: Any) -> Message:
    known: dict[str, Any] = {
        "data": b'{"feature": "\xff"}',
        "attributes": {"colour": "blue", "name": "Zoë"},
        "form": Form.WRAPPED,
        "subscription": SUBSCRIPTION,
        "publish_time": PUBLISHED,
        "delivery_attempt": 4,
        "ordering_key": "k",
    }
    return Message(id=message_id, **{**known, **fields})


def rejected(found: Message | None, body: bytes = BODY, reason: str = "bad: width") -> Rejected:
    push = Push((("content-type", "application/json"), ("x-name", "Zoë"), *SECRETS), body)
    stop = Reject(reason) if found else BadEnvelope(reason)
    return Rejected.of(push, found, "resize_image" if found else "", stop, TIME)


class QuarantineContract:
    def test_a_rejected_message_is_kept_whole(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        address = quarantine.keep(rejected(message()))

        ((found, record),) = records()
        assert found == address
        assert record["reason"] == "bad: width"
        assert record["kind"] == "handler"
        assert record["time"] == TIME.isoformat()
        assert record["message_id"] == "17"
        assert record["subscription"] == SUBSCRIPTION
        assert record["delivery_attempt"] == 4
        assert record["publish_time"] == PUBLISHED.isoformat()
        assert record["ordering_key"] == "k"
        assert record["attributes"] == {"colour": "blue", "name": "Zoë"}
        assert record["headers"] == {"content-type": "application/json", "x-name": "Zoë"}
        assert self.data_of(record) in (message().data, BODY)

    def test_a_push_that_is_no_message_is_kept_with_its_bytes(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        address = quarantine.keep(rejected(None))

        ((found, record),) = records()
        assert found == address
        assert self.data_of(record) == BODY
        assert record["reason"] == "bad: width"
        assert record["kind"] == "bad_envelope"
        assert record["message_id"] is None
        assert record["headers"]["content-type"] == "application/json"

    def test_no_credentials_are_kept(
        self, quarantine: Quarantine, records: Records, everything: Callable[[], bytes]
    ) -> None:
        quarantine.keep(rejected(message()))
        quarantine.keep(rejected(None))

        assert len(records()) == 2
        assert b"SECRET" not in everything()

    def test_messages_of_different_subscriptions_are_both_kept(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        quarantine.keep(rejected(message()))
        quarantine.keep(rejected(message(subscription="projects/demo/subscriptions/other")))

        assert len(records()) == 2

    @pytest.mark.parametrize("size", [0, 1_024, 10_000_000])
    def test_a_message_of_any_size_is_kept(
        self, quarantine: Quarantine, records: Records, size: int
    ) -> None:
        data = b"x" * size

        quarantine.keep(rejected(message(data=data, attributes={"a": "b"}), body=data))

        ((_, record),) = records()
        assert self.data_of(record) == data

    @pytest.mark.parametrize(
        "attributes",
        [
            {f"a{number}": "x" * 1024 for number in range(100)},
            {"": "an empty key"},
            {"k" * 257: "a long key"},
            {"goog-reserved": "x"},
            {"QuarantineReason": "a name that is used here"},
        ],
        ids=["a hundred", "empty key", "long key", "reserved", "taken"],
    )
    def test_attributes_of_any_kind_are_kept(
        self, quarantine: Quarantine, records: Records, attributes: dict[str, str]
    ) -> None:
        quarantine.keep(rejected(message(attributes=attributes)))

        ((_, record),) = records()
        assert record["attributes"] == attributes

    def test_a_place_that_cannot_be_used_fails_clearly(self, broken: Quarantine) -> None:
        for found in (message(), None):
            with pytest.raises(QuarantineFailed) as failed:
                broken.keep(rejected(found))
            assert str(failed.value)
            assert "\n" not in str(failed.value)

    def test_an_id_is_the_same_for_each_delivery_of_a_message(self) -> None:
        first = rejected(message())
        again = replace(rejected(message(delivery_attempt=5), reason="other"), time=PUBLISHED)

        assert first.id == again.id
        assert first.id != rejected(message("18")).id

    def data_of(self, record: dict[str, Any]) -> bytes:
        return base64.b64decode(record["body"], validate=True)
