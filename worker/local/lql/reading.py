"""Text -> tree, or a FilterError with the place.

lark's LALR parser calls the methods below as it goes: it keeps a stack of its own, so that no
nesting is too deep for Python's.
"""

import functools
from collections.abc import Callable
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from worker.local.lql import tree
from worker.local.lql.calls import make_condition
from worker.local.lql.comparisons import Given, compare
from worker.local.lql.errors import FilterError, Problem
from worker.local.lql.hints import explain
from worker.local.lql.lefts import make_operand, no_value
from worker.local.lql.words import Call, text_of

if TYPE_CHECKING:
    from lark import Lark, Token

_lock = Lock()
_LONGEST = 20_000  # characters of a filter: Logging query language, syntax notation


def read(text: str) -> tree.Node:
    """The tree of a filter. Raises FilterError, nothing else."""
    from lark import UnexpectedInput  # noqa: PLC0415 - see _parser

    if len(text) > _LONGEST:
        hint = f"want {_LONGEST:,} characters at most"
        raise FilterError(Problem("the filter is too long", hint, _LONGEST), text)
    try:
        with _lock:  # the lexer makes its patterns when they are first needed
            return cast("tree.Node", _parser().parse(text))  # what _start returns
    except Problem as problem:
        raise FilterError(problem, text) from None
    except UnexpectedInput as error:
        raise FilterError(explain(error, text), text) from None


@functools.cache
def _parser() -> "Lark":
    """Made when the first filter comes: it takes longer than all the other imports of this."""
    from lark import Lark, Transformer  # noqa: PLC0415 - see above

    grammar = files(__package__).joinpath("grammar.lark").read_text("utf-8")
    methods: dict[str, Any] = {name: staticmethod(rule) for name, rule in _RULES.items()}
    builder: Transformer[Token, tree.Node] = type("Builder", (Transformer,), methods)()
    return Lark(grammar, parser="lalr", lexer="contextual", transformer=builder)


def _start(parts: list[tree.Node | None]) -> tree.Node:
    return parts[0] or tree.And(())


def _negation(parts: list[Any]) -> tree.Node:
    sign, part = parts
    return _not_too_deep(tree.Not(part), sign)


def _group(parts: list[Any]) -> tree.Node:
    bracket, part = parts
    return _not_too_deep(part, bracket)


def _restriction(parts: list[Any]) -> tree.Node:
    left, comparator, *values = parts
    if not values:
        return make_condition(left) if isinstance(left, Call) else tree.AnyField(text_of(left))
    given = _element(values[0])
    return _with_operand(given, compare(make_operand(left), comparator))


def _list(parts: list[Any]) -> Any:
    bracket, part = parts
    return _not_too_deep(part, bracket)


def _element(part: Any) -> Any:
    """A value as the leaf of a tree; a list is such a tree already."""
    if isinstance(part, Call):
        raise no_value(part)
    return part if isinstance(part, tree.And | tree.Or | tree.Not | Given) else Given(part)


def _alternatives(parts: list[Any]) -> Any:
    return tree.one_of([_element(part) for part in parts])


def _exclusion(parts: list[Any]) -> Any:
    sign, part = parts
    return _not_too_deep(tree.Not(_element(part)), sign)


def _call(parts: list[Any]) -> Call:
    name, _, *arguments = parts
    call = Call(name, tuple(one for one in arguments if one is not None))
    if call.depth > tree.MOST_LEVELS:
        raise _too_deep(name)
    return call


def _with_operand(given: Any, leaf: Callable[[Given], tree.Node]) -> tree.Node:
    """The tree of a list with a comparison for each of its values."""
    match given:
        case tree.And(parts):
            return tree.all_of([_with_operand(part, leaf) for part in parts])
        case tree.Or(parts):
            return tree.one_of([_with_operand(part, leaf) for part in parts])
        case tree.Not(part):
            return tree.Not(_with_operand(part, leaf))
        case _:
            return leaf(given)


def _not_too_deep(node: tree.Node, token: "Token") -> tree.Node:
    if tree.depth(node) > tree.MOST_LEVELS:
        raise _too_deep(token)
    return node


def _too_deep(token: "Token") -> Problem:
    hint = f"want {tree.MOST_LEVELS} levels at most"
    return Problem("the filter is nested too deep", hint, token.start_pos or 0)


_RULES: dict[str, Callable[[list[Any]], Any]] = {
    "start": _start,
    "conjunction": tree.all_of,
    "disjunction": tree.one_of,
    "negation": _negation,
    "group": _group,
    "restriction": _restriction,
    "list": _list,
    "values": tree.all_of,
    "alternatives": _alternatives,
    "exclusion": _exclusion,
    "call": _call,
}
