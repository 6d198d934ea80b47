"""What every HTTP edge of the worker does, driven over real HTTP.

A subclass hands in `edge`: a running server with `tests.support.probe_handlers` beside our
handlers, QUARANTINE=folder:quarantine and no authentication, shared by the tests of the class.
"""

import base64
import http.client
import json
import re
import uuid
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pushes import PUBLISHED, SUBSCRIPTION, wrapped
from tests.support.rawhttp import Headers, RawConnection, chunk, post, request, send
from tests.support.server import ServerProcess
from worker.body import MAX_BODY
from worker.outcome import OUTCOMES

SMOKE_TEST = b'{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
JSON = ("Content-Type", "application/json")
MESSAGE_SIZE = 10_000_000  # bytes: the largest that Pub/Sub takes
EVENTARC = "google.cloud.pubsub.topic.v1.messagePublished"
STATUSES = {outcome.name: outcome.statuses for outcome in OUTCOMES}
READ_BOUND = 24 * 1024  # KiB that a body may cost whose size shows while it is read
ANNOUNCED_BOUND = 4 * 1024  # KiB that a body may cost that is too large by its own account


def new_id() -> str:
    return uuid.uuid4().hex


def metadata(message_id: str) -> list[tuple[str, str]]:
    """The headers of an unwrapped push with write_metadata."""
    return [
        ("x-goog-pubsub-message-id", message_id),
        ("x-goog-pubsub-subscription-name", SUBSCRIPTION),
        ("x-goog-pubsub-publish-time", PUBLISHED),
    ]


def event_headers(message_id: str, kind: str) -> list[tuple[str, str]]:
    """The headers of a CloudEvent in binary mode."""
    return [
        ("ce-id", message_id),
        ("ce-source", "//pubsub.googleapis.com/projects/demo/topics/worker"),
        ("ce-specversion", "1.0"),
        ("ce-type", kind),
        ("ce-time", PUBLISHED),
    ]


def in_form(form: str, message_id: str, data: bytes = SMOKE_TEST) -> tuple[Headers, bytes]:
    """The headers and the body of one delivery."""
    envelope = json.dumps(wrapped(data, message_id=message_id)).encode()
    match form:
        case "wrapped":
            return [JSON], envelope
        case "unwrapped":
            return metadata(message_id), data
        case "unwrapped-no-metadata":
            return [], data
        case "cloudevent-binary":
            return [JSON, *event_headers(message_id, EVENTARC)], envelope
        case "cloudevent-structured":
            event = {
                "specversion": "1.0",
                "id": message_id,
                "source": "//pubsub.googleapis.com/projects/demo/topics/worker",
                "type": EVENTARC,
                "data": json.loads(envelope),
            }
            return [("Content-Type", "application/cloudevents+json")], json.dumps(event).encode()
        case "cloudevent-attributes":
            return event_headers(message_id, "com.example.resize"), data
    raise ValueError(form)


