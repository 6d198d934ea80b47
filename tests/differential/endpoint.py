"""An HTTP endpoint on loopback that keeps every push, and answers as a scenario wants."""

import base64
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self

from tests.support.server import WAIT_SECONDS

PROCESSING = 102  # an interim response: nothing follows it


@dataclass(frozen=True)
class Push:
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float  # seconds, monotonic
    times: int  # how often these bytes came to this path, this time included
    connection: socket.socket = field(repr=False)

    @property
    def wrapped(self) -> dict[str, Any]:
        """The JSON body of a wrapped push."""
        return dict(json.loads(self.body))

    @property
    def message(self) -> dict[str, Any]:
        return dict(self.wrapped["message"])

    @property
    def data(self) -> bytes:
        """The payload of a wrapped push."""
        return base64.b64decode(self.message.get("data", ""))

    @property
    def text(self) -> str:
        return self.data.decode()

    def is_cut(self) -> bool:
        """Whether the sender has hung up."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def acks(_push: Push) -> Answer:
    return Answer()


def nacks(_push: Push) -> Answer:
    return Answer(503)


def nacks_first(push: Push) -> Answer:
    """Nack a message once, then ack it."""
    return Answer(503 if push.times == 1 else 200)


class Endpoint:
    """Bound at once, refuses connections until `listen` or the block begins."""

    def __init__(self, answer: Callable[[Push], Answer] = acks) -> None:
        self.answer = answer
        self.pushes: list[Push] = []
        self.ended = threading.Event()
        self._changed = threading.Condition()
        self._server = _Server(self)
        self._server.server_bind()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def listen(self) -> None:
        self._server.server_activate()
        self._thread.start()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.ended.set()
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def take(self, handler: BaseHTTPRequestHandler) -> Push:
        """Keep what `handler` has read the head of."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        with self._changed:
            same = [one for one in self.pushes if (one.path, one.body) == (handler.path, body)]
            push = Push(
                handler.command, handler.path, headers, body, time.monotonic(), len(same) + 1,
                handler.connection,
            )  # fmt: skip
            self.pushes.append(push)
            self._changed.notify_all()
        return push

    def soon(self, condition: Callable[[list[Push]], Any], seconds: float) -> bool:
        """Whether what has arrived meets the condition, now or before so many seconds are over."""
        with self._changed:
            return bool(self._changed.wait_for(lambda: condition(self.pushes), seconds))

    def wait(self, condition: Callable[[list[Push]], Any], what: str) -> list[Push]:
        """What has arrived when the condition is met; fails when that never happens."""
        assert self.soon(condition, WAIT_SECONDS), f"it never came: {what}"
        return list(self.pushes)

    def wait_for(self, count: int) -> list[Push]:
        """The first `count` pushes."""
        return self.wait(lambda pushes: len(pushes) >= count, f"push {count}")[:count]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: Endpoint

    def __init__(self, owner: Endpoint) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up is free to."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    timeout: ClassVar[float | None] = 60.0

    def _answer(self) -> None:
        owner = self.server.owner
        answer = owner.answer(owner.take(self))
        if answer.status == PROCESSING:
            self.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\n")
            self.wfile.flush()
            owner.ended.wait()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST = _answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Tests print nothing."""
