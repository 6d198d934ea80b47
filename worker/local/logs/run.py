"""What Cloud Run writes to Cloud Logging for a service: its output lines and its request log.

Sources: Cloud Run, logging and viewing logs; LogEntry, HttpRequest; monitored resource types.
"""

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.local.logs.limits import ENTRY_BYTES, is_too_deep
from worker.local.logs.store import Logs
from worker.local.logs.times import DAY, SECOND, duration, nanoseconds, written
from worker.logentry import to_log_entry

_CUT_BYTES = ENTRY_BYTES - 8 * 1024  # of a line: its entry has other fields as well
_KEPT_DAYS = 30  # an older time is taken for a mistake, as the entry would be dropped at once
_FIRST_ERROR, _FIRST_WARNING = 500, 400  # statuses


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request as the front end of Cloud Run saw it."""

    url: str
    status: int  # 0: no answer
    started: float  # seconds since the epoch
    seconds: float  # until the answer
    request_size: int  # bytes
    response_size: int
    user_agent: str
    trace: str  # 32 hex digits
    span: str  # 16
    text: str = ""  # why the front end refused it, "" if it reached the worker


class CloudRun:
    """One service. Lines and requests become entries of its newest revision.

    Safe to share by threads. The entries are written in batches, yet every search finds all.
    """

    def __init__(
        self,
        logs: Logs,
        *,
        project: str,
        service: str = "feature-worker",
        location: str = "europe-west1",
    ) -> None:
        self.project = project
        self.service = service
        self.location = location
        self.revision = ""  # begin() names it
        self._logs = logs
        self._instance = ""
        self._beginning = threading.Lock()

    def begin(self) -> str:
        """A new revision, with an instance of its own. Returns its name."""
        number = self._logs.count_up(f"revision of {self.service}")
        with self._beginning:
            self.revision = f"{self.service}-{number:05d}-dev"
            self._instance = secrets.token_hex(32)
        return self.revision

    def line(self, data: bytes, stream: str) -> None:
        """Take one line of "stdout" or "stderr". Any bytes become an entry.

        One beyond 256 KiB is refused by Cloud Logging; here it becomes text that is cut and says
        so. A time that is none, or more than a day ahead, or 30 behind, becomes the time it came.
        """
        entry = _storable(to_log_entry(data), data)
        self._set_time(entry)
        self._write(entry, stream)

    def request(self, seen: RequestSeen) -> None:
        """Write the entry of the request log."""
        entry: dict[str, Any] = {
            "severity": _severity(seen.status),
            "timestamp": written(int(seen.started * SECOND)),
            "httpRequest": _http_request(seen),
        }
        if seen.trace:
            trace = f"projects/{self.project}/traces/{seen.trace}"
            entry |= {"trace": trace, "spanId": seen.span, "traceSampled": True}
        if seen.text:
            entry["textPayload"] = seen.text
        self._write(entry, "requests")

    def _set_time(self, entry: dict[str, Any]) -> None:
        said = entry.pop("timestamp", "")
        now = self._logs.now()
        try:
            time = nanoseconds(said)
        except ValueError:
            return
        if now - _KEPT_DAYS * DAY < time <= now + DAY:
            entry["timestamp"] = written(time)

    def _write(self, entry: Mapping[str, Any], log: str) -> None:
        if not self.revision:
            self.begin()
        labels = {
            "project_id": self.project,
            "service_name": self.service,
            "revision_name": self.revision,
            "configuration_name": self.service,
            "location": self.location,
        }
        self._logs.write_soon(
            {
                **entry,
                "logName": f"projects/{self.project}/logs/run.googleapis.com%2F{log}",
                "resource": {"type": "cloud_run_revision", "labels": labels},
                "labels": {"instanceId": self._instance, **entry.get("labels", {})},
            }
        )


def _storable(entry: dict[str, Any], line: bytes) -> dict[str, Any]:
    """The entry as the service could hold it: no half characters, not too deep, not too large."""
    for name in ("trace", "spanId", "traceSampled", "insertId"):
        if not entry.get(name, True):  # protobuf does not tell an empty value from none
            del entry[name]
    if is_too_deep(entry.get("jsonPayload")):
        entry = {"severity": "DEFAULT", "textPayload": _text(line)}
    text = json.dumps(entry, ensure_ascii=False)
    try:
        data = text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        data = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        entry = json.loads(data)
    if len(data) <= _CUT_BYTES:
        return entry
    kept = _text(line).encode()[:_CUT_BYTES].decode("utf-8", "ignore")
    cut = f"{kept} [cut: the line has {len(line)} bytes]"
    return {"severity": entry["severity"], "textPayload": cut}


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").rstrip("\n")


def _severity(status: int) -> str:
    if status >= _FIRST_ERROR or status == 0:
        return "ERROR"
    return "WARNING" if status >= _FIRST_WARNING else "INFO"


def _http_request(seen: RequestSeen) -> dict[str, Any]:
    request = {
        "requestMethod": "POST",
        "requestUrl": seen.url,
        "requestSize": str(seen.request_size),
        "status": seen.status,
        "responseSize": str(seen.response_size),
        "userAgent": seen.user_agent,
        "remoteIp": "127.0.0.1",
        "serverIp": "127.0.0.1",
        "latency": duration(seen.seconds),
        "protocol": "HTTP/1.1",
    }
    return {name: value for name, value in request.items() if value != 0}
