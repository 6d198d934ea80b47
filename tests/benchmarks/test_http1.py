"""The load generator's reader of answers: its one error type, and never half an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.http1 import MAX_HEAD, Answer, BadAnswer, read_answer

STATUSES = st.integers(200, 599)
NAMES = st.sampled_from(["Content-Length", "content-length", "CONTENT-LENGTH"])


def answer(status: int, body: bytes, *headers: str, name: str = "Content-Length") -> bytes:
    lines = [f"HTTP/1.1 {status} Some Reason", *headers, f"{name}: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


@given(STATUSES, st.binary(max_size=200), NAMES, st.booleans())
def test_an_answer_is_read_when_it_is_whole_and_not_before(
    status: int, body: bytes, name: str, closes: bool
) -> None:
    headers = ["Date: now", *(["Connection: close"] if closes else [])]
    sent = answer(status, b"" if status in (204, 304) else body, *headers, name=name)
    assert read_answer(sent) == Answer(status, len(sent), not closes)
    assert [read_answer(sent[:size]) for size in range(len(sent))] == [None] * len(sent)


@given(STATUSES, st.binary(max_size=50), st.binary(max_size=50))
def test_what_follows_an_answer_is_not_its(status: int, body: bytes, after: bytes) -> None:
    sent = answer(status, b"" if status in (204, 304) else body)
    found = read_answer(sent + after)
    assert found is not None
    assert found.size == len(sent)


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: b"HTTP/1.1 2" + tail))
def test_anything_else_is_a_bad_answer_or_not_whole_yet(data: bytes) -> None:
    try:
        found = read_answer(data)
    except BadAnswer:
        return
    assert found is None or found.size <= len(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x" * MAX_HEAD,
    ],
    ids=["no HTTP", "another HTTP", "no final status", "chunks", "a head without end"],
)
def test_what_no_server_here_should_send_is_refused(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(data)


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none_whatever_length_is_said(status: int) -> None:
    head = f"HTTP/1.1 {status} Nothing\r\nContent-Length: 5\r\n\r\n".encode()
    assert read_answer(head) == Answer(status, len(head), keeps=True)


def test_an_answer_of_http_1_0_ends_the_connection() -> None:
    assert read_answer(b"HTTP/1.0 204 No Content\r\n\r\n") == Answer(204, 27, keeps=False)
