"""The trace that a request belongs to, from its headers; ids that are not valid are ignored.

Sources: W3C Trace Context (traceparent); Cloud Trace's X-Cloud-Trace-Context (a decimal span).
"""

import re
from dataclasses import dataclass

from worker.message import Push

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CLOUD_TRACE = re.compile(r"([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]+))?")
_MAX_SPAN = 2**64


@dataclass(frozen=True, slots=True)
class Trace:
    """`trace_id` is 32 hex digits; `span_id` 16, or "" where the header names none."""

    trace_id: str
    span_id: str = ""
    sampled: bool = False

    def fields(self, project: str) -> dict[str, object]:
        """The special fields that join a log entry to its trace."""
        name = f"projects/{project}/traces/{self.trace_id}" if project else self.trace_id
        span = {"logging.googleapis.com/spanId": self.span_id} if self.span_id else {}
        return {
            "logging.googleapis.com/trace": name,
            **span,
            "logging.googleapis.com/trace_sampled": self.sampled,
        }


def trace_of(push: Push) -> Trace | None:
    """The trace of a request, `traceparent` first, or None."""
    return _w3c(push.header("traceparent") or "") or _cloud(
        push.header("x-cloud-trace-context") or ""
    )


def _w3c(header: str) -> Trace | None:
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    # Version 00 has exactly four parts, later ones may add some, ff is forbidden.
    if (
        version == "ff"
        or (version == "00" and more)
        or not int(trace_id, 16)
        or not int(span_id, 16)
    ):
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def _cloud(header: str) -> Trace | None:
    match = _CLOUD_TRACE.fullmatch(header)
    if match is None or not int(match[1], 16):
        return None
    span = int(match[2] or 0)
    span_id = f"{span:016x}" if 0 < span < _MAX_SPAN else ""
    return Trace(match[1].lower(), span_id, bool(int((match[3] or "0")[-1]) & 1))
