"""Log entries for people: one line each, coloured on a terminal, harmless whatever they hold."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from worker.client.text import printable
from worker.logentry import to_log_entry
from worker.pipeline import CANONICAL_EVENT

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {
    "DEBUG": "dim",
    "INFO": "green",
    "NOTICE": "cyan",
    "WARNING": "yellow",
    "ERROR": "bold red",
    "CRITICAL": "bold white on red",
}
_VALUE_LIMIT = 200  # characters of one field
# Shown in their own place, or for Error Reporting only.
_ELSEWHERE = frozenset({"message", "event", "stack_trace", "@type", "serviceContext"})
# The message of a canonical entry says outcome, reason, feature and seconds already.
_CANONICAL = ("form", "message_id", "delivery_attempt", "quarantine", "result")


class Terminal:
    """stdout for people. rich leaves colours out where it is no terminal, or NO_COLOR is set.

    Raises ImportError where rich is not installed; every method BrokenPipeError when nobody reads.
    """

    def __init__(self) -> None:
        from rich.console import Console

        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # LANG=C
        self._out = Console(soft_wrap=True, highlight=False)
        self._err = Console(soft_wrap=True, highlight=False, stderr=True)

    def say(self, text: str = "", style: str = "") -> None:
        """A line of our own."""
        self._print((text, style))

    def error_line(self, line: bytes) -> None:
        """A line of the server's stderr, as it is."""
        self._print((_shown(line), "red"), to=self._err)

    def line(self, line: bytes) -> None:
        """A line of the server's stdout: a log entry, or what a handler printed."""
        entry = to_log_entry(line)
        payload = entry.get("jsonPayload")
        if not isinstance(payload, dict):
            self._print((_shown(line), ""))
        elif not _is_noise(entry["severity"], payload):
            self._entry(entry, payload)

    def _entry(self, entry: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        severity = printable(str(entry["severity"]))
        style = _STYLES.get(severity, "")
        self._print(
            (f"{_clock(entry.get('timestamp'))} ", "dim"),
            (f"{severity:8} ", style),
            (f"{printable(str(payload.get('event', '')))}  ", "bold"),
            (printable(str(payload.get("message", ""))), ""),
            (_fields(payload), "dim"),
        )
        for line in str(payload.get("stack_trace", "")).splitlines():
            self._print((f"    {printable(line)}", style))

    def _print(self, *parts: tuple[str, str], to: "Console | None" = None) -> None:
        from rich.text import Text

        try:
            (to or self._out).print(Text.assemble(*parts))
        except SystemExit:  # rich's answer to a closed pipe; the caller has a server to stop
            raise BrokenPipeError from None


def _shown(line: bytes) -> str:
    return printable(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))


def _is_noise(severity: str, payload: Mapping[str, Any]) -> bool:
    """What gunicorn tells of its own starts and stops."""
    return severity == "INFO" and payload.get("logger") == "gunicorn.error"


def _clock(timestamp: object) -> str:
    """The time of day here."""
    try:
        return f"{datetime.fromisoformat(str(timestamp)).astimezone():%H:%M:%S.%f}"[:-3]
    except (ValueError, OverflowError):
        return "--:--:--.---"


def _fields(payload: Mapping[str, Any]) -> str:
    """The fields worth a look, as name=value. Those in capitals are settings."""
    names = _CANONICAL if payload.get("event") == CANONICAL_EVENT else tuple(payload)
    return "".join(
        f"  {printable(name)}={_value(payload[name])}"
        for name in names
        if payload.get(name) is not None and name not in _ELSEWHERE and not name.isupper()
    )


def _value(value: object) -> str:
    is_text = isinstance(value, str)
    text = str(value) if is_text else json.dumps(value, ensure_ascii=False)
    shown = printable(text[:_VALUE_LIMIT]) + ("…" if len(text) > _VALUE_LIMIT else "")
    return f'"{shown}"' if is_text and (not text or " " in text) else shown
