"""Whatever lies in a quarantine can be read, shown and checked: nothing of it raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.quarantine import message, rejected
from tests.support.desk import resize
from worker.cli.quarantine.entries import entries_of
from worker.cli.quarantine.show import _for_people, _machine_form
from worker.cli.quarantine.shown import line_of
from worker.desk.check import check
from worker.desk.held import Held
from worker.desk.reading import of_received, of_record
from worker.message import PubsubMessage
from worker.pubsub import Received
from worker.quarantine.attributes import ADDED
from worker.registry import Features

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates, too
FEATURES = Features([resize])
RECORD = rejected(message()).record()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)


def use(held: Held) -> None:
    """Everything that the desk does with a message without moving it."""
    assert held.id
    assert held.since
    assert (held.message is None) <= bool(held.problem)
    verdict = check(held, FEATURES)
    assert verdict.passes == (not verdict.reason)
    shown = [*_for_people(held, entries_of(held, "service", None, "folder:x")), line_of(held)]
    assert all(line.isprintable() for line in shown)
    json.dumps(_machine_form(held)).encode("ascii")


@given(st.binary())
def test_any_bytes_can_be_a_file(data: bytes) -> None:
    use(of_record("sha256-0", data))


@given(JSON)
def test_any_json_can_be_a_record(value: Any) -> None:
    use(of_record("sha256-0", json.dumps(value).encode()))


@given(st.dictionaries(st.sampled_from([*RECORD, "replay_count"]), JSON, max_size=3))
def test_any_field_of_a_record_can_be_anything(fields: dict[str, Any]) -> None:
    use(of_record("sha256-0", json.dumps({**RECORD, **fields}).encode()))


@given(
    st.binary(max_size=50),
    st.dictionaries(st.sampled_from(sorted(ADDED)) | ANY_TEXT, ANY_TEXT, max_size=8),
    st.datetimes(timezones=st.just(UTC)) | st.none(),
)
def test_any_message_can_be_pulled(
    data: bytes, attributes: dict[str, str], time: datetime | None
) -> None:
    use(of_received(Received("ack", "7", time, PubsubMessage(data, attributes))))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"time": 1e400}',
        b'{"reason": "\\ud800"}',
        b"\xef\xbb\xbf{}",
        b"9" * 5000,
        json.dumps({**RECORD, "headers": {"a": "\ud800"}, "reason": "\ud800\x1b"}).encode(),
        json.dumps({**RECORD, "time": "0001-01-01T00:00:00+14:00"}).encode(),
        json.dumps({**RECORD, "time": "9999-12-31T23:59:59-14:00"}).encode(),
        json.dumps({**RECORD, "body": "é"}).encode(),
        json.dumps({**RECORD, "replay_count": 10**400}).encode(),
    ],
)
def test_what_hypothesis_does_not_find(data: bytes) -> None:
    use(of_record("sha256-0", data))


def test_a_record_with_a_header_that_is_no_text_is_ours_all_the_same() -> None:
    held = of_record("sha256-0", json.dumps({**RECORD, "headers": {"a": "\ud800"}}).encode())
    assert not held.foreign


@pytest.mark.parametrize("name", sorted(ADDED))
def test_an_attribute_that_is_no_text_is_read(name: str) -> None:
    known = {"CloudPubSubDeadLetterSourceSubscription": "s", name: "\ud800"}
    use(of_received(Received("ack", "7", None, PubsubMessage(b"", known))))


@pytest.mark.parametrize("count", ["-1", "x", "", "1.5", "٣", "9" * 5000])
def test_a_replay_count_that_is_none_counts_nothing(count: str) -> None:
    attributes = {"QuarantineId": "sha256-0", "replay_count": count}
    assert of_received(Received("a", "1", None, PubsubMessage(b"", attributes))).replays == 0


@pytest.mark.parametrize("headers", ["[1]", "1", '{"a": 1}', "[" * 100_000])
def test_headers_that_are_none_are_read(headers: str) -> None:
    attributes = {"QuarantineId": "sha256-0", "QuarantineHeaders": headers}
    use(of_received(Received("a", "1", None, PubsubMessage(b"", attributes))))
