"""A TCP proxy on loopback that loses answers: the server did what was asked, and nobody hears."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Literal, Self

Loss = Literal["cut", "swallowed"]


class LossyProxy:
    """Passes bytes on, to and from `target` (HOST:PORT), until it is told to lose answers."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self.target = (host, int(port))
        self._losses: list[Loss] = []
        self._server = _Server(self)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def lose(self, *losses: Loss) -> None:
        """The next answers: the connection is cut instead, or stays open and silent."""
        self._losses += losses

    def next_loss(self) -> Loss | None:
        return self._losses.pop(0) if self._losses else None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, owner: LossyProxy) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server
    request: socket.socket

    def handle(self) -> None:
        with socket.create_connection(self.server.owner.target) as there:
            pump = threading.Thread(target=self._ask, args=(there,), daemon=True)
            pump.start()
            for answer in _chunks(there):
                loss = self.server.owner.next_loss()
                if loss == "cut":
                    break
                if loss is None:
                    self.request.sendall(answer)
            for end in (there, self.request):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            pump.join()

    def _ask(self, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for question in _chunks(self.request):
                there.sendall(question)
            there.shutdown(socket.SHUT_WR)


def _chunks(source: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            yield chunk


@contextlib.contextmanager
def silent_address() -> Iterator[str]:
    """An address where connections succeed, as the kernel makes them, and nobody ever answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@contextlib.contextmanager
def full_address() -> Iterator[str]:
    """An address where no connection comes about: its queue is full, and nobody takes from it."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"
