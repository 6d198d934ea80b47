"""A field of a form, made of a JSON Schema: what its control is, and what stands beside it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from worker.catalog.words import limits_of
from worker.local.page.schemawords import plural, type_of

Kind = Literal[
    "text", "area", "whole", "number", "check", "choice", "lines", "json", "group", "fixed"
]

ROOT = "requirements"  # where the values stand in the payload
_RADIOS = 4  # choices shown at once; more are a list to open
_INPUTS = {"date": "date", "time": "text", "date-time": "text", "email": "email", "uri": "url"}
_SAMPLES = {
    "date": "2026-11-22",
    "time": "14:30:00",
    "date-time": "2026-11-22T14:30:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "duration": "PT90S",
}


class _Missing:
    """No value: None is one in JSON."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Field:
    """One control, or a group of them. `path` leads to its value from the root of the schema.

    `empty` is what leaving a control empty means: "" (a text, or an empty list), or nothing at all.
    """

    path: tuple[str, ...]
    kind: Kind
    schema: Mapping[str, Any]
    required: bool = True
    nullable: bool = False
    default: Any = MISSING
    fields: tuple["Field", ...] = ()
    item: Kind = "text"  # of lines

    @property
    def name(self) -> str:
        """The control's name: with a JSON Pointer (RFC 6901), so that any property has one."""
        parts = (part.replace("~", "~0").replace("/", "~1") for part in self.path)
        return "/".join([ROOT, *parts])

    @property
    def id(self) -> str:
        """Unique in the page, without anything that an id or a selector cannot hold."""
        return "field" + re.sub(r"[^A-Za-z0-9]", lambda found: f"-{ord(found[0]):x}-", self.name)

    @property
    def label(self) -> str:
        """What the property is called in the message."""
        return self.path[-1] if self.path else ROOT

    @property
    def help(self) -> str:
        """The description that the author wrote."""
        return str(self.schema.get("description") or "")

    @property
    def type(self) -> str:
        """The type in words."""
        if self.kind == "lines":
            return f"list of {plural(type_of(items_of(self.schema)))}"
        return type_of(self.schema)

    @property
    def limits(self) -> str:
        """What the schema asks of the value, in words; "" for anything of the type."""
        return limits_of(self.schema)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """(the control's value, what is shown) for each that can be chosen."""
        only = [self.schema["const"]] if "const" in self.schema else [True, False]
        values = self.schema.get("enum") or only
        shown = {True: "yes", False: "no"} if self.schema.get("type") == "boolean" else {}
        return [
            (json.dumps(v), shown.get(v, v if isinstance(v, str) else json.dumps(v)))
            for v in values
        ]

    @property
    def radios(self) -> bool:
        """Whether all choices are shown at once."""
        return self.must_choose and len(self.choices) <= _RADIOS

    @property
    def must_choose(self) -> bool:
        """Whether one of the choices has to be taken."""
        return self.required and not self.nullable

    @property
    def switched(self) -> bool:
        """Whether a group can be left out as a whole."""
        return self.kind == "group" and bool(self.path) and not self.must_choose

    @property
    def keeps_empty(self) -> bool:
        """Whether an empty control says "" or []; else it says nothing."""
        return not self.nullable and (self.required or self.default is not MISSING)

    @property
    def never_empty(self) -> bool:
        """Whether a text that is required cannot be "": then an empty control says nothing."""
        shaped = "format" in self.schema or "pattern" in self.schema
        return self.required and (shaped or bool(self.schema.get("minLength")))

    @property
    def sample(self) -> str:
        """What a value looks like, to show in an empty control."""
        examples = self.schema.get("examples")
        if isinstance(examples, list) and examples and isinstance(examples[0], str | int | float):
            return str(examples[0])
        return _SAMPLES.get(str(self.schema.get("format")), "")

    @property
    def input(self) -> dict[str, str]:
        """The attributes of its <input>."""
        if self.kind in ("whole", "number"):
            step = self.schema.get("multipleOf", 1 if self.kind == "whole" else "any")
            ends = {"min": self.schema.get("minimum"), "max": self.schema.get("maximum")}
            given = {name: str(end) for name, end in ends.items() if end is not None}
            return {"type": "number", "step": str(step), **given}
        return {"type": _INPUTS.get(str(self.schema.get("format")), "text")}

    @property
    def default_text(self) -> str:
        """The default as JSON; "" where there is none to tell."""
        told = self.default is not MISSING and self.default is not None
        return json.dumps(self.default, ensure_ascii=False) if told else ""

    @property
    def json_schema(self) -> str:
        """Its schema, to show beside a field for JSON text."""
        return json.dumps(self.schema, indent=2, ensure_ascii=False)


def flat(field: Field | None) -> Iterator[Field]:
    """The field and all within it, without the root when that is a group."""
    if field is None:
        return
    if field.path or field.kind != "group":
        yield field
    for inner in field.fields:
        yield from flat(inner)


def items_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of an array's items; {} where it says nothing of them."""
    items = schema.get("items")
    return items if isinstance(items, dict) else {}
