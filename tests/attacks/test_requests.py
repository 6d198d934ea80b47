"""Requests that no client of ours sends: no smuggled push, no echo, and the server goes on."""

import itertools
import json
from contextlib import ExitStack

import pytest

from tests.attacks.support import canonical, new_id
from tests.contracts.edge import metadata
from tests.support.rawhttp import RawAnswer, RawConnection, chunk, post, request, send
from tests.support.server import ServerProcess

pytestmark = pytest.mark.server

GOOD = b'{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
HOST = b"Host: worker\r\n"
SMUGGLED = request("POST", "/", metadata("SMUGGLED"), GOOD)
CHUNKED = b"Transfer-Encoding: chunked\r\n"


def after(server: ServerProcess, start: int) -> list[str]:
    """How the pushes since that line ended, a good one not counted that is sent to see that."""
    good = new_id()
    assert post(server.port, GOOD, metadata(good)).json()["outcome"] == "done"
    server.canonical(good)
    *ends, last = canonical(server.lines[start:])
    assert last["message_id"] == good
    return [end["outcome"] for end in ends]


def answers(server: ServerProcess, data: bytes) -> list[RawAnswer]:
    """Everything that is answered to these bytes, until the server has closed the connection."""
    found = []
    with RawConnection(server.port) as connection:
        connection.send(data)
        connection.finish_sending()
        while True:
            try:
                found.append(connection.answer())
            except (EOFError, ConnectionResetError):
                return found


