"""One address before all workers, as Cloud Run has: each connection goes to the next that is up."""

import socket
import socketserver
import threading
from contextlib import suppress
from itertools import count
from typing import Self


class Balancer:
    """Passes connections on to `ports` in turn; without any it closes them at once."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self._turns = count()
        self._server = _Server(self)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def connect(self) -> socket.socket | None:
        """A connection to a worker, or None when there is none."""
        ports = list(self.ports)
        turn = next(self._turns)
        for number in range(len(ports)):
            with suppress(OSError):
                return socket.create_connection(("127.0.0.1", ports[(turn + number) % len(ports)]))
        return None


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, owner: Balancer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up is free to."""


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        there = self.server.owner.connect()
        if there is None:
            return
        with there:
            pump = threading.Thread(target=_pass_on, args=(self.request, there), daemon=True)
            pump.start()
            _pass_on(there, self.request)
            pump.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until one side ends; then both do."""
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
