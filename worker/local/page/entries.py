"""A log entry for people: when, how severe, one line of what it says, and the whole of it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.local.page.text import cut

_LINE = 300  # characters of the summary
_TEXT = 256 * 1024  # characters of an entry that are copied


@dataclass(frozen=True, slots=True)
class View:
    """One entry. `seconds` since the epoch; `key` names it within a page."""

    key: str
    seconds: float
    severity: str
    summary: str
    log: str  # its name without the project
    outcome: str
    feature: str
    entry: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As `gcloud logging read --format=json` prints it."""
        return json.dumps(self.entry, indent=2, ensure_ascii=False)[:_TEXT]


def view(entry: Mapping[str, Any]) -> View:
    """Any entry in REST form, however odd what is in it."""
    name = [str(entry.get(key, "")) for key in ("logName", "timestamp", "insertId")]
    digest = hashlib.sha256("\0".join(name).encode("utf-8", "replace")).hexdigest()
    payload = entry.get("jsonPayload")
    fields: Mapping[str, Any] = payload if isinstance(payload, Mapping) else {}
    return View(
        key=f"entry-{digest[:16]}",
        seconds=epoch(str(entry.get("timestamp", ""))),
        severity=str(entry.get("severity") or "DEFAULT"),
        summary=cut(" ".join(_summary(entry, fields).split()), _LINE),
        log=str(entry.get("logName", "")).partition("/logs/")[2].replace("%2F", "/"),
        outcome=_word(fields.get("outcome")),
        feature=_word(fields.get("feature")),
        entry=entry,
    )


def epoch(timestamp: str) -> float:
    """RFC 3339 -> seconds since the epoch; 0.0 for what is none."""
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError:
        return 0.0
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def quoted(value: str) -> str:
    """A string of the Logging query language."""
    return json.dumps(value, ensure_ascii=False)


def _summary(entry: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    text = entry.get("textPayload") or fields.get("message") or fields.get("event")
    if isinstance(text, str) and text.strip():
        return text
    request = entry.get("httpRequest")
    if isinstance(request, Mapping):
        names = ("requestMethod", "requestUrl", "status", "latency")
        return " ".join(str(request[name]) for name in names if request.get(name))
    return json.dumps(fields or entry.get("protoPayload") or {}, ensure_ascii=False)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
