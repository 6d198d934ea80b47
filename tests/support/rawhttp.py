"""HTTP over a plain socket: bytes leave as they were written, nothing is normalised."""

import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

WAIT_SECONDS = 30.0  # for any answer; far more than it takes


@dataclass(frozen=True)
class RawAnswer:
    """One answer as it came over the wire; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class RawConnection:
    """One connection; `answer()` reads the next answer, `ended()` whether the server closed it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, data: bytes) -> Self:
        self._socket.sendall(data)
        return self

    def finish_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self, *, to_head: bool = False) -> RawAnswer:
        status_line = self._file.readline()
        if not status_line:
            raise EOFError("the connection was closed without an answer")
        status = int(status_line.split()[1])
        headers = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if to_head else int(headers.get("content-length", 0))
        return RawAnswer(status, headers, self._file.read(length))

    def ended(self) -> bool:
        """Wait for the server to close the connection; false when it sends something instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionResetError:
            return True


Headers = Iterable[tuple[str, str]]


def request(method: str, path: str, headers: Headers = (), body: bytes | None = b"") -> bytes:
    """A request's bytes; with body=None no Content-Length is sent, and no body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: worker"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; b"" is the last one."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def send(port: int, data: bytes) -> RawAnswer:
    """One request on a connection of its own."""
    with RawConnection(port) as connection:
        return connection.send(data).answer(to_head=data.startswith(b"HEAD"))


def post(port: int, body: bytes, headers: Headers = ()) -> RawAnswer:
    """POST / with these headers and no others but Host and Content-Length."""
    return send(port, request("POST", "/", headers, body))
