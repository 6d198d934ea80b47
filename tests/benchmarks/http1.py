"""HTTP/1.1 answers as a load generator needs them: where one ends and what its status is."""

import re
from typing import NamedTuple

MAX_HEAD = 64 * 1024  # bytes

_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5]\d\d)[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r\n", re.IGNORECASE)
_BODILESS = (204, 304)


class BadAnswer(Exception):
    """These bytes are no answer, or one of a kind that no server here should send."""


class Answer(NamedTuple):
    """`size` is in bytes, head and body; `keeps` says whether the connection stays open."""

    status: int
    size: int
    keeps: bool


def read_answer(data: bytes) -> Answer | None:
    """The answer that `data` begins with, None while it is not all there. Raises BadAnswer.

    An answer has to have a Content-Length unless its status has no body; chunks are not read.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if len(data) > MAX_HEAD or not _may_become_one(data):
            raise BadAnswer(f"no HTTP answer: {data[:40]!r}")
        return None
    head = data[: end + 2]
    line = _STATUS.match(head)
    if line is None:
        raise BadAnswer(f"no HTTP answer: {data[:40]!r}")
    status = int(line[2])
    keeps = line[1] == b"1" and _CLOSE.search(head) is None
    answer = Answer(status, end + 4 + _body_size(status, head), keeps)
    return answer if len(data) >= answer.size else None


def _may_become_one(data: bytes) -> bool:
    return data.startswith(b"HTTP/1."[: len(data)])


def _body_size(status: int, head: bytes) -> int:
    if status in _BODILESS:
        return 0
    length = _LENGTH.search(head)
    if length is None:
        raise BadAnswer(f"an answer {status} without a Content-Length")
    return int(length[1])
