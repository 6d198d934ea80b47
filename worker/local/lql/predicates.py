"""Predicates: functions from one value of a field to whether a comparison holds for it.

Source: Logging query language, comparison operators, values and conversions.
"""

import operator as python
from collections.abc import Callable, Mapping
from typing import Any

from worker.local.lql.paths import leaves
from worker.local.lql.patterns import finder
from worker.local.lql.schema import Kind
from worker.local.lql.text import fold
from worker.local.lql.tree import Special
from worker.local.lql.values import CONVERSIONS, as_double, to_bool, to_double

Predicate = Callable[[Any], bool]

# What `:` is for a type without parts: equality.
ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": python.eq, "!=": python.ne, "<": python.lt, "<=": python.le,
    ">": python.gt, ">=": python.ge, ":": python.eq,
}  # fmt: skip


def typed_predicate(kind: Kind, operator: str, text: str) -> Predicate:
    """For values of a type that is known."""
    if kind in {Kind.STRING, Kind.LABEL}:
        return text_predicate(operator, text)
    holds, right = ORDERS[operator], CONVERSIONS[kind](text)
    return lambda value: holds(value, right)


def text_predicate(operator: str, text: str) -> Predicate:
    """For text: no letter case, except in patterns."""
    if operator == "=~":
        return finder(text)
    if operator == "!~":
        find = finder(text)
        return lambda value: not find(value)
    right = fold(text)
    if operator == ":":
        return lambda value: right in fold(value)
    if operator == "=":
        return lambda value: fold(value) == right
    holds = ORDERS[operator]
    return lambda value: holds(fold(value), right)


def open_predicate(operator: str, value: str | Special) -> Predicate:
    """For values of a JSON payload: the text becomes what the value is, or it does not hold."""
    if value is Special.NULL:
        return (lambda one: one is not None) if operator == "!=" else (lambda one: one is None)
    if not isinstance(value, str):
        return lambda _: True
    on_text = text_predicate(operator, value)
    if operator in {"=~", "!~"}:
        return lambda one: isinstance(one, str) and on_text(one)
    on_other = _other_predicate(operator, value)
    return lambda one: on_text(one) if isinstance(one, str) else on_other(one)


def _other_predicate(operator: str, text: str) -> Predicate:
    """For what is no text."""
    number, boolean, holds = to_double(text), to_bool(text), ORDERS[operator]
    inside = has_inside(text) if operator == ":" else None

    def test(value: Any) -> bool:
        if isinstance(value, bool):
            return boolean is not None and holds(value, boolean)
        if isinstance(value, int | float):
            return number is not None and holds(as_double(value), number)
        return inside is not None and isinstance(value, Mapping) and inside(value)

    return test


def has_inside(text: str) -> Predicate:
    """For an object: whether it has a key of that name, or a value somewhere that has the text."""
    right, has = fold(text), leaf_has(text)
    return lambda value: any(fold(key) == right for key in value) or any(map(has, leaves(value)))


def leaf_has(text: str) -> Predicate:
    """For a JSON value that is neither object nor list: `:`."""
    right, number, boolean = fold(text), to_double(text), to_bool(text)

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return right in fold(value)
        if isinstance(value, bool):
            return value is boolean
        return isinstance(value, int | float) and as_double(value) == number

    return test
