"""HTTP/1.1, read: bytes in, requests out, bounded in size, without any waiting or socket.

The parser is llhttp by httptools. What it refuses, or what is over a limit, becomes an Unreadable
or, once the headers are there, a request whose `problem` says what is wrong with its body.
Source: RFC 9112.
"""

from collections import deque
from dataclasses import dataclass

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from worker.body import MAX_BODY, Body, Room, too_large
from worker.outcome import Stop, TimedOut

MAX_HEAD = 256 * 1024  # bytes: 100 attributes of 1,280 bytes arrive as headers, and the usual ones
MAX_FIELDS = 256
MAX_FIELD = 8190  # bytes of one header
MAX_TARGET = 4094  # bytes of the path and the query
_MAX_RAW = 4 * MAX_BODY  # bytes that a body in chunks may take on the wire

_DECISIVE = frozenset({"content-length", "transfer-encoding", "expect"})
_UPGRADE = ("connection", "upgrade", "http2-settings")

Headers = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Request:
    """One request. `headers` are (lower-case name, value) pairs in their order, repeated ones too.

    `problem` says why the body could not be read; it is b"" then, and nothing may follow. `held` is
    what the body takes of the room, to be given back with the answer.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    keep_alive: bool
    problem: Stop | None = None
    held: int = 0


class Unreadable(Exception):
    """What came is no request. The text repeats nothing of it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Reader:
    """Reads the requests of one connection: `feed` it bytes, take from `ready`. Never raises.

    `finished` is true when nothing more can be read, whatever is sent.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._body = Body(room)
        self.ready: deque[Request | Unreadable] = deque()
        self.finished = False
        self.continues: bool  # the sender waits for 100 Continue before it sends the body
        self._parser = HttpRequestParser(self)
        self.on_message_begin()
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether a request has begun to arrive and is not complete."""
        return self._begun and not self.finished

    @property
    def in_body(self) -> bool:
        """Whether the headers of that request are complete."""
        return self.begun and self._in_body

    def feed(self, data: bytes | memoryview) -> None:
        """Read what has arrived."""
        self._raw += len(data)
        while data and not self.finished:
            data = self._parse(data)

    def _parse(self, data: bytes | memoryview) -> bytes:
        """Returns what is to be read next, if the parser stopped before the end."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            return self._without_upgrade() + data[upgrade.args[0] :]
        except HttpParserError as error:
            self._stop(error.__context__ or error)
        else:
            self._check_raw()
        return b""

    def end(self, why: str) -> None:
        """Read no more: the sender has gone, or takes too long. A half body becomes a problem."""
        if self.in_body:
            self._stop(TimedOut(why))
        self.finished = True

    def finish(self) -> None:
        """Read no more, and forget what is ready: the last answer is given."""
        self.finished = True
        self._body.drop()
        self._room.free += sum(one.held for one in self.ready if isinstance(one, Request))
        self.ready.clear()

    def _stop(self, cause: BaseException) -> None:
        self.finished = True
        if isinstance(cause, Stop):
            self._emit(cause)
        elif isinstance(cause, Unreadable):
            self.ready.append(cause)
        elif self._in_body:
            self._emit(TimedOut("the body did not arrive whole"))
        else:
            status = 501 if isinstance(cause, HttpParserInvalidMethodError) else 400
            # llhttp's text is one of its constants, never what was sent
            self.ready.append(Unreadable(status, f"{cause}"))

    def _without_upgrade(self) -> bytes:
        """The head of this request as if nothing had been said of another protocol.

        The parser skips the body of such a request, so it has to read it again. Java's HttpClient,
        for one, offers HTTP/2 with the first request that it sends.
        """
        fields = [f"{name}: {value}" for name, value in self._headers if name not in _UPGRADE]
        method, target = self._parser.get_method().decode("ascii"), self._target.decode("ascii")
        self._parser = HttpRequestParser(self)
        return "\r\n".join([f"{method} {target} HTTP/1.1", *fields, "", ""]).encode()

    def _check_raw(self) -> None:
        if self._begun and not self._in_body and self._raw > MAX_HEAD:
            self._stop(Unreadable(431, "the headers are too long"))
        elif self._begun and self._raw > _MAX_RAW:
            self._stop(too_large())

    def _emit(self, problem: Stop | None) -> None:
        if problem:
            self._body.drop()
        body, held = self._body.take()
        self._begun = False
        self.ready.append(
            Request(
                method=self._parser.get_method().decode("ascii"),
                target=self._target.decode("ascii"),
                headers=self._headers,
                body=body,
                keep_alive=problem is None and self._parser.should_keep_alive(),
                problem=problem,
                held=held,
            )
        )

    # What follows is called by the parser. An exception stops it.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._begun = True
        self._in_body = False
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._headers: Headers = ()
        self._head = 0  # bytes of headers
        self._raw = 0  # bytes of all, as they came
        self.continues = False

    def on_url(self, part: bytes) -> None:
        """Take a part of the target."""
        self._target += part
        if len(self._target) > MAX_TARGET:
            raise Unreadable(414, "the path is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; one that follows the body (a trailer) is dropped."""
        if self._in_body:
            return
        too_long = len(name) + len(value) > MAX_FIELD
        if too_long and name.lower() == b"authorization":
            too_long, value = False, b""  # no token is that long: refused like what is none
        self._head += len(name) + len(value)
        if too_long or len(self._fields) == MAX_FIELDS or self._head > MAX_HEAD:
            raise Unreadable(431, "there are too many headers, or they are too long")
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Decide whether the body can be read."""
        self._headers = _decoded(self._fields)
        if self._parser.get_method() == b"CONNECT":
            raise Unreadable(501, "there are no tunnels here")
        for name, value in self._headers:
            if name in _DECISIVE:
                self._decide(name, value.lower())
        self._in_body = True

    def _decide(self, name: str, value: str) -> None:
        if name == "content-length":
            if int(value) > MAX_BODY:
                self._in_body = True
                raise too_large()
        elif name == "transfer-encoding":
            if value != "chunked":
                raise Unreadable(501, "the only transfer coding is chunked")
        elif value != "100-continue":
            raise Unreadable(417, "the only expectation is 100-continue")
        else:
            self.continues = True

    def on_body(self, chunk: bytes) -> None:
        """Take a part of the body."""
        self._body.add(chunk)

    def on_message_complete(self) -> None:
        """End a request."""
        if not self._parser.should_upgrade():
            self._emit(None)


def _decoded(fields: list[tuple[bytes, bytes]]) -> Headers:
    """Pub/Sub sends attributes as UTF-8; a value that is none is latin-1, HTTP's own."""
    try:
        return tuple([(n.lower().decode(), v.strip().decode()) for n, v in fields])
    except UnicodeDecodeError:
        return tuple((n.lower().decode(), _text(v.strip())) for n, v in fields)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def path_of(target: str) -> str:
    """The path of a request's target, still percent-encoded, its query left out."""
    if not target.startswith("/"):  # http://host/path, as proxies get it
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target.partition("?")[0].partition("#")[0]
