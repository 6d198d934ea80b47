"""What a left side is worth: its type, known before any entry is."""

from collections.abc import Mapping

from worker.local.lql import tree
from worker.local.lql.schema import Kind, Target, Type, resolve

CAST_KINDS: Mapping[tree.CastType, Kind] = {
    tree.CastType.STRING: Kind.STRING,
    tree.CastType.INT64: Kind.INT64,
    tree.CastType.FLOAT64: Kind.DOUBLE,
    tree.CastType.BOOL: Kind.BOOL,
    tree.CastType.TIMESTAMP: Kind.TIMESTAMP,
    tree.CastType.DURATION: Kind.DURATION,
}
_TEXTS = {Kind.STRING, Kind.LABEL, Kind.OPEN}
_NUMBERS = {Kind.INT32, Kind.INT64, Kind.DOUBLE}
# What can become what; a value of a payload shows only in an entry what it is.
CASTABLE: Mapping[tree.CastType, frozenset[Kind]] = {
    tree.CastType.STRING: frozenset(
        {*_TEXTS, *_NUMBERS, Kind.BOOL, Kind.SEVERITY, Kind.TIMESTAMP, Kind.DURATION}
    ),
    tree.CastType.INT64: frozenset({*_TEXTS, *_NUMBERS, Kind.BOOL, Kind.SEVERITY}),
    tree.CastType.FLOAT64: frozenset({*_TEXTS, *_NUMBERS}),
    tree.CastType.BOOL: frozenset({*_TEXTS, *_NUMBERS, Kind.BOOL}),
    tree.CastType.TIMESTAMP: frozenset({*_TEXTS, Kind.TIMESTAMP}),
    tree.CastType.DURATION: frozenset({*_TEXTS, Kind.DURATION}),
}


def target_of(field: tree.Field) -> Target:
    """Where the path of a field leads."""
    return resolve(field.path, 0)


def type_of(operand: tree.Operand) -> Type:
    """The type of the values that it gives."""
    match operand:
        case tree.Field():
            return target_of(operand).type
        case tree.Cast(_, to):
            return Type(CAST_KINDS[to], {})
        case tree.Extract():
            return Type(Kind.STRING, {})
