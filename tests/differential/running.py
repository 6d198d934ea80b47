"""A running `python -m worker dev`, used from outside as its user would: publish, read the log."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import requests

from tests.differential.stage import encoded
from tests.support.cli import DevProcess
from tests.support.server import ROOT, WAIT_SECONDS
from worker.pipeline import CANONICAL_EVENT

TOPIC = "projects/demo/topics/features"
_PAGE_SIZE = 1000
_LOOK_SECONDS = 0.2
CANONICAL = f'jsonPayload.event="{CANONICAL_EVENT}"'


class RunningCloud:
    """`dev` on a free port with the handlers of this project; `folder` keeps its state."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str] | None = None, speed: float = 1.0
    ) -> None:
        ignored = shutil.ignore_patterns("__py*")
        shutil.copytree(ROOT / "handlers", folder / "handlers", ignore=ignored, dirs_exist_ok=True)
        words = ("--port", "0", "--state", "state", "--speed", str(speed))
        variables = {"PORT": "0", **(environment or {})}
        self._dev = DevProcess(folder, words, variables)
        line = self._dev.wait_for("laptop cloud on ")
        self.host = line.partition("http://")[2].partition("/")[0]
        self._dev.wait_for("Ctrl-C stops")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._dev.__exit__()

    def kill(self) -> None:
        """SIGKILL to it and its worker, as when a machine loses power."""
        for pid in self._dev.left():
            os.kill(pid, signal.SIGKILL)
        self._dev.wait()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def publish(self, payloads: Sequence[bytes]) -> set[str]:
        """Publish them with one call; return their ids."""
        messages = [{"data": encoded(data)} for data in payloads]
        return set(self._call(f"v1/{TOPIC}:publish", {"messages": messages})["messageIds"])

    def waiting(self, subscription: str) -> list[dict[str, Any]]:
        """What a pull subscription has now."""
        path = f"v1/projects/demo/subscriptions/{subscription}:pull"
        body = {"maxMessages": _PAGE_SIZE, "returnImmediately": True}
        return list(self._call(path, body).get("receivedMessages", []))

    def entries(self, query: str) -> list[dict[str, Any]]:
        """All entries that the query finds, oldest first."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            answer = self._list(query, token)
            found += answer.get("entries", [])
            token = answer.get("nextPageToken", "")
            if not token:
                return found

    def _list(self, query: str, token: str) -> dict[str, Any]:
        body = {
            "resourceNames": ["projects/demo"],
            "filter": query,
            "orderBy": "timestamp asc",
            "pageSize": _PAGE_SIZE,
            "pageToken": token,
        }
        return self._call("v2/entries:list", body)

    def _call(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/{path}", json=body, timeout=WAIT_SECONDS)
        assert answer.ok, answer.text
        return dict(answer.json())


class Outcomes:
    """The canonical entries so far, read on where it stopped: message id -> its outcomes."""

    _OVERLAP_SECONDS = 5  # an entry may arrive that much later than a younger one

    def __init__(self, cloud: RunningCloud) -> None:
        self._cloud = cloud
        self._seen: set[str] = set()
        self._since = ""
        self.of: dict[str, list[str]] = {}

    def read(self) -> Mapping[str, list[str]]:
        """Those that are there now."""
        query = CANONICAL + (f' timestamp>="{self._since}"' if self._since else "")
        for entry in self._cloud.entries(query):
            if entry["insertId"] in self._seen:
                continue
            self._seen.add(entry["insertId"])
            payload = entry["jsonPayload"]
            self.of.setdefault(payload["message_id"], []).append(payload["outcome"])
            self._since = _before(entry["timestamp"], self._OVERLAP_SECONDS)
        return self.of

    def wait(
        self, enough: Callable[[Mapping[str, list[str]]], bool], seconds: float = WAIT_SECONDS
    ) -> Mapping[str, list[str]]:
        """Those that are there when that is enough; AssertionError when it never is."""
        until = time.monotonic() + seconds
        while not enough(self.read()):
            assert time.monotonic() < until, f"{len(self.of)} messages have an outcome"
            time.sleep(_LOOK_SECONDS)  # the log is only to be asked
        return self.of


def _before(timestamp: str, seconds: int) -> str:
    """An entry's time, so many seconds earlier."""
    whole = datetime.fromisoformat(timestamp[:19] + "+00:00") - timedelta(seconds=seconds)
    return f"{whole:%Y-%m-%dT%H:%M:%SZ}"


def smoke_test(number: int) -> bytes:
    return json.dumps({"feature": "smoke_test", "requirements": {"nonce": f"{number}"}}).encode()
