"""What a query asks of the index of tokens: a condition that every entry it matches meets."""

from worker.local.logs.tokens import ANY, ROOTS, number, token
from worker.local.lql import Query, fold, tree

_MOST = 100  # tokens in one expression: SQLite's parser of them has a stack
_TEXT_FIELDS = {("operation", "id"), ("operation", "producer"), ("resource", "type")}
_OPEN = {("jsonPayload",), ("labels",), ("resource", "labels")}  # anybody's keys below


def necessary(query: Query) -> str:
    """An FTS5 expression; "" if the query asks for no value that has a token."""
    found = _expression(query.tree)
    return f"({found}) OR {ANY}" if found and found.count(" ") < _MOST else ""


def _expression(node: tree.Node) -> str:
    match node:
        case tree.And(parts):
            return _joined(" AND ", [found for found in map(_expression, parts) if found])
        case tree.Or(parts):
            found = [_expression(part) for part in parts]
            return _joined(" OR ", found) if all(found) else ""
        case tree.Comparison(tree.Field(path), "=", str(value)) if value and _has_token(path):
            return _joined(" OR ", [token(path, spelling) for spelling in _spellings(value)])
        case _:
            return ""


def _joined(operator: str, parts: list[str]) -> str:
    return f"({operator.join(parts)})" if len(parts) > 1 else "".join(parts)


def _has_token(path: tuple[str, ...]) -> bool:
    """Whether an entry in which the field has the value has the token of it."""
    if len(path) == 1:
        return path[0] in ROOTS - {"jsonPayload", "labels", "operation", "resource"}
    return path in _TEXT_FIELDS or any(path[: len(root)] == root != path for root in _OPEN)


def _spellings(value: str) -> list[str]:
    """The value as text, and as the number that it may be compared as."""
    try:
        return sorted({fold(value), number(value)})
    except ValueError:
        return [fold(value)]
