"""The Logging query language: text -> a Query that says which entries match.

An entry is a LogEntry in its JSON form, as `gcloud logging read --format=json` prints it.
Source: Logging query language; AIP-160 for the grammar.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from worker.local.lql import sql, tree
from worker.local.lql.columns import Column, column_value
from worker.local.lql.errors import FilterError
from worker.local.lql.evaluating import Test, compiled
from worker.local.lql.patterns import compile_pattern
from worker.local.lql.printing import write
from worker.local.lql.reading import read
from worker.local.lql.sql import Where
from worker.local.lql.text import fold
from worker.local.lql.values import SEVERITIES

__all__ = [
    "SEVERITIES",
    "Column",
    "FilterError",
    "Query",
    "Where",
    "column_value",
    "compile_pattern",
    "fold",
    "parse",
]


@dataclass(frozen=True)
class Query:
    """A filter. Equal filters are equal, however they were written. Safe to share by threads."""

    tree: tree.Node

    def __str__(self) -> str:
        return write(self.tree)

    def matches(self, entry: Mapping[str, Any]) -> bool:
        """Whether the entry matches. Never raises, whatever JSON it holds."""
        return self._test(entry)

    def where(self, columns: Mapping[tuple[str, ...], Column]) -> Where:
        """A condition on columns that the row of every matching entry meets, and few others do.

        `columns` says which path is in which column, filled by `column_value`.
        """
        return sql.where(self.tree, columns)

    def mentions(self, *path: str) -> bool:
        """Whether it looks at the field of that path, or at one in it, by name."""
        return any(field.path[: len(path)] == path for field in tree.fields_of(self.tree))

    @cached_property
    def _test(self) -> Test:
        return compiled(self.tree)


def parse(text: str) -> Query:
    """The query of a filter; "" matches everything. Raises FilterError."""
    return Query(read(text))
