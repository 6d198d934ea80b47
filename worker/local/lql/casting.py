"""cast() and regexp_extract(): from one value to another, MISSING where there is none.

Source: Logging query language, cast; BigQuery, conversion rules, for the corners.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from worker.local.lql import tree
from worker.local.lql.paths import MISSING
from worker.local.lql.patterns import extractor
from worker.local.lql.schema import Kind
from worker.local.lql.values import (
    SEVERITIES,
    as_double,
    from_duration,
    from_time,
    to_bool,
    to_double,
    to_duration,
    to_int64,
    to_time,
)

Conversion = Callable[[Any], Any]
_NAMES = {number: name for name, number in SEVERITIES.items()}
_INT64 = 1 << 63


def conversion(operand: tree.Cast | tree.Extract, kind: Kind) -> Conversion:
    """From a value of `kind`, the inner operand's, to one of this operand."""
    if isinstance(operand, tree.Extract):
        extract = extractor(operand.pattern)
        return lambda value: _known(extract(value)) if isinstance(value, str) else MISSING
    zone = ZoneInfo(operand.zone) if operand.zone else UTC
    if operand.to is tree.CastType.TIMESTAMP:
        if kind is Kind.TIMESTAMP:
            return _same
        return lambda value: _known(to_time(value, zone)) if isinstance(value, str) else MISSING
    if operand.to is tree.CastType.DURATION:
        return _same if kind is Kind.DURATION else _duration
    if operand.to is tree.CastType.STRING:
        return _texts(zone).get(kind, _text)
    return _SCALARS[operand.to]


def _texts(zone: tzinfo) -> Mapping[Kind, Conversion]:
    """What makes a text of a value that is stored as a number."""
    return {
        Kind.TIMESTAMP: lambda value: _known(from_time(value, zone)),
        Kind.DURATION: from_duration,
        Kind.SEVERITY: lambda value: _NAMES.get(value, str(value)),
    }


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return MISSING


def number_text(value: float) -> str:
    """A number's text: the shortest that is the same double, 5 and not 5.0."""
    number = as_double(value)
    return str(int(number)) if number.is_integer() and abs(number) < _INT64 else repr(number)


def _int64(value: Any) -> Any:
    if isinstance(value, str):
        return _known(to_int64(value))
    if isinstance(value, int):  # a bool is one
        return int(value) if -_INT64 <= value < _INT64 else MISSING
    if not isinstance(value, float) or not math.isfinite(value):
        return MISSING
    number = int(math.copysign(math.floor(abs(value) + 0.5), value))  # half away from zero
    return number if -_INT64 <= number < _INT64 else MISSING


def _float64(value: Any) -> Any:
    if isinstance(value, str):
        return _known(to_double(value))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return as_double(value) if number else MISSING


def _bool(value: Any) -> Any:
    if isinstance(value, str):
        return _known(to_bool(value))
    return value != 0 if isinstance(value, int | float) else MISSING


def _duration(value: Any) -> Any:
    return _known(to_duration(value)) if isinstance(value, str) else MISSING


def _same(value: Any) -> Any:
    return value


def _known(value: Any) -> Any:
    return MISSING if value is None else value


_SCALARS: Mapping[tree.CastType, Conversion] = {
    tree.CastType.INT64: _int64,
    tree.CastType.FLOAT64: _float64,
    tree.CastType.BOOL: _bool,
}
