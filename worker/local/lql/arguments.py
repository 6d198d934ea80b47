"""The arguments of functions: how many, and what they have to be."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from worker.local.lql import tree
from worker.local.lql.errors import Problem, shown
from worker.local.lql.operands import target_of
from worker.local.lql.schema import Kind, resolve
from worker.local.lql.words import Call, names_of, position_of, text_of

if TYPE_CHECKING:
    from lark import Token

TEXTS = frozenset({Kind.STRING, Kind.LABEL, Kind.OPEN})
FORMS: Mapping[str, str] = {
    "log_id": 'log_id("ID")',
    "source": "source(projects/ID)",
    "search": 'SEARCH("words") or SEARCH(field, "words")',
    "sample": "sample(field, 0.01)",
    "ip_in_net": 'ip_in_net(field, "10.0.0.0/8")',
    "cast": 'cast(field, INT64) or cast(timestamp, STRING, TIMEZONE("Europe/Paris"))',
    "regexp_extract": 'regexp_extract(field, "a(.*)z")',
    "timezone": 'cast(timestamp, STRING, TIMEZONE("Europe/Paris"))',
}


def unknown(call: Call) -> NoReturn:
    """Raise the Problem of a function that there is not."""
    close = get_close_matches(call.name.lower(), FORMS, 1, 0.6)
    hint = f"did you mean {FORMS[close[0]]}?" if close else f"there are {', '.join(FORMS)}"
    if "." in call.name:
        hint = f"want an operator between {shown(str(call.name))} and the parenthesis"
    raise Problem(f"unknown function {shown(str(call.name))}", hint, position_of(call))


def arguments_of(call: Call, *numbers: int) -> "tuple[Token | Call, ...]":
    """As many arguments as one of the numbers says. Raises Problem."""
    if len(call.arguments) not in numbers:
        hint = f"want {FORMS[call.name.lower()]}"
        what = f"{call.name} has {len(call.arguments)} arguments"
        raise Problem(what, hint, position_of(call))
    return call.arguments


def text_argument(call: Call, argument: "Token | Call") -> str:
    """The text of an argument. Raises Problem for a call."""
    if isinstance(argument, Call):
        hint = f"want {FORMS[call.name.lower()]}"
        raise Problem(f"unexpected function {shown(argument.name)}", hint, position_of(argument))
    return text_of(argument)


def field_named(token: "Token") -> tree.Field:
    """The field of a path. Raises Problem."""
    return tree.Field(resolve(names_of(token), position_of(token)).path)


def field_argument(call: Call, argument: "Token | Call", kinds: AbstractSet[Kind]) -> tree.Field:
    """A field of one of the kinds. Raises Problem."""
    if isinstance(argument, Call):
        hint = f"want a field, {FORMS[call.name.lower()]}"
        raise Problem(f"unexpected function {shown(argument.name)}", hint, position_of(argument))
    field = field_named(argument)
    kind = target_of(field).kind
    if kind not in kinds:
        wanted = ", ".join(sorted({one.value for one in kinds}))
        what = f"{'.'.join(field.path)} is {kind.value}"
        raise Problem(what, f"{call.name} wants {wanted}", position_of(argument))
    return field
