"""Server-sent events that lose no update: a connection is told how things are, then what differs.

A notice from a queue only says "look again". So a notice that was dropped, a connection that broke,
or a thousand changes at once cost nothing but one more look. Source: HTML, server-sent events.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from queue import Empty, Queue
from typing import Any

import flask

_GATHER_SECONDS = 0.2  # changes that come together are sent together

_HERE = b"retry: 1000\n\n"  # milliseconds until a browser that lost us asks again

Listen = Callable[[], AbstractContextManager["Queue[Any]"]]
Parts = Mapping[str, str]  # the id of an element -> its HTML, in the order to put them on top


def frame(event: str, data: str) -> bytes:
    """One event as it is sent."""
    lines = [f"event: {event}"]
    lines += [
        f"data: {line}" for line in data.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    return ("\n".join(lines) + "\n\n").encode("utf-8", "replace")


class Differences:
    """What to tell a browser that knows what was told to it before."""

    def __init__(self, look: Callable[[], Parts]) -> None:
        self._look = look
        self._told: dict[str, str] = {}
        self._first = True

    def frames(self) -> Iterator[bytes]:
        """`put` for each part that is new or differs; first `only`, the ids that are left."""
        parts = dict(self._look())
        if self._first or self._told.keys() - parts.keys():
            yield frame("only", "\n".join(parts))
        for key, html in parts.items():
            if self._told.get(key) != html:
                yield frame("put", html)
        self._told, self._first = parts, False


def differences(
    listen: Listen, look: Callable[[], Parts], *, beat_seconds: float = 5.0
) -> flask.Response:
    """A stream of what `look` sees: again after each notice of `listen`, and each beat."""
    return respond(_differences(listen, look, beat_seconds))


def respond(frames: Iterator[bytes]) -> flask.Response:
    """The answer of a stream; its generator is closed when the browser has gone."""
    response = flask.Response(flask.stream_with_context(frames), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    return response


def _gather(queue: "Queue[Any]", beat_seconds: float) -> None:
    """Wait for notices, and take all that come together."""
    with suppress(Empty):
        queue.get(timeout=beat_seconds)
        time.sleep(_GATHER_SECONDS)
        while True:
            queue.get_nowait()


def _differences(listen: Listen, look: Callable[[], Parts], beat_seconds: float) -> Iterator[bytes]:
    told = Differences(look)
    with listen() as queue:  # before the first look, so that nothing falls between
        while True:
            yield _HERE  # a browser that has gone is noticed only by writing to it
            yield from told.frames()
            _gather(queue, beat_seconds)
