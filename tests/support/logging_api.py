"""A stand-in for the Logging API (REST): keeps what is written, lists it, fails when told to."""

import itertools
import threading
from typing import Any

from tests.support.standin import Call, Reply, StandIn

WRITE = "/v2/entries:write"
LIST = "/v2/entries:list"


class LoggingApi(StandIn):
    """`writes` are the entries of each entries:write call; `failure` is what calls get instead."""

    def __init__(self) -> None:
        self.writes: list[list[dict[str, Any]]] = []
        self.failure: Reply | None = None
        self.written = threading.Condition()
        super().__init__(self._answer)

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(itertools.chain.from_iterable(self.writes))

    def writes_of(self, message_id: str) -> list[list[dict[str, Any]]]:
        """The calls that wrote entries of this message."""
        return [
            written
            for written in self.writes
            if any(entry["jsonPayload"].get("message_id") == message_id for entry in written)
        ]

    def _answer(self, call: Call) -> Reply:
        path = call.path.partition("?")[0]
        if call.method == "POST" and path == WRITE:
            if self.failure is not None:
                return self.failure
            with self.written:
                self.writes.append(call.json()["entries"])
                self.written.notify_all()
            return Reply.json({})
        if call.method == "POST" and path == LIST:
            return Reply.json({"entries": self.entries})
        return Reply.error(404, f"{call.method} {path} is not stood in for")
