"""The HTTP server of the laptop cloud. A gRPC client may knock at the same port: it is handed on.

So one HOST:PORT does for everything, as with Google's emulator.
"""

import socket
import threading
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from worker.local.listening import listen

_HTTP2 = b"PRI * HTTP/2.0"  # how an HTTP/2 client that expects one begins: RFC 9113, 3.4
_CHUNK = 64 * 1024  # bytes
_IDLE_SECONDS = 60.0  # that a client may keep a connection without a request


class WebServer:
    """Serves a WSGI application on loopback, a thread for each connection.

    `port` 0 takes a free one; `self.port` says which. Raises PortUnusable.
    """

    def __init__(self, app: Any, port: int, rpc_port: int) -> None:
        handler = type("Handler", (_Handler,), {"rpc_port": rpc_port})
        # A socket of our own: werkzeug ends the process where it cannot have the port.
        with listen(port) as listening:
            self._server = _Server("127.0.0.1", 0, app, handler, fd=listening.fileno())
        self.port: int = self._server.port
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="web"
        )

    def start(self) -> None:
        """Serve from now on, in threads."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False  # a page that listens for news would keep it open

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; the application answers its own errors."""


class _Handler(WSGIRequestHandler):
    rpc_port: int
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    wbufsize = -1  # head and body of an answer leave together

    def handle(self) -> None:
        try:
            begin = self.connection.recv(len(_HTTP2), socket.MSG_PEEK)
        except OSError:
            return
        if begin and _HTTP2.startswith(begin):
            self.connection.settimeout(None)
            _relay(self.connection, self.rpc_port)
        else:
            super().handle()

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:  # the client left in the middle of an answer
            self.rfile.close()

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """The terminal is for the worker's entries."""


def _relay(client: socket.socket, port: int) -> None:
    """Copy both ways until either side is done."""
    try:
        with socket.create_connection(("127.0.0.1", port)) as server:
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()
    except OSError:
        pass


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, target):
            one.close()