def status_of(pid: int, field: str) -> int:
    """A number from /proc/PID/status."""
    found = re.search(rf"^{field}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def serving_process(edge: ServerProcess) -> int:
    """The process that answers (the parent's only child, where there is one), warmed up."""
    assert post(edge.port, SMOKE_TEST, metadata(new_id())).status == 200
    parent = edge.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    assert len(children) <= 1
    return int(children[0]) if children else parent


class PeakMemory:
    """How much more memory (KiB) a process held at its peak inside the block than before it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def __enter__(self) -> Self:
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")  # resets VmHWM
        self._before = status_of(self._pid, "VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.grown = status_of(self._pid, "VmHWM") - self._before


def has_span(span: str, entry: dict[str, Any]) -> bool:
    return bool(entry.get("logging.googleapis.com/spanId") == span)


def send_for_ever(connection: RawConnection, data: bytes) -> NoReturn:
    while True:
        connection.send(data)


class DeliveryForms:
    """Every form that Pub/Sub and Eventarc deliver in reaches the handler."""

    @pytest.mark.parametrize(
        "form",
        [
            "wrapped",
            "unwrapped",
            "cloudevent-binary",
            "cloudevent-structured",
            "cloudevent-attributes",
        ],
    )
    def test_a_push_in_each_form_is_done_and_logged(self, edge: ServerProcess, form: str) -> None:
        message_id = new_id()
        headers, body = in_form(form, message_id)

        answer = post(edge.port, body, headers)

        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "outcome": "done",
            "message_id": message_id,
            "reason": "handled by smoke_test",
        }
        entry = edge.canonical(message_id)
        assert (entry["form"], entry["outcome"], entry["feature"]) == (form, "done", "smoke_test")
        assert entry["bytes"] == len(body)
        passed = edge.wait_for(
            lambda e: e["event"] == "smoke_test.passed" and e.get("message_id") == message_id
        )
        assert passed["description"] == "verify logs"

    def test_a_body_without_any_metadata_gets_an_id_from_its_content(
        self, edge: ServerProcess
    ) -> None:
        payload = json.dumps({"feature": "smoke_test", "description": new_id()}).encode()

        first = post(edge.port, payload)
        second = post(edge.port, payload)

        assert (first.status, first.json()["outcome"]) == (200, "done")
        assert (second.status, second.json()["outcome"]) == (200, "duplicate")
        entry = edge.canonical(first.json()["message_id"])
        assert entry["form"] == "unwrapped-no-metadata"
        assert entry["message_id_derived"] is True

    @pytest.mark.parametrize(
        "content_type",
        ["application/x-www-form-urlencoded", "application/octet-stream", "text/plain; charset=x"],
    )
    def test_an_unwrapped_push_may_have_any_content_type(
        self, edge: ServerProcess, content_type: str
    ) -> None:
        message_id = new_id()

        answer = post(
            edge.port, SMOKE_TEST, [("Content-Type", content_type), *metadata(message_id)]
        )

        assert (answer.status, answer.json()["outcome"]) == (200, "done")

    def test_multipart_and_urlencoded_bodies_are_taken_as_the_bytes_they_are(
        self, edge: ServerProcess
    ) -> None:
        kinds = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b")
        for kind in kinds:
            message_id = new_id()
            answer = post(edge.port, b"a=1&b=%zz", [("Content-Type", kind), *metadata(message_id)])
            assert answer.json()["outcome"] == "rejected"
            kept = Path(edge.canonical(message_id)["quarantine"])
            record = json.loads((self.folder(edge) / kept).read_text())
            assert base64.b64decode(record["body"]) == b"a=1&b=%zz"

    def test_an_attribute_with_an_underscore_arrives_as_a_header(self, edge: ServerProcess) -> None:
        key = ("idempotency_key", new_id())

        first = post(edge.port, SMOKE_TEST, [*metadata(new_id()), key])
        second = post(edge.port, SMOKE_TEST, [*metadata(new_id()), key])

        assert first.json()["outcome"] == "done"
        assert second.json()["outcome"] == "duplicate"

    def test_a_header_with_a_hyphen_is_no_attribute_with_an_underscore(
        self, edge: ServerProcess
    ) -> None:
        key = ("idempotency-key", new_id())

        outcomes = [
            post(edge.port, SMOKE_TEST, [*metadata(new_id()), key]).json()["outcome"]
            for _ in range(2)
        ]

        assert outcomes == ["done", "done"]

    def test_a_hundred_attributes_of_a_kilobyte_arrive_as_headers(
        self, edge: ServerProcess
    ) -> None:
        message_id = new_id()
        attributes = {f"attribute-{number}": chr(97 + number % 26) * 1024 for number in range(100)}

        answer = post(
            edge.port, b'{"feature":"see_attributes"}', [*metadata(message_id), *attributes.items()]
        )

        assert (answer.status, answer.json()["outcome"]) == (200, "done")
        assert self.attributes_seen(edge, message_id) == attributes

    def test_attribute_values_that_are_not_ascii_arrive_as_they_were_published(
        self, edge: ServerProcess
    ) -> None:
        message_id = new_id()
        attributes = {"name": "Zoë 犬 🐕", "latin": "Straße"}

        post(
            edge.port, b'{"feature":"see_attributes"}', [*metadata(message_id), *attributes.items()]
        )

        assert self.attributes_seen(edge, message_id) == attributes

    def test_a_message_of_ten_megabytes_is_done(self, edge: ServerProcess) -> None:
        message_id = new_id()
        rest = MESSAGE_SIZE - len(b'{"feature":"smoke_test","description":""}')
        data = b'{"feature":"smoke_test","description":"%s"}' % (b"x" * rest)
        headers, body = in_form("wrapped", message_id, data)

        answer = post(edge.port, body, headers)

        assert len(data) == MESSAGE_SIZE
        assert (answer.status, answer.json()["outcome"]) == (200, "done")

    def folder(self, edge: ServerProcess) -> Path:
        return Path(f"/proc/{edge.process.pid}/cwd").readlink()

    def attributes_seen(self, edge: ServerProcess, message_id: str) -> Any:
        seen = edge.wait_for(
            lambda e: e["event"] == "attributes.seen" and e.get("message_id") == message_id
        )
        return seen["attributes"]


class Bodies:
    """A body that cannot be read gets a clear answer and costs little memory."""

    def test_a_body_over_the_limit_is_refused(self, edge: ServerProcess) -> None:
        with PeakMemory(serving_process(edge)) as memory:
            answer = post(edge.port, b"x" * (MAX_BODY + 1), metadata(new_id()))

        assert answer.status == 413
        assert answer.json() == {
            "outcome": "refused",
            "message_id": None,
            "reason": f"the body is over {MAX_BODY} bytes, more than any Pub/Sub message",
        }
        assert memory.grown < ANNOUNCED_BOUND

    def test_a_body_of_exactly_the_limit_is_read(self, edge: ServerProcess) -> None:
        answer = post(edge.port, b" " * (MAX_BODY - len(SMOKE_TEST)) + SMOKE_TEST)

        assert (answer.status, answer.json()["outcome"]) == (200, "done")

    def test_a_chunked_body_over_the_limit_is_refused(self, edge: ServerProcess) -> None:
        head = request("POST", "/", [("Transfer-Encoding", "chunked")], None)
        megabyte = chunk(b"x" * 1_000_000)

        with PeakMemory(serving_process(edge)) as memory, RawConnection(edge.port) as connection:
            connection.send(head)
            for _ in range(30):
                connection.send(megabyte)
            answer = connection.send(chunk(b"")).answer()

        assert (answer.status, answer.json()["outcome"]) == (413, "refused")
        assert memory.grown < READ_BOUND

    def test_ten_gigabytes_that_are_announced_and_never_sent_are_refused_at_once(
        self, edge: ServerProcess
    ) -> None:
        head = request("POST", "/", [("Content-Length", str(10 * 10**9))], None)

        with PeakMemory(serving_process(edge)) as memory, RawConnection(edge.port) as connection:
            answer = connection.send(head).answer()  # before a byte of the body was sent
            assert connection.ended()

        assert (answer.status, answer.json()["outcome"]) == (413, "refused")
        assert memory.grown < ANNOUNCED_BOUND

    def test_a_chunked_body_that_never_ends_is_refused(self, edge: ServerProcess) -> None:
        head = request("POST", "/", [("Transfer-Encoding", "chunked")], None)
        part = chunk(b"x" * 100_000)

        with PeakMemory(serving_process(edge)) as memory, RawConnection(edge.port) as connection:
            connection.send(head)
            with pytest.raises((BrokenPipeError, ConnectionResetError)):
                send_for_ever(connection, part)

        assert memory.grown < READ_BOUND

    def test_a_chunked_body_is_read_whole(self, edge: ServerProcess) -> None:
        message_id = new_id()
        head = request("POST", "/", [("Transfer-Encoding", "chunked"), *metadata(message_id)], None)
        body = b"".join(chunk(SMOKE_TEST[at : at + 7]) for at in range(0, len(SMOKE_TEST), 7))

        answer = send(edge.port, head + body + chunk(b""))

        assert (answer.status, answer.json()["outcome"]) == (200, "done")
        assert edge.canonical(message_id)["bytes"] == len(SMOKE_TEST)

    @pytest.mark.parametrize(
        ("headers", "body"),
        [
            pytest.param([("Content-Length", "100")], SMOKE_TEST, id="Content-Length"),
            pytest.param([("Transfer-Encoding", "chunked")], chunk(SMOKE_TEST), id="chunked"),
        ],
    )
    def test_a_truncated_body_is_nacked_and_runs_nothing(
        self, edge: ServerProcess, headers: Headers, body: bytes
    ) -> None:
        with RawConnection(edge.port) as connection:
            connection.send(request("POST", "/", headers, None) + body)
            connection.finish_sending()
            answer = connection.answer()
            assert connection.ended()

        assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")

    def test_what_follows_a_broken_body_is_not_read_as_a_request(self, edge: ServerProcess) -> None:
        head = request("POST", "/", [("Transfer-Encoding", "chunked")], None)

        with RawConnection(edge.port) as connection:
            connection.send(head + b"zz\r\n" + request("GET", "/smoke-test/"))
            answer = connection.answer()
            assert connection.ended()

        assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")

    def test_who_expects_100_continue_gets_it(self, edge: ServerProcess) -> None:
        head = request(
            "POST",
            "/",
            [("Expect", "100-continue"), ("Content-Length", str(len(SMOKE_TEST)))],
            None,
        )

        with RawConnection(edge.port) as connection:
            assert connection.send(head).answer().status == 100
            assert connection.send(SMOKE_TEST).answer().status == 200


class Connections:
    """Connections are reused, in order, and one that does nothing hinders nobody."""

    def test_a_connection_takes_one_push_after_another(self, edge: ServerProcess) -> None:
        with RawConnection(edge.port) as connection:
            for _ in range(3):
                message_id = new_id()
                connection.send(request("POST", "/", metadata(message_id), SMOKE_TEST))
                assert connection.answer().json()["message_id"] == message_id

    def test_pipelined_requests_are_answered_in_order(self, edge: ServerProcess) -> None:
        message_ids = [new_id() for _ in range(5)]

        with RawConnection(edge.port) as connection:
            connection.send(
                b"".join(request("POST", "/", metadata(one), SMOKE_TEST) for one in message_ids)
            )
            answered = [connection.answer().json()["message_id"] for _ in message_ids]

        assert answered == message_ids

    def test_connections_that_send_nothing_do_not_keep_others_waiting(
        self, edge: ServerProcess
    ) -> None:
        silent = [RawConnection(edge.port) for _ in range(40)]
        try:
            # 40 is more than the server has threads; whoever waits for one of these waits 5 s.
            connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=3)
            connection.request("GET", "/health/live")
            assert connection.getresponse().status == 200
            connection.close()
        finally:
            for one in silent:
                one.__exit__(None, None, None)

    def test_who_reads_the_answer_and_does_not_close_does_not_keep_others_waiting(
        self, edge: ServerProcess
    ) -> None:
        with RawConnection(edge.port) as slow, RawConnection(edge.port) as slower:
            for lingering in (slow, slower):
                lingering.send(request("GET", "/health/live", [("Connection", "close")]))
                assert lingering.answer().status == 200
                assert lingering.ended()
            connection = http.client.HTTPConnection("127.0.0.1", edge.port, timeout=1)
            connection.request("GET", "/health/live")
            assert connection.getresponse().status == 200
            connection.close()


class Routes:
    """Paths and methods: no redirect, JSON everywhere."""

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            (
                "/api/v1/health/smoke-test",
                {"status": "ok", "message": "Smoke test successful. Log generated."},
            ),
            (
                "/smoke-test/",
                {"status": "ok", "details": "PetSage smoke test feature is operational."},
            ),
        ],
    )
    def test_a_smoke_test_route_answers_exactly_this_and_writes_its_entry(
        self, edge: ServerProcess, path: str, body: dict[str, str]
    ) -> None:
        trace = uuid.uuid4().hex

        for _ in range(2):  # on every call
            span = new_id()[:16]
            answer = send(
                edge.port, request("GET", path, [("traceparent", f"00-{trace}-{span}-01")])
            )

            assert answer.status == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == body
            entry = edge.wait_for(partial(has_span, span))
            assert entry["event"] == "smoke_test.passed"
            assert entry["severity"] == "INFO"

    @pytest.mark.parametrize(
        ("path", "body"),
        [("/health/live", {"status": "live"}), ("/health/ready", {"status": "ready"})],
    )
    def test_a_health_route_answers_200(
        self, edge: ServerProcess, path: str, body: dict[str, str]
    ) -> None:
        answer = send(edge.port, request("GET", path))

        assert answer.status == 200
        assert answer.headers["content-type"] == "application/json"
        assert body.items() <= answer.json().items()

    def test_ready_says_how_many_features_are_loaded(self, edge: ServerProcess) -> None:
        assert send(edge.port, request("GET", "/health/ready")).json()["features"] >= 2

    @pytest.mark.parametrize("path", ["/", "//", "/?x=1", "/#x", "/?token=abc", "///"])
    def test_a_push_to_any_spelling_of_the_root_is_taken(
        self, edge: ServerProcess, path: str
    ) -> None:
        answer = send(edge.port, request("POST", path, metadata(new_id()), SMOKE_TEST))

        assert (answer.status, answer.json()["outcome"]) == (200, "done")

    @pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "//",
            "/?x=1",
            "/smoke-test",
            "/smoke-test/",
            "/smoke-test//",
            "//smoke-test/",
            "/api/v1/health/smoke-test",
            "/api/v1/health/smoke-test/",
            "/health/live",
            "/health/live/",
            "/health/ready/",
            "//health//live",
            "/health",
            "/%2e%2e/",
            "//evil.example/",
            "/static/x",
            "/%00",
            "/%ff",
        ],
    )
    def test_no_request_is_ever_redirected(
        self, edge: ServerProcess, method: str, path: str
    ) -> None:
        answer = send(edge.port, request(method, path))

        assert answer.status in (200, 404, 405)
        assert "location" not in answer.headers
        assert answer.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "PROPFIND"])
    def test_an_unknown_path_is_404(self, edge: ServerProcess, method: str) -> None:
        answer = send(edge.port, request(method, "/no/such/path"))

        assert answer.status == 404
        assert answer.headers["content-type"] == "application/json"
        assert answer.json() == {
            "error": "Not Found",
            "reason": "no such path; pushes go to POST /",
        }

    def test_a_method_that_nobody_knows_is_501(self, edge: ServerProcess) -> None:
        answer = send(edge.port, request("BREW", "/"))  # RFC 9110, 15.6.2

        assert (answer.status, answer.json()["error"]) == (501, "Not Implemented")

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("GET", "/", "POST"),
            ("PUT", "/", "POST"),
            ("OPTIONS", "/", "POST"),
            ("POST", "/health/live", "GET, HEAD"),
            ("POST", "/smoke-test/", "GET, HEAD"),
            ("OPTIONS", "/smoke-test/", "GET, HEAD"),
        ],
    )
    def test_a_wrong_method_is_405_and_says_which_is_right(
        self, edge: ServerProcess, method: str, path: str, allowed: str
    ) -> None:
        answer = send(edge.port, request(method, path))

        assert answer.status == 405
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["allow"] == allowed
        assert answer.json()["error"] == "Method Not Allowed"

    @pytest.mark.parametrize(
        ("path", "status"), [("/", 405), ("/health/live", 200), ("/no/such/path", 404)]
    )
    def test_head_is_answered_without_a_body(
        self, edge: ServerProcess, path: str, status: int
    ) -> None:
        with RawConnection(edge.port) as connection:
            connection.send(request("HEAD", path))
            assert connection.answer(to_head=True).status == status
            connection.send(request("GET", "/health/live", [("Connection", "close")]))
            assert connection.answer().json() == {"status": "live"}


class Discretion:
    """Nothing that the caller sent comes back, and no token reaches the log."""

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer SECRET\r\n\r\n", id="no colon"
            ),
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\nA: SECRET\x00\r\n\r\n", id="NUL in a header"
            ),
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: SECRET\r\n\r\n", id="coding"
            ),
            pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nExpect: SECRET\r\n\r\n", id="expect"),
            pytest.param(b"POST SECRET HTTP/1.1\r\nHost: x\r\n\r\n", id="path"),
            pytest.param(b"POST /?token=SECRET HTTP/9.9\r\nHost: x\r\n\r\n", id="version"),
            pytest.param(b"SECRET\r\n\r\n", id="no HTTP"),
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\nA: SECRET" + b"x" * 9000 + b"\r\n\r\n", id="long"
            ),
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\n"
                + b"".join(b"SECRET%d: x\r\n" % number for number in range(300))
                + b"\r\n",
                id="300 headers",
            ),
            pytest.param(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: SECRET\r\n\r\n", id="length"
            ),
        ],
    )
    def test_a_broken_request_is_answered_with_json_that_repeats_nothing_of_it(
        self, edge: ServerProcess, data: bytes
    ) -> None:
        with RawConnection(edge.port) as connection:
            answer = connection.send(data).answer()
            assert connection.ended()

        assert answer.status in (400, 417, 431, 501)
        assert set(answer.json()) == {"error", "reason"}
        assert b"SECRET" not in answer.body

    def test_two_lengths_are_refused(self, edge: ServerProcess) -> None:
        for second in ("Content-Length: 1", "Transfer-Encoding: chunked"):
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n{second}\r\n\r\n"
            assert send(edge.port, head.encode()).status == 400

    @pytest.mark.parametrize(
        "payload",
        [
            b"SECRET",
            b'{"feature":"SECRET"}',
            b'{"feature":"smoke_test","requirements":"SECRET"}',
            b'{"feature":"smoke_test","requirements":{"nonce":["SECRET"]}}',
            b'{"feature":"crash","description":"SECRET"}',
            b'{"feature":"smoke_test","description":{"a":"SECRET"}}',
        ],
    )
    def test_an_answer_repeats_neither_headers_nor_values(
        self, edge: ServerProcess, payload: bytes
    ) -> None:
        secret = [("Authorization", "Bearer SECRET"), ("X-Custom", "SECRET")]

        answer = post(edge.port, payload, [*metadata(new_id()), *secret])

        assert answer.json()["outcome"] in ("rejected", "crashed")
        assert "SECRET" not in str(answer.headers)
        assert b"SECRET" not in answer.body

    def test_a_field_that_the_payload_has_too_much_is_named(self, edge: ServerProcess) -> None:
        payload = b'{"feature":"smoke_test","describtion":"SECRET"}'

        reason = post(edge.port, payload, metadata(new_id())).json()["reason"]

        assert reason == "bad payload: describtion: unknown field"


class Outcomes:
    """The statuses over HTTP are those of the table."""

    @pytest.mark.parametrize(
        ("feature", "outcome", "status"),
        [
            ("smoke_test", "done", 200),
            ("ask_again", "retry", 503),
            ("never", "rejected", 200),
            ("no_such_feature", "rejected", 200),
            ("crash", "crashed", 500),
        ],
    )
    def test_an_outcome_has_its_status_and_its_entry(
        self, edge: ServerProcess, feature: str, outcome: str, status: int
    ) -> None:
        message_id = new_id()

        answer = post(edge.port, b'{"feature":"%s"}' % feature.encode(), metadata(message_id))

        assert (answer.status, answer.json()["outcome"]) == (status, outcome)
        entry = edge.canonical(message_id)
        assert (entry["outcome"], entry["status"]) == (outcome, status)
        assert entry["reason"] == answer.json()["reason"]

    @settings(max_examples=40, deadline=None)
    @given(
        body=st.one_of(
            st.binary(max_size=300),
            st.recursive(
                st.none() | st.booleans() | st.floats() | st.text(max_size=20),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["message", "data", "feature", "subscription", "id"]),
                        inner,
                        max_size=4,
                    )
                ),
                max_leaves=6,
            ).map(lambda value: json.dumps(value).encode()),
        ),
        headers=st.lists(
            st.tuples(
                st.sampled_from(
                    [
                        "ce-id",
                        "ce-type",
                        "ce-source",
                        "ce-specversion",
                        "ce-time",
                        "x-goog-pubsub-message-id",
                        "x-goog-pubsub-publish-time",
                        "traceparent",
                        "x_custom",
                    ]
                ),
                st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=20),
            ),
            max_size=5,
        ),
        content_type=st.sampled_from(
            [
                "application/json",
                "application/cloudevents+json",
                "application/cloudevents-batch+json",
                "multipart/form-data",
                "",
            ]
        ),
    )
    def test_any_bytes_end_in_one_of_the_outcomes(
        self,
        edge: ServerProcess,
        body: bytes,
        headers: list[tuple[str, str]],
        content_type: str,
    ) -> None:
        sent = [(name, value.replace("\x7f", "")) for name, value in headers]

        answer = post(edge.port, body, [("Content-Type", content_type), *sent])

        said = answer.json()
        assert answer.status in STATUSES[said["outcome"]]
        assert said["outcome"] in ("done", "duplicate", "rejected")
        assert answer.status == 200


class EdgeContract(DeliveryForms, Bodies, Connections, Routes, Discretion, Outcomes):
    """All of it; a subclass adds the fixture `edge`."""
