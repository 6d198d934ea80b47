"""A socket that listens on loopback."""

import os
import socket

from worker.local.errors import PortUnusable

_BACKLOG = 128  # connections that wait to be accepted


def listen(port: int) -> socket.socket:
    """Port 0 is a free one. Raises PortUnusable."""
    try:
        return socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
    except OSError as error:
        raise PortUnusable(port, os.strerror(error.errno or 0)) from None
