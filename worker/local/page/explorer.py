"""What a Logs address asks for: a query, a stretch of time, a page. The address is all there is."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from worker.local import lql
from worker.local.page.entries import epoch, quoted
from worker.local.page.text import visible

# seconds; "all" has no bounds
RANGES: Mapping[str, float] = {
    "5m": 300.0,
    "15m": 900.0,
    "1h": 3600.0,
    "6h": 21600.0,
    "24h": 86400.0,
    "7d": 604800.0,
    "all": 0.0,
}
USUAL_RANGE = "1h"
_MOST_TEXT = 20_000  # characters; Logging's own limit of a filter
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of the address. `since` and `until` are RFC 3339, "" for what `range` says."""

    query: str = ""
    range: str = USUAL_RANGE
    since: str = ""
    until: str = ""
    cursor: str = ""
    live: bool = False

    @classmethod
    def of(cls, arguments: MultiDict[str, str]) -> "Asked":
        """From the query of the address; what cannot be is left out."""
        chosen = arguments.get("range", "")
        times = [arguments.get(name, "") for name in ("since", "until")]
        since, until = (each if epoch(each) else "" for each in times)
        return cls(
            query=arguments.get("query", "").replace("\r\n", "\n")[:_MOST_TEXT],
            range=chosen if chosen in RANGES else USUAL_RANGE,
            since=since,
            until=until,
            cursor=arguments.get("cursor", ""),
            live=arguments.get("live", "") == "1",
        )

    def address(self, path: str = "/logs", **changed: str | bool) -> str:
        """The address of this with changes; a change of anything begins at the first page."""
        usual = asdict(Asked())
        wanted = {**asdict(self), "cursor": "", **changed}
        fields = {
            name: "1" if value is True else value
            for name, value in wanted.items()
            if value != usual[name]
        }
        return f"{path}?{urlencode(fields)}" if fields else path

    def span(self, now: float) -> tuple[float, float]:
        """From when until when, in seconds since the epoch; 0.0 where nothing bounds it."""
        until = epoch(self.until) if self.until else 0.0
        if self.since:
            return epoch(self.since), until
        seconds = RANGES[self.range]
        return ((until or now) - seconds if seconds else 0.0), until

    def whole(self, now: float) -> str:
        """The query with the stretch of time. A query that speaks of the time itself is left so.

        Raises FilterError for the query as it was written.
        """
        if lql.parse(self.query).mentions("timestamp"):
            return self.query
        since, until = self.span(now)
        lines = [self.query] if self.query.strip() else []
        lines += [f'timestamp>="{written(since)}"'] if since else []
        lines += [f'timestamp<"{written(until)}"'] if until else []
        return "\n".join(lines)

    def toggled(self, clause: str) -> str:
        """The address with a line added to the query, or without it where it is one."""
        lines = self.query.split("\n") if self.query.strip() else []
        kept = [line for line in lines if line.strip() != clause]
        return self.address(query="\n".join(kept if len(kept) < len(lines) else [*lines, clause]))

    def has(self, clause: str) -> bool:
        """Whether a line of the query says this."""
        return clause in (line.strip() for line in self.query.split("\n"))


def clause_of(field: str, value: str) -> str:
    """The line of a query that asks for a value of a field."""
    if field == "severity" and value.isalpha():
        return f"severity={value}"
    names = field.split(".")
    path = ".".join(name if _FIELD.fullmatch(name) else quoted(name) for name in names)
    return f"{path}={quoted(value)}"


def written(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    at = datetime.fromtimestamp(round(seconds, 3), UTC)
    return at.isoformat(timespec="milliseconds")[:-6] + "Z"


@dataclass(frozen=True, slots=True)
class Mistake:
    """An error in a query: the sentence, the line it is in, and how far in."""

    sentence: str
    line: str
    before: int  # characters of the line, as they are shown, in front of the mistake

    @classmethod
    def of(cls, text: str, error: "lql.FilterError") -> "Mistake":
        """For the text as the reader wrote it."""
        lines = text.split("\n")
        line = lines[error.line - 1].replace("\t", " ") if error.line <= len(lines) else ""
        return cls(str(error), line, len(visible(line[: error.column - 1])))
