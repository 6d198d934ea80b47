"""Objects as a whole: what `:` finds in a message, a map or a payload."""

from collections.abc import Mapping
from typing import Any

from worker.local.lql.paths import leaves
from worker.local.lql.predicates import Predicate, has_inside, leaf_has, typed_predicate
from worker.local.lql.schema import Kind, Target, Type
from worker.local.lql.text import fold
from worker.local.lql.values import CONVERSIONS, decoder


def has_in(target: Target, text: str) -> Predicate:
    """For what is at the target: some field in it has the text, or a key of it is the text."""
    if target.kind is Kind.MESSAGE:
        return has_anywhere(Type(Kind.MESSAGE, target.type.fields), text)
    inside = has_inside(text)
    return lambda value: isinstance(value, Mapping) and inside(value)


def has_anywhere(kind: Type, text: str) -> Predicate:
    """For a JSON value of that type: some value in it has the text, each as its type compares."""
    if kind.repeated:
        each = has_anywhere(Type(kind.kind, kind.fields), text)
        return lambda value: isinstance(value, list) and any(map(each, value))
    if kind.kind is Kind.MESSAGE:
        return _has_in_message({name: has_anywhere(of, text) for name, of in kind.fields.items()})
    if kind.kind in {Kind.STRUCT, Kind.ANY, Kind.MAP}:
        has = leaf_has(text)
        return lambda value: isinstance(value, Mapping) and any(map(has, leaves(value)))
    if kind.kind is Kind.STRING:
        right = fold(text)
        return lambda value: isinstance(value, str) and right in fold(value)
    if CONVERSIONS[kind.kind](text) is None:
        return lambda _: False
    equal, decode = typed_predicate(kind.kind, "=", text), decoder(kind.kind)
    return lambda value: equal(decode(value))


def _has_in_message(fields: Mapping[str, Predicate]) -> Predicate:
    def test(value: Any) -> bool:
        if not isinstance(value, Mapping):
            return False
        return any(name in fields and fields[name](inner) for name, inner in value.items())

    return test


def is_filled(target: Target) -> Predicate:
    """For what is at the target: whether it counts as there. A map without keys does not."""
    if target.kind is Kind.MAP:
        return lambda value: isinstance(value, Mapping) and bool(value)
    return lambda value: isinstance(value, Mapping)
