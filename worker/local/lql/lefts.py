"""Left sides: a field, or what cast() and regexp_extract() make of one.

Source: Logging query language, cast, regexp_extract.
"""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from worker.local.lql import tree
from worker.local.lql.arguments import (
    FORMS,
    TEXTS,
    arguments_of,
    field_named,
    text_argument,
    unknown,
)
from worker.local.lql.errors import Problem, shown
from worker.local.lql.operands import CASTABLE, type_of
from worker.local.lql.patterns import PatternError, groups
from worker.local.lql.schema import Kind
from worker.local.lql.words import Call, is_quoted, position_of, text_of

if TYPE_CHECKING:
    from lark import Token

_ALIASES = {"DOUBLE": "FLOAT64"}


def make_operand(left: "Token | Call") -> tree.Operand:
    """A left side. Raises Problem."""
    if not isinstance(left, Call):
        return field_named(left)
    name = left.name.lower()
    if name == "cast":
        return _cast(left)
    if name == "regexp_extract":
        return _extract(left)
    if name not in FORMS:
        unknown(left)
    hint = f"it stands on its own, {FORMS[name]}"
    raise Problem(f"{left.name} cannot be compared", hint, position_of(left))


def no_value(call: Call) -> Problem:
    """The error for a call on the right side."""
    hint = "want a value; a function stands on the left side, or on its own"
    return Problem(f"unexpected function {shown(str(call.name))}", hint, position_of(call))


def _cast(call: Call) -> tree.Cast:
    inner, to, *option = arguments_of(call, 2, 3)
    name = text_argument(call, to).upper()
    name = _ALIASES.get(name, name)
    if name not in tree.CastType.__members__:
        hint = f"want {', '.join(tree.CastType.__members__)}"
        raise Problem(f"unknown type {shown(name)}", hint, position_of(to))
    cast = tree.Cast(make_operand(inner), tree.CastType(name), _zone(option))
    _check_cast(cast, position_of(inner), position_of(option[0]) if option else 0)
    return cast


def _check_cast(cast: tree.Cast, inner: int, option: int) -> None:
    """Raise Problem for what no value can be cast to. The numbers are places."""
    name = cast.to.value
    kind = type_of(cast.operand).kind
    if kind not in CASTABLE[cast.to]:
        what = f"{kind.value} cannot become {name}"
        wanted = sorted({one.value for one in CASTABLE[cast.to]})
        raise Problem(what, f"{name} is made of {', '.join(wanted)}", inner)
    of_time = kind is Kind.TIMESTAMP and cast.to is tree.CastType.STRING
    if cast.zone and not of_time and cast.to is not tree.CastType.TIMESTAMP:
        hint = "it goes with a time and STRING, or with text and TIMESTAMP"
        raise Problem("unexpected TIMEZONE", hint, option)


def _zone(option: "list[Token | Call]") -> str:
    """The zone of TIMEZONE("...")."""
    if not option:
        return ""
    (call,) = option
    if not isinstance(call, Call) or call.name.lower() != "timezone":
        hint = 'want TIMEZONE("Europe/Paris")'
        raise Problem("unexpected option", hint, position_of(call))
    (name,) = arguments_of(call, 1)
    text = text_argument(call, name)
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, KeyError):  # a file of that name may be no zone, or a folder
        hint = "want a name of the IANA database, like Europe/Paris"
        raise Problem(f"unknown time zone {shown(text)}", hint, position_of(name)) from None


def _extract(call: Call) -> tree.Extract:
    inner, pattern = arguments_of(call, 2)
    if isinstance(pattern, Call) or not is_quoted(pattern):
        raise Problem("unexpected pattern", "want it in double quotes", position_of(pattern))
    text = text_of(pattern)
    try:
        number = groups(text)
    except PatternError as error:
        what = f"{shown(text)} is no RE2 pattern"
        raise Problem(what, str(error)[:80], position_of(pattern)) from None
    if number != 1:
        hint = "want exactly one; (?:...) groups without capturing"
        raise Problem(f"the pattern has {number} capture groups", hint, position_of(pattern))
    operand = make_operand(inner)
    kind = type_of(operand).kind
    if kind not in TEXTS:
        hint = "want text; cast(field, STRING) makes it"
        raise Problem(f"regexp_extract of {kind.value}", hint, position_of(inner))
    return tree.Extract(operand, text)
