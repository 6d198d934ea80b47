"""Readers: functions from an entry to what it has at a path.

A reader gives one value, Several of them where a list lies on the way, or MISSING.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Final

from worker.local.lql.schema import Kind, Target
from worker.local.lql.values import DEFAULTS, decoder

Entry = Mapping[str, Any]
Reader = Callable[[Entry], Any]


class _Missing(Enum):
    MISSING = "missing"


MISSING: Final = _Missing.MISSING


class Several(list[Any]):
    """The values of a list, none of which is a list."""


def raw_reader(target: Target) -> Reader:
    """Gives what the JSON of the entry has, unconverted."""
    proto = target.path[0] == "protoPayload"
    step = _proto_step if proto else _step
    path = tuple(map(_plain, target.path[1:])) if proto else target.path

    def slow(entry: Entry) -> Any:
        values = list(_elements(entry.get("protoPayload", MISSING))) if proto else [entry]
        for name in path:
            values = [v for value in values for v in _elements(step(value, name))]
        return Several(values)

    if proto:
        return lambda entry: _one_of(slow(entry))

    first, rest = path[0], path[1:]

    def read(entry: Entry) -> Any:
        value = entry.get(first, MISSING)
        for name in rest:
            if isinstance(value, list):
                return slow(entry)
            if not isinstance(value, dict):
                return MISSING
            value = value.get(name, MISSING)
        return Several(_elements(value)) if isinstance(value, list) else value

    return read


def typed_reader(target: Target) -> Reader:
    """Gives a value of the field's type: its default where the entry has none."""
    raw, decode = raw_reader(target), decoder(target.kind)
    default = DEFAULTS[target.kind]

    def read(entry: Entry) -> Any:
        value = raw(entry)
        return default if value is MISSING else decode(value)

    def read_each(entry: Entry) -> Any:  # errorGroups is the only list, and holds messages
        if not isinstance(entry.get(target.path[0]), list):
            return MISSING
        value = raw(entry)
        values = value if isinstance(value, Several) else ()
        return Several(decode(one) for one in values)

    return read_each if target.repeated else read


def label_reader(target: Target) -> Reader:
    """Gives the text of a key, MISSING where there is none."""
    raw = raw_reader(target)

    def read(entry: Entry) -> Any:
        value = raw(entry)
        return value if isinstance(value, str) else MISSING

    return read


def reader(target: Target) -> Reader:
    """The reader for a field that holds a value, typed or not."""
    if target.kind is Kind.LABEL:
        return label_reader(target)
    return typed_reader(target) if target.kind in DEFAULTS else raw_reader(target)


def leaves(value: Any) -> Iterator[Any]:
    """The values in a JSON value that are neither objects nor lists."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, Mapping):
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
        else:
            yield one


def _elements(value: Any) -> Iterator[Any]:
    """The value, or what is in the list that it is."""
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack.extend(reversed(one))
        elif one is not MISSING:
            yield one


def _step(value: Any, name: str) -> Any:
    return value.get(name, MISSING) if isinstance(value, Mapping) else MISSING


def _proto_step(value: Any, name: str) -> Any:
    """A field of a protobuf message in JSON. What an Any holds counts as the Any's own."""
    if not isinstance(value, Mapping):
        return MISSING
    for key, inner in value.items():
        if _plain(key) == name:
            return inner
    if "@type" in value and "value" in value:
        return _proto_step(value["value"], name)
    return MISSING


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _one_of(values: list[Any]) -> Any:
    """A list of one as that one: nothing in it says any more that it was a list."""
    if not values:
        return MISSING
    return values[0] if len(values) == 1 else Several(values)
