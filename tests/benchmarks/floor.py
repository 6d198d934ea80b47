"""The floor: a bare 204 on the worker's own server, to subtract from what everything else costs.

Run as `python -m tests.benchmarks.floor PORT` in the project's own environment. This file is the
only place that knows which server that is.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Read the request whole, answer 204."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def main(port: str) -> None:
    """Become the server."""
    options = f"--worker-class asgi --asgi-lifespan off --no-control-socket --bind 127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", *options.split(), "tests.benchmarks.floor:app"]
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1])
