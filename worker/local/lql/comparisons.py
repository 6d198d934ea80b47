"""A comparison that the field's type allows, or the reason why not."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.local.lql import tree
from worker.local.lql.errors import Problem, shown
from worker.local.lql.operands import type_of
from worker.local.lql.patterns import PatternError, compile_pattern
from worker.local.lql.printing import write_operand
from worker.local.lql.schema import CONTAINERS, Kind
from worker.local.lql.values import CONVERSIONS, WANTED
from worker.local.lql.words import is_quoted, position_of, text_of

if TYPE_CHECKING:
    from lark import Token

_PATTERNS = ("=~", "!~")
_TEXTS = (Kind.STRING, Kind.LABEL, Kind.OPEN)


@dataclass(frozen=True)
class Given:
    """A right side as it was written."""

    token: "Token"


def compare(operand: tree.Operand, comparator: "Token") -> Callable[[Given], tree.Comparison]:
    """A function from a right side to the comparison. It raises Problem."""
    operator = str(comparator)

    def make(given: Given) -> tree.Comparison:
        value = _value(given.token)
        check(tree.Comparison(operand, operator, value), given.token)
        return tree.Comparison(operand, operator, value)

    return make


def _value(token: "Token") -> str | tree.Special:
    if token.type == "STAR":
        return tree.Special.PRESENT
    if token == tree.Special.NULL.value:
        return tree.Special.NULL
    return text_of(token)


def check(comparison: tree.Comparison, token: "Token") -> None:
    """Raise Problem for a comparison that can never be meant."""
    operator, value = comparison.operator, comparison.value
    name = shown(write_operand(comparison.operand))[1:-1]
    kind = type_of(comparison.operand).kind
    place = position_of(token)
    if value is tree.Special.PRESENT:
        if operator != ":":
            raise Problem('unexpected "*"', f"{name}:* asks whether there is a value", place)
    elif value is tree.Special.NULL:
        _check_null(name, kind, operator, place)
    elif kind in CONTAINERS and operator != ":":
        hint = "compare a field in it, or use : to look everywhere in it"
        raise Problem(f"{name} is {kind.value}", hint, place)
    elif operator in _PATTERNS:
        _check_pattern(name, kind, token, place)
    elif kind in CONVERSIONS and CONVERSIONS[kind](value) is None:
        raise Problem(f"{shown(value)} is no value for {name}", f"want {WANTED[kind]}", place)


def _check_null(name: str, kind: Kind, operator: str, place: int) -> None:
    if kind is not Kind.OPEN:
        hint = f"only values in a JSON payload can be null; {name}:* asks whether there is one"
        raise Problem(f"{name} is never NULL_VALUE", hint, place)
    if operator not in {"=", "!=", ":"}:
        raise Problem("unexpected NULL_VALUE", "it goes with = or !=", place)


def _check_pattern(name: str, kind: Kind, token: "Token", place: int) -> None:
    if kind not in _TEXTS:
        hint = f"compare text, cast({name}, STRING)"
        raise Problem(f"{name} is {kind.value}, a pattern is for text", hint, place)
    if not is_quoted(token):
        raise Problem("unexpected pattern", "want it in double quotes", place)
    try:
        compile_pattern(text_of(token))
    except PatternError as error:
        what = f"{shown(text_of(token))} is no RE2 pattern"
        raise Problem(what, str(error)[:80], place) from None
