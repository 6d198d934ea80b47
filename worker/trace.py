"""The trace that a request belongs to, from its headers; ids that are not valid are ignored.

Sources: W3C Trace Context (traceparent); Cloud Trace's X-Cloud-Trace-Context (a decimal span).
"""

import re
from typing import NamedTuple

from worker.message import Message, Push

# Version ff is forbidden, and so is an id of zeros.
_TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
)
_CLOUD_TRACE = re.compile(r"(?!0{32})([0-9a-fA-F]{32})(?:/([0-9]{1,20}))?(?:;o=([0-9]+))?")
_MAX_SPAN = 2**64


class Trace(NamedTuple):
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
    header = push.header("traceparent")
    trace = _w3c(header) if header else None
    if trace is None:
        header = push.header("x-cloud-trace-context")
        trace = _cloud(header) if header else None
    return trace


def publisher_trace(message: Message | None) -> dict[str, str]:
    """The field of the trace that the message was published in, where its attributes say it."""
    trace = _w3c(message.attributes.get("traceparent", "")) if message else None
    return {"publisher_trace": trace.trace_id} if trace else {}


def _w3c(header: str) -> Trace | None:
    match = _TRACEPARENT.fullmatch(header)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "00" and more:  # it has exactly four parts, later ones may add some
        return None
    return Trace(trace_id, span_id, bool(int(flags, 16) & 1))


def _cloud(header: str) -> Trace | None:
    match = _CLOUD_TRACE.fullmatch(header)
    if match is None:
        return None
    trace_id, span, option = match.groups()
    number = int(span or 0)
    span_id = f"{number:016x}" if 0 < number < _MAX_SPAN else ""
    return Trace(trace_id.lower(), span_id, bool(int((option or "0")[-1]) & 1))
