"""Somebody's JSON Schema -> one with known keywords only, of which models can be made.

Every object with properties becomes an entry in $defs, all else stands where it is needed:

    {"type": "object", "properties": {...}, "required": [...], "additionalProperties": false,
     "$defs": {"Owner": {...}}}
"""

from collections.abc import Mapping
from typing import Any

from worker.builder import limits
from worker.builder.document import TOP, Document, Place, Schema, refuse_circle
from worker.builder.keywords import ANNOTATIONS, OF_TYPE, kinds_of, known
from worker.builder.naming import free_name, readable_class, singular
from worker.builder.order import OrderRefused
from worker.builder.values import array_limits, choices, scalar
from worker.explain import shorten

_Node = dict[str, Any]


def normalised(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the form that models are made of.

    Raises OrderRefused with the path of what cannot be built.
    """
    reader = _Reader(Document(schema))
    root = reader.root()
    return root | ({"$defs": reader.definitions} if reader.definitions else {})


class _Reader:
    """Reads one document; `definitions` are the objects that it found inside."""

    def __init__(self, document: Document) -> None:
        self.definitions: dict[str, Any] = {}
        self._document = document
        self._classes = {"#": "#"}  # where an object is in the document -> in what we make
        self._depth = 0
        self._properties = 0

    def root(self) -> _Node:
        """The object that the requirements are."""
        schema, names = self._document.root()
        self._classes |= dict.fromkeys(names, "#")
        place = Place(TOP, "", names)
        flat = self._document.flat(schema, place)
        if kinds_of(flat) != ["object"] or flat.keys() & {"anyOf", "oneOf", "enum", "const"}:
            raise OrderRefused(f"{TOP}: want the schema of one object, with its properties")
        return self._object(flat, place)

    def node(self, schema: Schema, place: Place) -> _Node:
        """Any schema inside of the document."""
        self._depth += 1
        self._document.count(place.where, self._depth)
        try:
            return self._node(schema, place)
        finally:
            self._depth -= 1

    def _node(self, schema: Schema, place: Place) -> _Node:
        said = {} if isinstance(schema, bool) else known(schema, place.where)
        notes = {key: said[key] for key in ANNOTATIONS if key in said}
        if said.keys() - notes.keys() == {"$ref"}:
            return self._referred(said["$ref"], place) | notes
        made = self._plain(self._document.flat(schema, place), place)
        if "$ref" in made:  # what is said of the object is said in its class
            notes = {key: said[key] for key in ("default",) if key in said}
        return made | notes

    def _referred(self, name: str, place: Place) -> _Node:
        if name in self._classes:
            return {"$ref": self._classes[name]}
        refuse_circle(name, place)
        made = self.node(self._document.target(name, place.where), place.behind(name))
        return {key: made[key] for key in made if key != "default" or "$ref" not in made}

    def _plain(self, flat: _Node, place: Place) -> _Node:
        """Of a schema without references and allOf."""
        kinds = kinds_of(flat)
        if "enum" in flat or "const" in flat:
            return choices(flat, kinds, place.where)
        if flat.keys() & {"anyOf", "oneOf"}:
            return self._union(flat, place)
        if len(kinds) > 1:
            return self._either([(_of_kind(flat, kind), place.inner("")) for kind in kinds])
        return self._typed(flat, kinds[0], place) if kinds else {}

    def _typed(self, flat: _Node, kind: str, place: Place) -> _Node:
        if kind == "object":
            return self._object_or_map(flat, place)
        return self._array(flat, place) if kind == "array" else scalar(flat, kind, place.where)

    def _union(self, flat: _Node, place: Place) -> _Node:
        """The branches, each with what is said beside them."""
        if "anyOf" in flat and "oneOf" in flat:
            raise OrderRefused(f"{place.where}: anyOf beside oneOf cannot be built")
        word = "anyOf" if "anyOf" in flat else "oneOf"
        beside = {key: flat[key] for key in flat if key not in (word, *ANNOTATIONS)}
        if len(flat[word]) > limits.CHOICES:
            raise OrderRefused(f"{place.where}.{word}: at most {limits.CHOICES} branches")
        return self._either(
            [
                ({"allOf": [beside, one]} if beside else one, place.inner(f".{word}.{at}"))
                for at, one in enumerate(flat[word])
            ]
        )

    def _either(self, branches: list[tuple[Schema, Place]]) -> _Node:
        """One of these, each once; a choice among choices is one choice."""
        read: list[_Node] = []
        for branch, place in branches:
            one = self.node(branch, place)
            for inner in one.get("anyOf", [one]):
                bare = {key: inner[key] for key in inner if key not in ANNOTATIONS}
                if bare not in read:
                    read.append(bare)
        if {} in read:
            return {}
        return read[0] if len(read) == 1 else {"anyOf": read}

    def _object_or_map(self, flat: _Node, place: Place) -> _Node:
        other = flat.get("additionalProperties", True)
        if "properties" not in flat and "required" not in flat and other is not False:
            inner = place.inner(".additionalProperties", singular(place.hint))
            return {"type": "object", "additionalProperties": self.node(other, inner) or True}
        hint = readable_class(flat.get("title", "")) or place.hint
        name = free_name(hint, self.definitions)
        self.definitions[name] = {}  # the name is taken while its inside is read
        reference = f"#/$defs/{name}"
        if place.refers is not None:
            self._classes[place.refers] = reference
        self.definitions[name] = self._object(flat, place)
        return {"$ref": reference}

    def _object(self, flat: _Node, place: Place) -> _Node:
        required = flat.get("required", [])
        properties = flat.get("properties", {})
        properties = properties | {name: True for name in required if name not in properties}
        other = flat.get("additionalProperties", False)
        if len(properties) > len(flat.get("properties", {})) and other is False:
            raise OrderRefused(f"{place.where}.required: names one that is not among properties")
        self._properties += len(properties)
        if self._properties > limits.PROPERTIES:
            raise OrderRefused(f"{place.where}: more than {limits.PROPERTIES} properties in all")
        made = {
            name: self.node(one, self._property(place, name)) for name, one in properties.items()
        }
        if other is not False:
            other = self.node(other, self._property(place, "additionalProperties")) or True
        return {key: flat[key] for key in ANNOTATIONS if key in flat} | {
            "type": "object",
            "properties": made,
            "required": [name for name in made if name in required],
            "additionalProperties": other,
        }

    def _property(self, place: Place, name: str) -> Place:
        if len(name) > limits.NAME:
            raise OrderRefused(f"{place.where}: a property's name is longer than {limits.NAME}")
        return Place(f"{place.where}.{shorten(name)}", readable_class(name) or "Part")

    def _array(self, flat: _Node, place: Place) -> _Node:
        limited = array_limits(flat, place.where)
        if "uniqueItems" in limited and not place.own:
            raise OrderRefused(f"{place.where}.uniqueItems: want it at a property, not inside")
        items, first = flat.get("items", True), flat.get("prefixItems")
        one = singular(place.hint)
        if not first:
            inner = {} if items is False else self.node(items, place.inner("[]", one))
            return {"type": "array"} | ({"items": inner} if inner else {}) | limited
        if items is not False or limited.get("minItems") != len(first):
            raise OrderRefused(
                f'{place.where}.prefixItems: want "items": false and "minItems": {len(first)} too'
            )
        every = [self.node(each, place.inner(f"[{at}]", one)) for at, each in enumerate(first)]
        return {"type": "array", "prefixItems": every, "items": False} | {
            limit: len(first) for limit in ("minItems", "maxItems")
        }


def _of_kind(flat: Mapping[str, Any], kind: str) -> _Node:
    return {"type": kind} | {key: flat[key] for key in OF_TYPE[kind] if key in flat}
