"""Make up a value: of each type of JSON, within the limits that its schema sets."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from worker.example import parts
from worker.example.strings import text_for

_LARGEST = 2000  # values in an example; references to references can ask for billions
_MOST_ITEMS = 100
Path = tuple[str, ...]


class NoExample(Exception):
    """No value was found that the schema takes. `where` is the path of the part that takes none."""

    def __init__(self, where: str) -> None:
        super().__init__(f"{where or 'the schema'}: no example found")
        self.where = where


class Maker:
    """Makes one example of a document."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._made = 0

    def make(self, schema: parts.Schema, where: str, inside: Path) -> Any:
        """A value; `inside` are the references that lead here: none is needed twice."""
        self._made += 1
        if self._made > _LARGEST or schema is False:
            raise NoExample(where)
        if schema is True:
            return "text"
        if said := parts.given(schema):
            return said[0]
        if "$ref" in schema:
            return self._referred(schema, where, inside)
        if "allOf" in schema:
            return self.make(self._merged(schema, where), where, inside)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._first(schema, union, where, inside)
        return self._typed(schema, where, inside)

    def _referred(self, schema: Mapping[str, Any], where: str, inside: Path) -> Any:
        name = schema["$ref"]
        if name in inside:
            raise NoExample(where)
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        target = self._target(name, where)
        if isinstance(target, Mapping) and rest.keys() & parts.ASSERTIONS:
            target = {"allOf": [target, rest]}
        return self.make(target, where, (*inside, name))

    def _target(self, name: Any, where: str) -> Mapping[str, Any] | bool:
        """What a reference within the document points to."""
        here: Any = self._root
        if not isinstance(name, str) or not (name == "#" or name.startswith("#/")):
            raise NoExample(where)
        for part in name.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(here, Mapping) or key not in here:
                raise NoExample(where)
            here = here[key]
        if not isinstance(here, (Mapping, bool)):
            raise NoExample(where)
        return here

    def _merged(self, schema: Mapping[str, Any], where: str) -> dict[str, Any]:
        """One schema for all of them; where two say the same keyword, the last one counts."""
        merged: dict[str, Any] = {}
        for part in (*schema["allOf"], {key: schema[key] for key in schema if key != "allOf"}):
            if isinstance(part, Mapping) and "$ref" in part:
                part = self._target(part["$ref"], where)  # noqa: PLW2901 - the same part, looked up
            if isinstance(part, Mapping) and "allOf" in part:
                self._made += 1
                if self._made > _LARGEST:
                    raise NoExample(where)
                part = self._merged(part, where)  # noqa: PLW2901 - the same part, made plain
            if not isinstance(part, Mapping):
                continue
            merged = parts.joined(merged, part)
        return merged

    def _first(self, schema: Mapping[str, Any], union: str, where: str, inside: Path) -> Any:
        """Of the first branch that has an example, null last."""
        beside = {key: value for key, value in schema.items() if key != union}
        branches = sorted(schema[union], key=lambda one: one == {"type": "null"})
        for branch in branches:
            both = {"allOf": [beside, branch]} if beside.keys() & parts.ASSERTIONS else branch
            try:
                return self.make(both, where, inside)
            except NoExample:
                continue
        raise NoExample(where)

    def _typed(self, schema: Mapping[str, Any], where: str, inside: Path) -> Any:
        match parts.kind_of(schema):
            case "object":
                return self._object(schema, where, inside)
            case "array":
                return self._array(schema, where, inside)
            case "integer" | "number" as kind:
                value = parts.number_for(schema, whole=kind == "integer")
                if value is None:
                    raise NoExample(where)
                return value
            case "boolean":
                return True
            case "null":
                return None
        text = text_for(schema)
        if text is None:
            raise NoExample(where)
        return text

    def _object(self, schema: Mapping[str, Any], where: str, inside: Path) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        names = [
            name
            for name in properties
            if name in required or parts.is_worth_showing(properties[name])
        ]
        unknown = [name for name in required if name not in properties]
        other = schema.get("additionalProperties", True)
        made = {
            name: self.make(properties[name], f"{where}.{name}".lstrip("."), inside)
            for name in names
        }
        return made | {
            name: self.make(other, f"{where}.{name}".lstrip("."), inside) for name in unknown
        }

    def _array(self, schema: Mapping[str, Any], where: str, inside: Path) -> list[Any]:
        first: Sequence[Any] = schema.get("prefixItems", ())
        low, high = int(schema.get("minItems", 0)), int(schema.get("maxItems", _MOST_ITEMS))
        if low > min(high, _MOST_ITEMS):
            raise NoExample(where)
        made = [self.make(one, f"{where}[]", inside) for one in first[:high]]
        rest = schema.get("items", True)
        wanted = max(low, min(1, high)) - len(made)
        if wanted <= 0 or (rest is False and low <= len(made)):
            return made
        try:
            return made + self._several(rest, wanted, schema, where, inside)
        except NoExample:
            if low <= len(made):
                return made
            raise

    def _several(
        self, item: Any, count: int, array: Mapping[str, Any], where: str, inside: Path
    ) -> list[Any]:
        if not array.get("uniqueItems"):
            return [self.make(item, f"{where}[]", inside) for _ in range(count)]
        one = self.make(item, f"{where}[]", inside)
        different = list(islice(parts.variants(item, one), count))
        if len(different) < count:
            raise NoExample(where)
        return different
