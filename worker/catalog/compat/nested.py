"""How the fields of objects and the items of lists are narrowed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from worker.catalog.compat.finding import Finding, field

Plain = Mapping[str, Any]
Compare = Callable[[Any, Any], list[Finding]]

_ANY_NAME = {"type": "string"}


def object_(old: Plain, new: Plain, compare: Compare) -> Iterator[Finding]:
    """Fields that are gone, narrowed, new or needed now, and those that nobody named."""
    before, now = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        if schema is not False:
            yield from _field(name, schema, new, compare)
    for name in sorted(now.keys() - before.keys()):
        yield from (one.below(field(name)) for one in compare(_relied_on(old), now[name]))
    yield from _needed(old, new)
    yield from _unnamed(old, new, compare)
    names = new.get("propertyNames")
    if names is not None:
        found = compare(old.get("propertyNames", _ANY_NAME), names)
        yield from (Finding((), f"the names of its fields: {one}") for one in found)


def _field(name: str, schema: Any, new: Plain, compare: Compare) -> Iterator[Finding]:
    unnamed = new.get("additionalProperties")
    if name in new.get("properties", {}):
        found = compare(schema, new["properties"][name])
    elif isinstance(unnamed, dict):
        found = compare(schema, unnamed)
    elif unnamed is False:
        found = [Finding((), "the field is gone: a message that has it is refused")]
    elif "properties" in new:
        found = [Finding((), "the field is gone: what a message says there is ignored")]
    else:
        found = []
    yield from (one.below(field(name)) for one in found)


def _needed(old: Plain, new: Plain) -> Iterator[Finding]:
    had = old.get("required", ())
    for name in new.get("required", ()):
        if name not in had:
            known = name in old.get("properties", {})
            why = "was optional and is required now" if known else "is new and required"
            yield Finding((field(name),), why)


def _unnamed(old: Plain, new: Plain, compare: Compare) -> Iterator[Finding]:
    """Fields beside those that have a name in the schema."""
    now = new.get("additionalProperties", True)
    if now is False and old.get("additionalProperties") is not False:
        yield Finding((), "fields that the schema does not name are refused now")
    elif now is not False:
        yield from (one.below("*") for one in compare(_relied_on(old), now))


def _relied_on(old: Plain) -> Any:
    """What unnamed fields could hold. Ignored beside named ones: no publisher relied on them."""
    return old.get("additionalProperties", "properties" not in old)


def array(old: Plain, new: Plain, compare: Compare) -> Iterator[Finding]:
    """Items, one by one where the schema says so, and whether they may repeat."""
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield Finding((), "its items must differ from each other now")
    before, now = old.get("prefixItems", []), new.get("prefixItems", [])
    most = old.get("maxItems")
    listed = max(len(before), len(now))
    for place in range(listed if most is None else min(listed, most)):
        found = compare(_item(old, place), _item(new, place))
        yield from (one.below(f"[{place}]") for one in found)
    if most is None or most > listed:
        found = compare(old.get("items", True), new.get("items", True))
        yield from (one.below("[]") for one in found)


def _item(plain: Plain, place: int) -> Any:
    listed = plain.get("prefixItems", [])
    return listed[place] if place < len(listed) else plain.get("items", True)
