"""HTTP/1.1, read: whatever arrives, in whatever pieces, becomes requests or says what is wrong."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.rawhttp import chunk, request
from worker.body import MAX_BODY, Room
from worker.http1 import (
    MAX_FIELD,
    MAX_FIELDS,
    MAX_HEAD,
    MAX_TARGET,
    Reader,
    Request,
    Unreadable,
    path_of,
)
from worker.outcome import Refused, TimedOut

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def read(*parts: bytes) -> list[Request | Unreadable]:
    reader = Reader(Room())
    for part in parts:
        reader.feed(part)
    return list(reader.ready)


def one(*parts: bytes) -> Request:
    (found,) = read(*parts)
    assert isinstance(found, Request)
    return found


def unreadable(*parts: bytes) -> tuple[int, str]:
    (found,) = read(*parts)
    assert isinstance(found, Unreadable)
    return found.status, found.reason


def seen(found: list[Request | Unreadable]) -> list[object]:
    """What can be compared of it."""
    return [
        (one.status, one.reason)
        if isinstance(one, Unreadable)
        else (one.method, one.target, one.headers, one.body, one.keep_alive, repr(one.problem))
        for one in found
    ]


# --- requests


def test_a_request_has_its_parts_with_names_in_lower_case() -> None:
    got = one(request("POST", "/a?b=c", [("X-Name", " value \t"), ("x_name", "")], b"body"))
    assert (got.method, got.target, got.body) == ("POST", "/a?b=c", b"body")
    assert got.headers == (
        ("host", "worker"),
        ("x-name", "value"),
        ("x_name", ""),
        ("content-length", "4"),
    )
    assert (got.keep_alive, got.problem) == (True, None)


@pytest.mark.parametrize(
    ("value", "text"), [("Zoë 犬".encode(), "Zoë 犬"), (b"Stra\xdfe", "Straße"), (b"\xff", "ÿ")]
)
def test_a_header_is_utf_8_or_else_latin_1(value: bytes, text: str) -> None:
    assert one(HEAD + b"A: " + value + b"\r\n\r\n").headers[1] == ("a", text)


def test_pipelined_requests_come_one_after_another() -> None:
    got = read(
        request("POST", "/", [], b"1") + request("GET", "/2") + request("POST", "/", [], b"3")
    )
    assert [(one.target, one.body) for one in got if isinstance(one, Request)] == [
        ("/", b"1"), ("/2", b""), ("/", b"3"),
    ]  # fmt: skip


def test_chunks_are_joined_and_trailers_are_no_headers() -> None:
    body = chunk(b"one ") + b"3;extension=1\r\ntwo\r\n" + b"0\r\nX-Trailer: 1\r\n\r\n"
    got = one(CHUNKED + body)
    assert got.body == b"one two"
    assert [name for name, _ in got.headers] == ["host", "transfer-encoding"]


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"POST / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"POST / HTTP/1.0\r\n\r\n", False),
        (b"POST / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_the_sender_says_whether_the_connection_stays(head: bytes, *, keep_alive: bool) -> None:
    assert one(head).keep_alive is keep_alive


def test_an_offer_of_another_protocol_is_ignored() -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
    named = "Name: Zoë\r\n".encode()
    first = HEAD + upgrade + named + b"Content-Length: 2\r\n\r\nhi"
    got = read(first + CHUNKED[:-2] + upgrade + b"\r\n" + chunk(b"ho") + chunk(b"") + first)
    assert [one.body for one in got if isinstance(one, Request)] == [b"hi", b"ho", b"hi"]
    assert isinstance(got[2], Request)
    assert got[2].headers == (("host", "x"), ("name", "Zoë"), ("content-length", "2"))
    assert got[2].keep_alive


# --- what is no request


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"BREW / HTTP/1.1\r\n\r\n", 501),
        (b"POST nowhere HTTP/1.1\r\n\r\n", 400),
        (b"POST / HTTP/9.9\r\n\r\n", 400),
        (b"POST / HTTP/1.1\nHost: x\n\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\n\r\n", 501),
        (HEAD + b"no colon\r\n\r\n", 400),
        (HEAD + b"A : b\r\n\r\n", 400),
        (HEAD + b"A: b\r\n folded\r\n\r\n", 400),
        (HEAD + b"A: \x00\r\n\r\n", 400),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1, 1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: identity\r\n\r\n", 501),
        (HEAD + b"Expect: a miracle\r\n\r\n", 417),
        (b"GET /" + b"x" * MAX_TARGET + b" HTTP/1.1\r\n\r\n", 414),
        (HEAD + b"A: " + b"x" * MAX_FIELD + b"\r\n\r\n", 431),
        (HEAD + b"A: b\r\n" * MAX_FIELDS + b"\r\n", 431),
    ],
)
def test_what_is_no_request_says_why_and_ends_the_reading(data: bytes, status: int) -> None:
    assert unreadable(data)[0] == status
    assert seen(read(data, request("GET", "/"))) == seen(read(data))


def test_thousands_of_offers_in_one_piece_are_read() -> None:
    offer = b"GET / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert len(read(offer * 4000)) == 4000


def test_requests_before_an_unreadable_one_are_still_there() -> None:
    first, second = read(request("GET", "/first") + b"nonsense\r\n\r\n")
    assert isinstance(first, Request)
    assert isinstance(second, Unreadable)


def test_a_head_at_the_limits_is_read() -> None:
    target = "/" + "x" * (MAX_TARGET - 1)
    fields = [(f"a{number:03}", "v") for number in range(MAX_FIELDS - 3)]
    long = ("long", "v" * (MAX_FIELD - len("long")))
    got = one(request("GET", target, [*fields, long]))
    assert (got.target, len(got.headers)) == (target, MAX_FIELDS)


def test_headers_that_are_too_long_together_are_cut_in_whatever_pieces_they_come() -> None:
    fields = [(f"a{number:03}", "v" * 8000) for number in range(MAX_HEAD // 8000)]
    assert one(request("GET", "/", fields)).target == "/"
    assert unreadable(request("GET", "/", [*fields, ("more", "v" * 8000)]))[0] == 431


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_a_token_that_is_too_long_counts_as_none(name: str) -> None:
    fits, over = "t" * (MAX_FIELD - len(name)), "t" * (MAX_FIELD - len(name) + 1)
    assert one(request("GET", "/", [(name, fits)])).headers[1] == ("authorization", fits)
    assert one(request("GET", "/", [(name, over)])).headers[1] == ("authorization", "")
    assert unreadable(request("GET", "/", [("x" + name, over)]))[0] == 431


@pytest.mark.parametrize("rest", [b"X-Never: ", b"A: b\r\n"])
def test_headers_that_never_end_are_cut(rest: bytes) -> None:
    reader = Reader(Room())
    reader.feed(HEAD)
    for _ in range(2 * MAX_HEAD // len(rest)):
        reader.feed(rest)
    (found,) = reader.ready
    assert isinstance(found, Unreadable)
    assert found.status == 431


# --- bodies that cannot be read


def problem(*parts: bytes) -> str:
    got = one(*parts)
    assert got.body == b""
    assert not got.keep_alive
    return f"{type(got.problem).__name__} {got.problem and got.problem.status}"


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    head = HEAD + f"Content-Length: {MAX_BODY + 1}\r\n\r\n".encode()
    assert problem(head) == "Refused 413"
    assert problem(head, b"x" * 1000, request("GET", "/")) == "Refused 413"


def test_chunks_over_the_limit_are_refused() -> None:
    megabyte = chunk(b"x" * 1024 * 1024)
    assert one(CHUNKED, *[megabyte] * 14, chunk(b"")).problem is None
    assert problem(CHUNKED, *[megabyte] * 14, chunk(b"x")) == "Refused 413"


def test_a_body_that_is_all_chunk_headers_is_refused() -> None:
    tiny = b"1" + b";" + b"e" * 4000 + b"\r\nx\r\n"
    assert problem(CHUNKED, *[tiny * 100] * 150) == "Refused 413"


def test_a_broken_chunk_ends_the_reading() -> None:
    assert problem(CHUNKED + b"zz\r\n", request("GET", "/")) == "TimedOut 504"


@pytest.mark.parametrize("begun", [HEAD + b"Content-Length: 9\r\n\r\nhalf", CHUNKED + b"5\r\nha"])
def test_a_body_that_ends_too_early_is_a_problem(begun: bytes) -> None:
    reader = Reader(Room())
    reader.feed(begun)
    assert (reader.begun, reader.in_body) == (True, True)
    reader.end("the connection was lost")
    (found,) = reader.ready
    assert isinstance(found, Request)
    assert isinstance(found.problem, TimedOut)
    assert found.problem.reason == "the connection was lost"
    assert reader.finished


@pytest.mark.parametrize("begun", [b"", HEAD, b"\r\n"])
def test_headers_that_end_too_early_are_nothing(begun: bytes) -> None:
    reader = Reader(Room())
    reader.feed(begun)
    assert not reader.in_body
    reader.end("the connection was lost")
    assert not reader.ready
    assert reader.finished


def test_who_expects_100_continue_is_known_until_the_body_is_there() -> None:
    reader = Reader(Room())
    reader.feed(HEAD + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n")
    assert (reader.begun, reader.continues) == (True, True)
    reader.feed(b"x" + HEAD)
    assert (reader.begun, reader.continues) == (True, False)


def test_nothing_more_is_read_once_the_last_answer_is_given() -> None:
    reader = Reader(Room())
    reader.feed(request("GET", "/") * 3)
    reader.finish()
    reader.feed(request("GET", "/"))
    assert not reader.ready


# --- properties

PIECES = st.lists(
    st.sampled_from(
        [
            request("GET", "/x"),
            request("POST", "/", [("a", "b")], b"hello"),
            CHUNKED,
            chunk(b"data"),
            chunk(b""),
            HEAD,
            b"\r\n",
            b"Content-Length: 3\r\n",
            b"Expect: 100-continue\r\n",
            b"Connection: upgrade\r\nUpgrade: x\r\n",
            b"\x00",
            b"\xff",
            b"zz",
        ]
    )
    | st.binary(max_size=12),
    max_size=8,
).map(b"".join)


@given(data=PIECES, cuts=st.lists(st.integers(0, 400), max_size=6))
@example(data=CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", cuts=list(range(80)))
def test_any_bytes_in_any_pieces_are_read_the_same_and_nothing_is_raised(
    data: bytes, cuts: list[int]
) -> None:
    edges = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    parts = [data[start:end] for start, end in pairwise(edges)]
    whole, pieces = Reader(Room()), Reader(Room())
    whole.feed(data)
    for part in parts:
        pieces.feed(memoryview(part))
    whole.end("end")
    pieces.end("end")
    assert seen(list(pieces.ready)) == seen(list(whole.ready))
    assert all(not isinstance(found.problem, Refused) for found in whole.ready
               if isinstance(found, Request))  # fmt: skip


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "/"),
        ("/a/b?c=/d", "/a/b"),
        ("/a#b", "/a"),
        ("//", "//"),
        ("http://host/p?q", "/p"),
        ("http://host", "/"),
        ("*", "/"),
        ("host:1", "/"),
    ],
)
def test_the_path_is_what_is_before_the_query(target: str, path: str) -> None:
    assert path_of(target) == path
