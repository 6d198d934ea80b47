"""The floors: a bare 204 on the worker's own edge, and on gunicorn's fastest worker.

Run as `python -m tests.benchmarks.floor edge|gunicorn PORT` in the project's own environment.
"""

import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from worker.body import Room
from worker.connection import Connection
from worker.http1 import Request, Unreadable
from worker.reactor import Reactor
from worker.response import Response

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Bare:
    """Answers every request by the loop that serves the worker."""

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._room = Room()

    def accepted(self, link: socket.socket) -> None:
        """Serve a new connection."""
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Connection(link, self._reactor.selector, _answer, self._room, read_seconds=20.0)

    def tick(self) -> None:
        """Nothing has a deadline here."""

    def run(self, job: Any) -> None:
        """There are no jobs."""

    held_up = run

    def done(self, job: Any, result: Any, seconds: float) -> None:
        """There are no jobs."""

    back = done


def _answer(_connection: Connection, _request: Request | Unreadable) -> Response:
    return Response(204, b"")


def edge(port: str) -> None:
    """Serve until killed."""
    reactor = Reactor([socket.create_server(("127.0.0.1", int(port)), backlog=2048)])
    reactor.start(Bare(reactor))
    while True:
        reactor.watch()


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Read the request whole, answer 204."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def gunicorn(port: str) -> None:
    """Become the server."""
    options = f"--worker-class asgi --asgi-lifespan off --no-control-socket --bind 127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", *options.split(), "tests.benchmarks.floor:app"]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    {"edge": edge, "gunicorn": gunicorn}[sys.argv[1]](sys.argv[2])
