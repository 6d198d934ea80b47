"""Tree -> a function that says whether an entry matches: made once, called for each entry."""

from collections.abc import Callable
from typing import Any

from worker.local.lql import tree
from worker.local.lql.casting import conversion
from worker.local.lql.conditions import any_field, in_net, log_id, sample, source, text_search
from worker.local.lql.containers import has_in, is_filled
from worker.local.lql.operands import target_of, type_of
from worker.local.lql.paths import MISSING, Entry, Reader, Several, raw_reader, reader
from worker.local.lql.predicates import Predicate, open_predicate, typed_predicate
from worker.local.lql.schema import CONTAINERS, Kind
from worker.local.lql.tree import Special
from worker.local.lql.values import DEFAULTS, decoder

Test = Callable[[Entry], bool]


def compiled(node: tree.Node) -> Test:
    """The function of a tree. It never raises, whatever JSON the entry holds."""
    match node:
        case tree.And(parts):
            return _all(tuple(map(compiled, parts)))
        case tree.Or(parts):
            return _any(tuple(map(compiled, parts)))
        case tree.Not(part):
            test = compiled(part)
            return lambda entry: not test(entry)
        case tree.Comparison():
            return _comparison(node)
        case _:
            return _condition(node)


def _all(tests: tuple[Test, ...]) -> Test:
    def test(entry: Entry) -> bool:
        for one in tests:  # noqa: SIM110 - a third faster than all() of a generator
            if not one(entry):
                return False
        return True

    return test


def _any(tests: tuple[Test, ...]) -> Test:
    def test(entry: Entry) -> bool:
        for one in tests:  # noqa: SIM110 - as above
            if one(entry):
                return True
        return False

    return test


def _condition(node: Any) -> Test:
    match node:
        case tree.AnyField(text):
            return any_field(text)
        case tree.LogId(id_):
            return log_id(id_)
        case tree.Source(resource):
            return source(resource)
        case tree.TextSearch(field, query):
            return text_search(target_of(field) if field else None, query)
        case tree.Sample(field, fraction):
            return sample(target_of(field), fraction)
        case tree.InNet(field, subnet):
            return in_net(target_of(field), subnet)
        case _:
            raise TypeError(f"{type(node).__name__} is no condition")


def _comparison(node: tree.Comparison) -> Test:
    operand, operator, value = node.operand, node.operator, node.value
    kind = type_of(operand).kind
    if isinstance(operand, tree.Field):
        if value is Special.PRESENT:
            return _presence(operand)
        if kind in CONTAINERS:
            target = target_of(operand)
            return _holds(raw_reader(target), has_in(target, str(value)))
    if kind is Kind.OPEN:
        return _holds(operand_reader(operand), open_predicate(operator, value))
    if not isinstance(value, str):  # an operand that is computed is there unless it is MISSING
        return _holds(operand_reader(operand), lambda _: True)
    return _holds(operand_reader(operand), typed_predicate(kind, operator, value))


def _holds(read: Reader, predicate: Predicate) -> Test:
    """Whether a value at the path passes: one of them is enough."""

    def test(entry: Entry) -> bool:
        value = read(entry)
        if value is MISSING:
            return False
        if isinstance(value, Several):
            return any(map(predicate, value))
        return predicate(value)

    return test


def operand_reader(operand: tree.Operand) -> Reader:
    """The reader of a left side."""
    if isinstance(operand, tree.Field):
        return reader(target_of(operand))
    inner = operand_reader(operand.operand)
    convert = conversion(operand, type_of(operand.operand).kind)

    def read(entry: Entry) -> Any:
        value = inner(entry)
        if isinstance(value, Several):
            return Several(new for new in map(convert, value) if new is not MISSING)
        return MISSING if value is MISSING else convert(value)

    return read


def _presence(field: tree.Field) -> Test:
    """field:*, whether the entry has it. A scalar of protobuf is not there if it is the default.

    Text of textPayload is: it tells which payload an entry has. So are times and durations.
    """
    target = target_of(field)
    raw, kind = raw_reader(target), target.kind
    if kind in CONTAINERS:
        return _holds(raw, is_filled(target))
    if kind is Kind.OPEN:
        return _holds(raw, lambda _: True)
    if kind in {Kind.LABEL, Kind.TIMESTAMP, Kind.DURATION} or field.path == ("textPayload",):
        return _holds(raw, lambda value: isinstance(value, str))
    decode, default = decoder(kind), DEFAULTS[kind]
    return _holds(raw, lambda value: bool(decode(value) != default))
