"""What an HTTP request is answered: a status, JSON, and nothing of what was sent."""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from worker.jsonline import encode

_LIMIT = 64 * 1024  # bytes of an answer
_JSON = {"Content-Type": "application/json"}
ADVICE = {
    404: "no such path; pushes go to POST /",
    405: "this path takes another method; pushes go to POST /",
    500: "see the log",
}


class Response:
    """A status and a JSON body, or the bytes and headers that somebody else made."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.body = body
        self.headers = headers or _JSON

    @classmethod
    def of(
        cls, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> "Response":
        """The answer with this object as JSON."""
        return cls(status, encode(body, _LIMIT), headers and {**_JSON, **headers})

    def to_bytes(self, *, keep_alive: bool, with_body: bool) -> bytes:
        """The answer as it is sent."""
        fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        length = len(self.body)
        close = "" if keep_alive else "Connection: close\r\n"
        head = (
            f"{_status_line(self.status)}{_date()}{fields}Content-Length: {length}\r\n{close}\r\n"
        )
        return head.encode("latin-1") + (self.body if with_body else b"")


def error(status: int, reason: str = "", allow: str = "") -> Response:
    """The answer to what is no push: what is wrong and what to do, nothing of what was sent."""
    body = {"error": HTTPStatus(status).phrase, "reason": reason or ADVICE[status]}
    return Response.of(status, body, {"Allow": allow} if allow else None)


_status_lines: dict[int, str] = {}


def _status_line(status: int) -> str:
    line = _status_lines.get(status)
    if line is None:
        line = _status_lines[status] = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
    return line


class _Clock:
    """The Date header, formatted once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n"
            self._second = second
        return self._line


_date = _Clock().line
