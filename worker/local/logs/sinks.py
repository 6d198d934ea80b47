"""Where entries are routed: the two sinks of every project, which cannot be removed.

_Required keeps audit logs, whatever happens; _Default keeps the rest, unless it is disabled or one
of its exclusions matches. Source: Cloud Logging, routing and exclusion filters; LogSink.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.local.database import Database
from worker.local.lql import Query, parse

DEFAULT, REQUIRED = "_Default", "_Required"
_AUDIT = [
    f'LOG_ID("{owner}.googleapis.com/{log}")'
    for log in ("activity", "system_event", "access_transparency")
    for owner in ("cloudaudit", "externalaudit")
]
_FILTERS = {
    DEFAULT: " AND ".join(f"NOT {log}" for log in _AUDIT),
    REQUIRED: " OR ".join(_AUDIT),
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Routing:
    """What both sinks together keep, where _Default is not as it was made."""

    required: Query
    default: Query | None  # None: disabled
    exclusions: tuple[Query, ...]

    def keeps(self, entry: Mapping[str, Any]) -> bool:
        if self.required.matches(entry):
            return True
        if self.default is None or not self.default.matches(entry):
            return False
        return not any(exclusion.matches(entry) for exclusion in self.exclusions)


class Sinks:
    """The sinks of one project, as JSON of LogSink. Safe to share by threads."""

    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project
        with database.read() as connection:
            self._routing = self._route(_changes(connection))

    def all(self) -> list[Json]:
        """Both, _Required first, as Cloud Logging lists them."""
        with self._database.read() as connection:
            changes = _changes(connection)
        return [self._sink(REQUIRED, {}), self._sink(DEFAULT, changes)]

    def get(self, name: str) -> Json | None:
        """By its id, such as _Default."""
        return next((sink for sink in self.all() if sink["name"] == name), None)

    def change_default(self, changes: Json) -> Json:
        """Replace fields of _Default: what is empty is as it was made. Holds for the next entry.

        Raises FilterError for a filter that cannot be read, and then changes nothing.
        """
        with self._database.write() as connection:
            together = {**_changes(connection), **changes}
            kept = {name: value for name, value in together.items() if value}
            routing = self._route(kept)
            connection.execute("REPLACE INTO sink VALUES (?, ?)", (DEFAULT, json.dumps(kept)))
            self._routing = routing
        return self._sink(DEFAULT, kept)

    def keeps(self, entry: Mapping[str, Any]) -> bool:
        """Whether a complete entry is stored. Without changes nothing is looked at."""
        routing = self._routing
        return routing is None or routing.keeps(entry)

    def _sink(self, name: str, changes: Json) -> Json:
        bucket = f"projects/{self._project}/locations/global/buckets/{name}"
        destination = f"logging.googleapis.com/{bucket}"
        made = {"name": name, "destination": destination, "filter": _FILTERS[name]}
        return {**made, **changes}

    def _route(self, changes: Json) -> _Routing | None:
        sink = self._sink(DEFAULT, changes)
        # Read although they may be disabled, so that a bad one is refused.
        default = parse(sink["filter"])
        exclusions = [(parse(one["filter"]), one) for one in sink.get("exclusions", [])]
        queries = tuple(query for query, one in exclusions if not one.get("disabled"))
        if not queries and not sink.get("disabled") and sink["filter"] == _FILTERS[DEFAULT]:
            return None
        required = parse(_FILTERS[REQUIRED])
        return _Routing(required, None if sink.get("disabled") else default, queries)


def _changes(connection: sqlite3.Connection) -> Json:
    row = connection.execute("SELECT body FROM sink WHERE name = ?", (DEFAULT,)).fetchone()
    found: Json = json.loads(row["body"]) if row else {}
    return found
