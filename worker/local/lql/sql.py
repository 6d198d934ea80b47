"""Tree -> a condition on columns that holds for every row that matches, and few others.

It is necessary, never sufficient: the rows that it leaves are evaluated one by one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from worker.local.lql import tree
from worker.local.lql.columns import NOT_TEXT, Column, storable, whole
from worker.local.lql.operands import target_of
from worker.local.lql.predicates import typed_predicate
from worker.local.lql.schema import Kind, Target
from worker.local.lql.searching import read_query
from worker.local.lql.text import fold
from worker.local.lql.values import CONVERSIONS, DEFAULTS

_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_ORDERS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", ":": "="}
_TYPED = {Kind.STRING, Kind.SEVERITY, Kind.TIMESTAMP}
_PLAIN = re.compile(r"[ !#-\[\]-~]+")  # JSON writes it as it is: printable ASCII without " and \
_MOST_TERMS = 500  # SQLite nests 1,000 operators at most; AND of many is nested
_MOST_LIKE = 100  # characters: a part of what must be there must be there
_NON_TEXTS = (Kind.DOUBLE, Kind.BOOL, Kind.SEVERITY, Kind.TIMESTAMP, Kind.DURATION)


@dataclass(frozen=True)
class Where:
    """A condition of SQL with its parameters; "1" if nothing can be said."""

    sql: str
    parameters: tuple[Any, ...]


def where(node: tree.Node, columns: Mapping[tuple[str, ...], Column]) -> Where:
    """The condition that every row of a matching entry meets."""
    return _Pushdown(columns).necessary(node) or Where("1", ())


@dataclass(frozen=True)
class _Pushdown:
    columns: Mapping[tuple[str, ...], Column]

    def necessary(self, node: tree.Node) -> Where | None:  # noqa: PLR0911 - one a kind of node
        """What must hold for the node to match; None if nothing is known."""
        match node:
            case tree.And(parts):
                return _and([self.necessary(part) for part in parts])
            case tree.Or(parts):
                return _or([self.necessary(part) for part in parts])
            case tree.Not(part):
                return self._negated(part)
            case tree.Comparison():
                return self._comparison(node)
            case tree.AnyField(text):
                return self._anywhere(text, strict=True)
            case tree.TextSearch(_, query):
                terms = read_query(query)
                wanted = [*sorted(terms.tokens), *terms.phrases]
                return _and([self._anywhere(term, strict=False) for term in wanted])
            case _:
                return None

    def _negated(self, node: tree.Node) -> Where | None:
        """What must hold for the node not to match."""
        match node:
            case tree.And(parts):
                return _or([self._negated(part) for part in parts])
            case tree.Or(parts):
                return _and([self._negated(part) for part in parts])
            case tree.Not(part):
                return self.necessary(part)
            case tree.Comparison(tree.Field() as field, operator, str(value)):
                target = target_of(field)
                if operator == ":" and target.kind is not Kind.STRING:
                    operator = "="
                # Only a field that always has one value is either equal or not.
                if operator in _OPPOSITE and target.kind in _TYPED and not target.repeated:
                    return self._comparison(tree.Comparison(field, _OPPOSITE[operator], value))
        return None

    def _comparison(self, node: tree.Comparison) -> Where | None:
        if not isinstance(node.operand, tree.Field):
            return None
        column = self.columns.get(node.operand.path)
        target = target_of(node.operand)
        if column is None or column.kind == "json":
            return self._unmapped(target, node.operator, node.value)
        if column.kind in {"severity", "nanoseconds"}:
            found = _number(column.name, target, node.operator, node.value)
        elif column.kind == "folded":
            found = _folded(column.name, node.operator, node.value)
        else:
            found = _exact(column.name, node.operator, node.value)
        if found is None or not _default_matches(target, node.operator, node.value):
            return found
        return Where(f"({found.sql} OR {column.name} IS NULL)", found.parameters)

    def _unmapped(self, target: Target, operator: str, value: str | tree.Special) -> Where | None:
        """A field without a column: its text has to be somewhere in the entry's."""
        if operator not in {"=", ":"} or not isinstance(value, str):
            return None
        if target.kind not in {Kind.STRING, Kind.LABEL, Kind.OPEN}:
            return None
        return self._anywhere(value, strict=target.kind is Kind.OPEN)

    def _anywhere(self, text: str, *, strict: bool) -> Where | None:
        """The text is in the JSON of the entry; `strict`: a value that is no text might equal it.

        LIKE knows the letter case of ASCII only, so an entry with any other character may match.
        """
        column, wanted = self.columns.get(()), fold(text)[:_MOST_LIKE]
        if column is None or not _PLAIN.fullmatch(wanted):
            return None
        if strict and any(CONVERSIONS[kind](text) is not None for kind in _NON_TEXTS):
            return None
        name = column.name
        pattern = "%" + re.sub(r"([!%_])", r"!\1", wanted) + "%"
        sql = (
            f"({name} LIKE ? ESCAPE '!' OR length({name}) <> length(CAST({name} AS BLOB))"
            f" OR instr({name}, '\\u') > 0)"
        )
        return Where(sql, (pattern,))