def with_length(value: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length:" + value + b"\r\n\r\n"


def with_coding(line: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n" + b"0\r\n\r\n"


def with_chunks(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n" + body


UNREADABLE: dict[str, tuple[bytes, int]] = {
    "CL and TE": (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n" + CHUNKED + b"\r\n0\r\n\r\n", 400),
    "TE and CL": (b"POST / HTTP/1.1\r\n" + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n", 400),
    "lengths in a list": (with_length(b" 0, 9"), 400),
    "length with a sign": (with_length(b" +9"), 400),
    "length negative": (with_length(b" -1"), 400),
    "length in hex": (with_length(b" 0x9"), 400),
    "length with an underscore": (with_length(b" 1_0"), 400),
    "length in other digits": (with_length(" \N{ARABIC-INDIC DIGIT ONE}".encode()), 400),
    "length empty": (with_length(b" "), 400),
    "length larger than any": (with_length(b" " + b"9" * 30), 400),
    "coding unknown": (with_coding(b"Transfer-Encoding: xchunked"), 501),
    "coding chunked twice": (with_coding(CHUNKED + b"Transfer-Encoding: chunked"), 400),
    "coding chunked, identity": (with_coding(b"Transfer-Encoding: chunked, identity"), 400),
    "coding gzip, chunked": (with_coding(b"Transfer-Encoding: gzip, chunked"), 501),
    "coding with a space before": (with_coding(b"Transfer-Encoding : chunked"), 400),
    "coding with a control before": (with_coding(b"Transfer-Encoding:\x0bchunked"), 400),
    "coding on a folded line": (with_coding(b"Transfer-Encoding:\r\n chunked"), 400),
    "a bare LF": (b"POST / HTTP/1.1\nHost: x\n\n", 400),
    "a bare CR": (b"POST / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 405),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), 501),
    "a method in lower case": (b"post / HTTP/1.1\r\n\r\n", 501),
    "an empty name": (b"POST / HTTP/1.1\r\n: x\r\n\r\n", 400),
    "a NUL in a name": (b"POST / HTTP/1.1\r\nA\x00B: x\r\n\r\n", 400),
    "UTF-8 in a name": ("POST / HTTP/1.1\r\nÄ: x\r\n\r\n".encode(), 400),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n", 501),
    "a header of 16 KiB": (request("POST", "/", [("A", "x" * 16384)]), 431),
    "257 headers": (request("POST", "/", [(f"A{n}", "x") for n in range(257)]), 431),
    "300 KiB of headers": (request("POST", "/", [(f"A{n}", "x" * 8000) for n in range(40)]), 431),
    "a name of 16 KiB": (request("POST", "/", [("A" * 16384, "x")]), 431),
    "a target of 16 KiB": (request("POST", "/" + "x" * 16384), 414),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_request_is_answered_once_and_nothing_behind_it_is_read(
    trusting: ServerProcess, name: str
) -> None:
    data, status = UNREADABLE[name]
    start = len(trusting.lines)

    (answer,) = answers(trusting, data + SMUGGLED)

    assert answer.status == status
    assert set(answer.json()) == {"error", "reason"}
    assert answer.headers["connection"] == "close"
    assert after(trusting, start) == []


BROKEN = {
    "size negative": b"-1\r\nx\r\n",
    "size with 0x": b"0x1\r\nx\r\n",
    "size with a sign": b"+1\r\nx\r\n",
    "size larger than any": b"FFFFFFFFFFFFFFFFF\r\n",
    "size empty": b"\r\nx\r\n",
    "size a word": b"one\r\nx\r\n",
    "size with a space": b"1 \r\nx\r\n",
    "a bare LF behind the size": b"1\nx\r\n",
    "a bare LF in an extension": b"1;a\nb\r\nx\r\n",
    "no end of a chunk": b"1\r\nxx\r\n",
    "a bare LF behind a chunk": b"1\r\nx\n0\r\n\r\n",
    "a NUL in an extension": b"1;\x00\r\nx\r\n",
    "a trailer without a colon": b"0\r\nno colon\r\n\r\n",
    "a trailer with a length": b"0\r\nContent-Length: 999\r\n\r\n",
    "a trailer with a coding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_body_whose_end_is_in_doubt_is_nacked_and_nothing_behind_it_is_read(
    trusting: ServerProcess, name: str
) -> None:
    start = len(trusting.lines)

    (answer,) = answers(trusting, with_chunks(BROKEN[name]) + SMUGGLED)

    assert (answer.status, answer.json()["outcome"]) == (504, "timed_out")
    assert after(trusting, start) == ["timed_out"]


@pytest.mark.parametrize(
    "body",
    [
        chunk(GOOD) + chunk(b""),
        b"%X;name=value\r\n%b\r\n0;last\r\n\r\n" % (len(GOOD), GOOD),
        b'%X;name="quoted"\r\n%b\r\n0\r\n\r\n' % (len(GOOD), GOOD),
        b"0" * 500 + b"%X\r\n%b\r\n0\r\n\r\n" % (len(GOOD), GOOD),
        chunk(GOOD) + b"0\r\n" + b"X-Trailer: x\r\n" * 5000 + b"\r\n",
    ],
    ids=["plain", "extension", "quoted", "zeros", "many trailers"],
)  # fmt: skip
def test_what_chunks_may_have_changes_nothing(trusting: ServerProcess, body: bytes) -> None:
    start = len(trusting.lines)

    first, second = answers(trusting, with_chunks(body) + request("GET", "/health/live"))

    assert first.json()["outcome"] in ("done", "duplicate")  # the same content, the same message
    assert second.json() == {"status": "live"}
    assert len(after(trusting, start)) == 1


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "http://evil.example/", 200),
        ("POST", "http://evil.example", 200),
        ("POST", "//evil.example", 404),
        ("POST", "/../", 404),
        ("POST", "/./", 404),
        ("POST", "/%2e%2e/", 404),
        ("POST", "/%2f", 404),
        ("POST", "/%00", 404),
        ("POST", "/%0d%0aX-Injected:%20x", 404),
        ("POST", "/\\", 404),
        ("POST", "/\\evil.example", 404),
        ("POST", "/;/", 404),
        ("POST", "/..;/health/live", 404),
        ("GET", "/static/../health/live", 404),
        ("GET", "/health/live/../../etc/passwd", 404),
        ("GET", "/health/%6cive", 404),
        ("GET", "/health/live%00", 404),
        ("GET", "/health/live?x=%0d%0a", 200),
        ("GET", "/health/live#/../..", 200),
        ("GET", "/HEALTH/LIVE", 404),
        ("GET", "/smoke-test/..", 404),
        ("GET", "file:///etc/passwd", 404),
        ("GET", "/etc/passwd", 404),
        ("GET", "/.env", 404),
        ("GET", "/.git/config", 404),
        ("GET", "/worker/server.py", 404),
        ("TRACE", "/", 405),
        ("TRACE", "/health/live", 405),
        ("DELETE", "/", 405),
        ("PROPFIND", "/", 405),
        ("PURGE", "/", 405),
        ("M-SEARCH", "*", 405),
        ("OPTIONS", "*", 405),
    ],
)
def test_no_spelling_of_a_path_leads_anywhere_else(
    trusting: ServerProcess, method: str, target: str, status: int
) -> None:
    start = len(trusting.lines)
    headers = [*metadata(new_id()), ("X-Probe", "SECRET")]

    answer = send(trusting.port, request(method, target, headers, GOOD))

    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert not {"location", "x-injected"} & set(answer.headers)
    for sent in (b"SECRET", b"evil", b"passwd", b"Injected"):
        assert sent not in answer.body
    assert after(trusting, start) == ["done"] * (status == 200 and method == "POST")


def test_halves_of_requests_hold_up_nobody(trusting: ServerProcess) -> None:
    halves = [
        b"",
        b"P",
        b"POST / HTTP/1.1\r\n",
        b"POST / HTTP/1.1\r\nA: ",
        request("POST", "/", [("Content-Length", "14000000")], None) + b"x" * 70_000,
        with_chunks(b"5\r\nx"),
        with_chunks(b"1;" + b"x" * 4000),
        request("POST", "/", [("Expect", "100-continue"), ("Content-Length", "9")], None),
    ]
    start = len(trusting.lines)
    with ExitStack() as stack:
        for half in halves * 25:
            stack.enter_context(RawConnection(trusting.port)).send(half)
        assert after(trusting, start) == []
        assert send(trusting.port, request("GET", "/health/ready")).status == 200
    lost = timed_out(trusting) + 25 * 4  # those whose headers were complete have their entry
    seen = itertools.count(1)
    trusting.wait_for(lambda entry: entry.get("outcome") == "timed_out" and next(seen) == lost)


def timed_out(server: ServerProcess) -> int:
    return [end["outcome"] for end in canonical(server.lines)].count("timed_out")


def test_a_status_that_is_answered_without_a_push_has_one_line_in_the_log(
    trusting: ServerProcess,
) -> None:
    start = len(trusting.lines)
    answers(trusting, b"SECRET / HTTP/1.1\r\nSECRET: SECRET\r\n\r\n")
    after(trusting, start)
    (entry,) = [
        one for one in map(json.loads, trusting.lines[start:]) if one.get("logger") == "worker.edge"
    ]
    assert entry["severity"] == "WARNING"
    assert "SECRET" not in json.dumps(entry)
