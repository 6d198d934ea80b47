"""A document over HTTP(S), bounded as a whole: urllib's timeout begins anew with every byte."""

import io
import socket
import time
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener


class _Received(io.RawIOBase):
    """What a socket receives within the timeout that it has now, all of it together."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._bytes = link.makefile("rb", buffering=0)
        self._until = time.monotonic() + (link.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not arrive in time")
        self._link.settimeout(left)
        return self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_Received(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Handler(HTTPSHandler, HTTPHandler):
    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_Connection, request)

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, request)


def download(url: str, limit: int, seconds: float) -> bytes:
    """The first `limit` bytes of what is there. Raises OSError or HTTPException.

    Connecting may take that long, and so may the answer from its first byte to its last.
    """
    with build_opener(_Handler).open(url, timeout=seconds) as response:
        document: bytes = response.read(limit)
        return document