def _number(name: str, target: Target, operator: str, value: str | tree.Special) -> Where | None:
    number = CONVERSIONS[target.kind](value) if isinstance(value, str) else None
    if target.kind not in {Kind.SEVERITY, Kind.TIMESTAMP} or not whole(number):
        return None
    return Where(f"{name} {_ORDERS[operator]} ?", (number,))


def _folded(name: str, operator: str, value: str | tree.Special) -> Where | None:
    if value is tree.Special.NULL and operator != "!=":
        return Where(f"{name} = ?", (NOT_TEXT,))
    if not isinstance(value, str) or operator in {"=~", "!~"}:
        return Where(f"{name} IS NOT NULL", ())
    right = fold(value)
    if not storable(right) or "\0" in right or right == NOT_TEXT:
        return Where(f"{name} IS NOT NULL", ())
    if operator == "=":
        return Where(f"{name} IN (?, ?)", (right, NOT_TEXT))
    if operator == ":":
        return Where(f"(instr({name}, ?) > 0 OR {name} = ?)", (right, NOT_TEXT))
    return Where(f"({name} {_ORDERS[operator]} ? OR {name} = ?)", (right, NOT_TEXT))


def _exact(name: str, operator: str, value: str | tree.Special) -> Where | None:
    """In a column that keeps the letter case: only ASCII is compared, anything else may match."""
    if operator not in {"=", ":"} or not isinstance(value, str):
        return Where(f"{name} IS NOT NULL", ())
    right = fold(value)
    if not _PLAIN.fullmatch(right) or len(right) > _MOST_LIKE:
        return Where(f"{name} IS NOT NULL", ())
    pattern = re.sub(r"([!%_])", r"!\1", right)
    pattern = pattern if operator == "=" else f"%{pattern}%"
    sql = (
        f"({name} LIKE ? ESCAPE '!' OR length({name}) <> length(CAST({name} AS BLOB))"
        f" OR {name} = ?)"
    )
    return Where(sql, (pattern, NOT_TEXT))


def _default_matches(target: Target, operator: str, value: str | tree.Special) -> bool:
    """Whether an entry without the field matches, because its default does."""
    if target.kind not in DEFAULTS or target.repeated or not isinstance(value, str):
        return False
    return typed_predicate(target.kind, operator, value)(DEFAULTS[target.kind])


def _and(parts: list[Where | None]) -> Where | None:
    """As many of the parts that say something as SQLite takes: any of them is necessary."""
    known, size = [], 0
    for part in parts:
        if part is not None and size + _size(part) <= _MOST_TERMS:
            known.append(part)
            size += _size(part)
    return _joined(" AND ", known) if known else None


def _or(parts: list[Where | None]) -> Where | None:
    """All of the parts, or nothing."""
    known = [part for part in parts if part is not None]
    whole_of_it = len(known) == len(parts) and sum(map(_size, known)) <= _MOST_TERMS
    return _joined(" OR ", known) if known and whole_of_it else None


def _size(where: Where) -> int:
    """Comparisons in it. What the filter says is in the parameters, so that it cannot count."""
    return 1 + where.sql.count(" AND ") + where.sql.count(" OR ")


def _joined(word: str, parts: list[Where]) -> Where:
    if len(parts) == 1:
        return parts[0]
    sql = word.join(part.sql for part in parts)
    return Where(f"({sql})", tuple(value for part in parts for value in part.parameters))
