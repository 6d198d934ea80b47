"""Compares two schemas: is every value that fits the old one taken by the new one?"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from worker.catalog.compat.finding import Finding, found, no_longer, refused
from worker.catalog.compat.nested import array, object_
from worker.catalog.compat.parts import EVERY, CannotCompare, Parts, Plain, kinds, values
from worker.catalog.compat.scalars import RULES
from worker.catalog.compat.shape import shape
from worker.catalog.compat.validation import validator_of

_MOST = 5_000  # pairs of schemas that are looked at
# Keywords that are compared for being the same, no more.
_OPAQUE = (
    "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "dependencies",
    "contains", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems",
    "patternProperties", "$dynamicRef",
)  # fmt: skip
_FEW: Mapping[str, list[Any]] = {"null": [None], "boolean": [False, True]}


def breaking(old: Any, new: Any) -> list[Finding]:
    """Everything that was valid under `old` and is not under `new`; both are whole documents.

    What cannot be compared is a finding, too, unless it is the same on both sides.
    """
    try:
        return _Comparison(old, new).of(old, new)
    except RecursionError:
        return found("cannot compare: the schemas are too deep")


class _Comparison:
    def __init__(self, old: Any, new: Any) -> None:
        self._old = Parts(old, exact=False)
        self._new = Parts(new, exact=True)
        self._looking: set[tuple[int, int]] = set()
        self._left = _MOST

    def of(self, old: Any, new: Any) -> list[Finding]:
        """Compare a schema of the old document with one of the new."""
        self._left -= 1
        if self._left < 0:
            return found("cannot compare: the schemas are too large")
        pair = (id(old), id(new))
        if pair in self._looking:
            return []  # within itself: it holds if the rest does
        self._looking.add(pair)
        try:
            if shape(old, self._old.document) == shape(new, self._new.document):
                return []
            return list(dict.fromkeys(self._alternatives(old, new)))
        except CannotCompare as cannot:
            return found(f"cannot compare {cannot}: it has changed")
        finally:
            self._looking.remove(pair)

    def _alternatives(self, old: Any, new: Any) -> Iterator[Finding]:
        """Every old alternative has to fit into one that there is now."""
        now = self._new.of(new)
        gone: dict[str, Any] = {}  # by their JSON: False is not 0
        for plain in self._old.of(old):
            few = {json.dumps(one, sort_keys=True): one for one in _listed(plain)}
            gone |= {key: one for key, one in few.items() if self._is_gone(one, old, new)}
            if values(plain) is None:
                yield from self._kinds(plain, now)
        if gone:
            yield Finding((), no_longer(list(gone.values())))

    def _kinds(self, plain: Plain, now: list[Plain]) -> Iterator[Finding]:
        """What of each kind was taken, unless it is listed value by value."""
        lost = []
        for kind in _told_apart(plain, now):
            candidates = [self._narrowed(plain, one, kind) for one in now if kind in kinds(one)]
            yield from min(candidates, key=len, default=[])
            if not candidates:
                lost.append(kind)
        if lost:
            taken = {kind for one in now for kind in kinds(one)} - _FEW.keys()
            yield Finding((), refused(lost, [kind for kind in EVERY if kind in taken]))

    def _narrowed(self, old: Plain, new: Plain, kind: str) -> list[Finding]:
        """Why not all that fits `old` fits `new`, both plain."""
        if values(new) is not None:
            return found("only some values are taken now")
        problems = [*self._opaque(old, new), *RULES[kind](old, new, kind)]
        nested: Mapping[str, Callable[..., Iterator[Finding]]] = {"array": array, "object": object_}
        if kind in nested:
            problems += nested[kind](old, new, self.of)
        return problems

    def _opaque(self, old: Plain, new: Plain) -> Iterator[Finding]:
        for name in _OPAQUE:
            if name in new and (
                name not in old
                or shape({name: old[name]}, self._old.document)
                != shape({name: new[name]}, self._new.document)
            ):
                yield Finding((), f"cannot compare {name}: it has changed")

    def _is_gone(self, value: Any, old: Any, new: Any) -> bool:
        was, now = (
            validator.evolve(schema=schema)
            for validator, schema in zip(self._validators, (old, new), strict=True)
        )
        return was.is_valid(value) and not now.is_valid(value)

    @cached_property
    def _validators(self) -> tuple[Any, Any]:
        return validator_of(self._old.document), validator_of(self._new.document)


def _told_apart(plain: Plain, now: list[Plain]) -> list[str]:
    """The kinds to look at: whole numbers are numbers, where those are taken."""
    whole = "number" not in kinds(plain) or not any("number" in kinds(one) for one in now)
    many = [one for one in kinds(plain) if one not in _FEW and not _is_empty(plain, one)]
    return [kind for kind in many if whole or kind != "integer"]


def _listed(plain: Plain) -> list[Any]:
    """The values that are looked at one by one: those listed, and those of kinds with few."""
    listed = values(plain)
    if listed is not None:
        return listed
    few = [one for kind in kinds(plain) for one in _FEW.get(kind, ())]
    return [*few, *([{}] if _is_empty(plain, "object") else ()),
            *([[]] if _is_empty(plain, "array") else ())]  # fmt: skip


def _is_empty(plain: Plain, kind: str) -> bool:
    """Whether only the empty list or object fits."""
    limit = {"array": "maxItems", "object": "maxProperties"}.get(kind)
    return limit is not None and kind in kinds(plain) and plain.get(limit) == 0
