"""Tree -> text, in one form: parsing it gives the same tree again."""

import re

from worker.local.lql import tree
from worker.local.lql.text import quote

_SIMPLE = re.compile(r"[A-Za-z_@][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)*")  # needs no quotes in a path


def write(node: tree.Node) -> str:
    """The filter's text."""
    match node:
        case tree.And(parts):
            return " AND ".join(_group(part, tree.Or) for part in parts)
        case tree.Or(parts):
            return " OR ".join(_group(part, tree.And) for part in parts)
        case tree.Not(part):
            return "NOT " + _group(part, tree.And, tree.Or)
        case _:
            return _leaf(node)


def _group(node: tree.Node, *loose: type) -> str:
    return f"({write(node)})" if isinstance(node, loose) else write(node)


def _leaf(node: tree.Leaf) -> str:  # noqa: PLR0911 - one for each kind of leaf
    match node:
        case tree.Comparison(operand, operator, value):
            return write_operand(operand) + operator + _value(value)
        case tree.AnyField(text):
            return quote(text)
        case tree.LogId(log_id):
            return f"log_id({quote(log_id)})"
        case tree.Source(resource):
            return f"source({quote(resource)})"
        case tree.TextSearch(None, query):
            return f"SEARCH({quote(query)})"
        case tree.TextSearch(tree.Field() as field, query):
            return f"SEARCH({write_operand(field)}, {quote(query)})"
        case tree.Sample(field, fraction):
            return f"sample({write_operand(field)}, {fraction!r})"
        case tree.InNet(field, subnet):
            return f"ip_in_net({write_operand(field)}, {quote(subnet)})"
        case _:
            raise TypeError(f"{type(node).__name__} is no leaf")


def write_operand(operand: tree.Operand) -> str:
    """The text of a left side."""
    match operand:
        case tree.Field(path):
            return ".".join(name if _SIMPLE.fullmatch(name) else quote(name) for name in path)
        case tree.Extract(inner, pattern):
            return f"regexp_extract({write_operand(inner)}, {quote(pattern)})"
        case tree.Cast(inner, to, zone):
            option = f", TIMEZONE({quote(zone)})" if zone else ""
            return f"cast({write_operand(inner)}, {to.value}{option})"


def _value(value: str | tree.Special) -> str:
    return value.value if isinstance(value, tree.Special) else quote(value)
