"""Cloud Storage for tests: its emulator from PyPI as a process, and a stand-in with preconditions.

The emulator ignores ifGenerationMatch; the stand-in obeys it, and knows nothing else.
"""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.daemon import Daemon, start_on_free_port
from tests.support.standin import Call, Reply, StandIn

BUCKET = "made-for-tests"


@contextmanager
def storage_emulator(folder: Path) -> Iterator[str]:
    """HOST:PORT of an emulator that has the bucket."""
    log = folder / "storage.log"
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory"]
    command += ["--host", "127.0.0.1", "--default-bucket", BUCKET, "--port"]

    def start(port: int) -> Daemon:
        return Daemon([*command, str(port)], log, b"All services started", b"Traceback")

    daemon, port = start_on_free_port(start, log)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        daemon.stop()


class FakeStorage(StandIn):
    """Keeps objects, each of which can be made once: `objects` by name, in the one bucket."""

    def __init__(self) -> None:
        super().__init__(self._obey)
        self.objects: dict[str, bytes] = {}
        self.lost: set[str] = set()  # names whose first answer does not arrive: 503 in its place
        self._lock = threading.Lock()

    def _obey(self, call: Call) -> Reply:
        address = urlsplit(call.path)
        if f"/b/{BUCKET}/" not in address.path:
            return Reply.error(404, "The specified bucket does not exist.")
        with self._lock:
            if call.method == "POST":
                return self._create(call, parse_qs(address.query))
            name = unquote(address.path.rpartition("/o/")[2])
            data = self.objects.get(name)
        if data is None:
            return Reply.error(404, f"No such object: {name}")
        return Reply(200, data) if "alt=media" in address.query else Reply.json({"name": name})

    def _create(self, call: Call, query: dict[str, list[str]]) -> Reply:
        assert query["ifGenerationMatch"] == ["0"]
        name, data = _parts(call)
        if name in self.objects:
            return Reply.error(412, "At least one of the pre-conditions did not hold.")
        self.objects[name] = data
        if name in self.lost:
            self.lost.discard(name)
            return Reply.error(503, "We encountered an internal error. Please try again.")
        return Reply.json({"name": name, "bucket": BUCKET})


def _parts(call: Call) -> tuple[str, bytes]:
    """The object's name and its bytes, of a multipart upload."""
    head = f"Content-Type: {call.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + call.body)
    about, content = message.iter_parts()
    data = content.get_payload(decode=True)
    assert isinstance(data, bytes)
    return json.loads(str(about.get_payload()))["name"], data
