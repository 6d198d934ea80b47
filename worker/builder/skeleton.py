"""A schema in our form -> the same without a word of its author's, for the library.

Names of classes are C0, C1, ..., those of fields f0, f1, ..., and texts s0, s1, ...: whatever the
library does with them, nothing of the order can take effect there. `Plan` says what each was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.builder.conformity import EMAIL, HOSTNAME
from worker.builder.naming import class_names, field_names

_LIMITS = frozenset((
    "minLength", "maxLength", "minItems", "maxItems", "multipleOf", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum",
))  # fmt: skip
_PATTERNS = {"email": EMAIL, "hostname": HOSTNAME}
EXTRA = "extra"  # stands for the values of all other fields


@dataclass(frozen=True, slots=True)
class PlannedField:
    """One property: what it is called here and there, and its schema in our form."""

    name: str
    alias: str
    schema: Mapping[str, Any]
    required: bool


@dataclass(frozen=True, slots=True)
class PlannedClass:
    """One object: its name, what is said of it, its fields by the library's name."""

    name: str
    about: str
    fields: Mapping[str, PlannedField]
    extra: bool
    examples: Sequence[Any] = ()


@dataclass(slots=True)
class Plan:
    """What the library is given, and what its names and texts stand for."""

    schema: dict[str, Any]
    classes: dict[str, PlannedClass]
    texts: list[str] = field(default_factory=list)


def planned(schema: Mapping[str, Any], main: str, about: str) -> Plan:
    """Take the author's words out. `main` is the class of the whole, `about` its docstring."""
    definitions: dict[str, Mapping[str, Any]] = schema.get("$defs", {})
    names = class_names(definitions, main)
    places = {"#": "C0"} | {
        f"#/$defs/{name}": f"C{at}" for at, name in enumerate(definitions, start=1)
    }
    skeleton = _Skeleton(places)
    said = f"{about}\n\n{schema.get('description', '')}"
    made = {"C0": skeleton.object(schema, main, said)}
    for name, one in definitions.items():
        called = names[name]
        said = one.get("description") or f"Part of {main}: {_words(name)}."
        made[places[f"#/$defs/{name}"]] = skeleton.object(one, called, said)
    document = {"$defs": {place: one for place, (one, _) in made.items()}}
    classes = {place: known for place, (_, known) in made.items()}
    return Plan(document, classes, list(skeleton.texts))


class _Skeleton:
    def __init__(self, places: Mapping[str, str]) -> None:
        self.texts: dict[str, str] = {}
        self._places = places

    def object(
        self, schema: Mapping[str, Any], name: str, about: str
    ) -> tuple[dict[str, Any], PlannedClass]:
        properties: Mapping[str, Any] = schema["properties"]
        fields = {
            f"f{at}": PlannedField(called, alias, properties[alias], alias in schema["required"])
            for at, (alias, called) in enumerate(field_names(properties).items())
        }
        made = {place: self.node(one.schema) for place, one in fields.items()}
        needed = [
            place
            for place, one in fields.items()
            if one.required or one.schema.get("default") is not None
        ]
        other = schema["additionalProperties"]
        if isinstance(other, Mapping):
            made[EXTRA] = {"type": "object", "additionalProperties": self.node(other)}
            needed.append(EXTRA)
        document = {"type": "object", "properties": made, "required": needed}
        return document, PlannedClass(
            name, about, fields, other is not False, schema.get("examples", ())
        )

    def node(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The same, with nothing in it but types, limits and numbers."""
        made: dict[str, Any] = {key: schema[key] for key in schema if key in _LIMITS}
        for key, value in schema.items():
            match key:
                case "$ref":
                    made["$ref"] = f"#/$defs/{self._places[value]}"
                case "type":
                    made["type"] = value
                case "pattern":
                    made["pattern"] = self._text(value)
                case "format" if value in _PATTERNS:
                    made["pattern"] = self._text(_PATTERNS[value])
                case "format":
                    made["format"] = value
                case "enum":
                    made["enum"] = [
                        self._text(one) if isinstance(one, str) else one for one in value
                    ]
                case "anyOf" | "prefixItems":
                    made[key] = [self.node(one) for one in value]
                case "items" | "additionalProperties":
                    made[key] = value if isinstance(value, bool) else self.node(value)
        return made

    def _text(self, text: str) -> str:
        return self.texts.setdefault(text, f"s{len(self.texts)}")


def _words(name: str) -> str:
    return "".join(f" {one.lower()}" if one.isupper() else one for one in name).strip()
