"""One JSON Schema document: what its references point to, what its allOf come to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from worker.builder.keywords import ANNOTATIONS, known, merged
from worker.builder.naming import readable_class
from worker.builder.order import OrderRefused
from worker.explain import shorten

Schema = Mapping[str, Any] | bool
TOP = "requirements"
_LARGEST = 1000  # schemas once all references were followed
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where we are: the path for people, and what an object here would be called.

    `inside` are the references that lead here from the nearest object, `refers` the last of them,
    if it points at this very place. `own`: this is what a property is, not a part of that.
    """

    where: str
    hint: str
    inside: tuple[str, ...] = ()
    refers: str | None = None
    own: bool = True

    def inner(self, more: str, hint: str | None = None) -> "Place":
        """A part of what is here; with no more, one of its types."""
        where, own = self.where + more, self.own and not more
        return replace(self, where=where, hint=hint or self.hint, refers=None, own=own)

    def behind(self, name: str) -> "Place":
        """What a reference points to."""
        there = shorten(TOP + name.removeprefix("#").replace("/", "."), 200)
        hint = readable_class(name.rpartition("/")[2]) or "Part"
        return Place(there, hint, (*self.inside, name), name, self.own)


class Document:
    """Looks up and counts: a few references can stand for billions of schemas."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._read = 0

    def count(self, where: str, depth: int = 0) -> None:
        """Raise OrderRefused when there is too much of it."""
        self._read += 1
        if self._read > _LARGEST or depth > _DEEPEST:
            raise OrderRefused(f"{where}: too large, or without end, once its $ref are followed")

    def root(self) -> tuple[Schema, tuple[str, ...]]:
        """The schema of the whole, and the references that lead to it."""
        schema: Schema = self._schema
        names: list[str] = []
        while isinstance(schema, Mapping) and known(schema, TOP, root=True).keys() == {"$ref"}:
            if schema["$ref"] in names:
                raise OrderRefused(f"{TOP}.$ref: refers to itself")
            names.append(schema["$ref"])
            schema = self.target(schema["$ref"], TOP)
        return schema, tuple(names)

    def target(self, name: Any, where: str) -> Schema:
        """What a reference within the document points to."""
        if not isinstance(name, str) or not (name == "#" or name.startswith("#/")):
            raise OrderRefused(f"{where}.$ref: want one within the schema, such as #/$defs/NAME")
        here: Any = self._schema
        for part in name.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            here = here.get(key) if isinstance(here, Mapping) else None
        if not isinstance(here, (Mapping, bool)):
            raise OrderRefused(f"{where}.$ref: there is no such part of the schema")
        return here

    def flat(self, schema: Schema, place: Place) -> dict[str, Any]:
        """Put together what $ref and allOf bring."""
        self.count(place.where, len(place.inside))
        if isinstance(schema, bool):
            if schema:
                return {}
            raise OrderRefused(f"{place.where}: takes no value at all")
        said = known(schema, place.where, root=schema is self._schema)
        parts = []
        if (name := said.pop("$ref", None)) is not None:
            refuse_circle(name, place)
            target = self.flat(self.target(name, place.where), place.behind(name))
            parts.append({key: target[key] for key in target if key not in ANNOTATIONS})
        for at, one in enumerate(said.pop("allOf", ())):
            parts.append(self.flat(one, place.inner(f".allOf.{at}")))
        return merged([*parts, said], place.where)


def refuse_circle(name: str, place: Place) -> None:
    """A list of lists of lists ... has no end, and no class that could be named."""
    if name in place.inside:
        raise OrderRefused(f"{place.where}: refers to itself, with no object between")
