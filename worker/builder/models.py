"""Wanted -> the source of its pydantic models, by datamodel-code-generator.

The library runs in a process of its own, with a time limit, and gets a schema in which nothing is
left of the author's words (skeleton.py); they come back as literals (rewrite.py). What comes of
it is checked once more: nothing but declarations (guard.py).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.builder.guard import check_source
from worker.builder.order import BuildFailed
from worker.builder.rewrite import Typed, rewritten
from worker.builder.sandbox import sandbox
from worker.builder.skeleton import EXTRA, Plan, PlannedClass, PlannedField, planned
from worker.builder.text import docstring, literal
from worker.builder.wanted import Wanted

_CODEGEN = Path(__file__).with_name("codegen.py")
_IMPORTS = {
    "Annotated": "typing", "Any": "typing", "Literal": "typing",
    "UUID": "uuid", "Decimal": "decimal",
    "IPv4Address": "ipaddress", "IPv6Address": "ipaddress",
    "AfterValidator": "pydantic", "AnyUrl": "pydantic", "AwareDatetime": "pydantic",
    "ConfigDict": "pydantic", "Field": "pydantic",
}  # fmt: skip
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_ONCE = '''def _each_once(items: Any) -> Any:
    """Refuse a list that holds the same value twice."""
    if isinstance(items, list) and len({repr(one) for one in items}) < len(items):
        raise ValueError("should hold no value twice")
    return items
'''


@dataclass(frozen=True, slots=True)
class Models:
    """Source of classes, with the imports that it needs besides `base`; `main` is the whole."""

    imports: tuple[str, ...]
    source: str
    main: str


def models_of(wanted: Wanted, *, name: str, base: str, about: str, seconds: float) -> Models:
    """The classes that take what is wanted; `name` is that of the whole, `about` its docstring.

    `base` is "Requirements" or "BaseModel". Raises BuildFailed, also when `seconds` are over.
    """
    schema = wanted.schema or {"properties": {}, "required": [], "additionalProperties": False}
    plan = planned(schema, name, about)
    types = rewritten(_generated(plan, seconds), plan)
    classes = [_class(plan.classes[place], types[place], base) for place in types]
    if any(_is_unique(one) for known in plan.classes.values() for one in known.fields.values()):
        classes.insert(0, _ONCE)
    source = "\n\n".join(classes)
    check_source(source, (base, *_IMPORTS, "dt", "_each_once"), _ONCE)
    return Models(tuple(_imports(source)), source, name)


def _generated(plan: Plan, seconds: float) -> str:
    """What the library writes."""
    files = {"codegen.py": _CODEGEN.read_text(), "schema.json": json.dumps(plan.schema)}
    with sandbox(files, "generating", seconds, with_worker=False) as box:
        if box.run("codegen.py").code:
            raise BuildFailed("generating", "datamodel-code-generator could not read the schema")
        return box.read(["models.py"])["models.py"]


def _class(known: PlannedClass, types: Mapping[str, Typed], base: str) -> str:
    lines = [f"class {known.name}({base}):", f"    {docstring(known.about, 4)}", ""]
    settings = []
    if base == "BaseModel" or known.extra:
        settings.append(f'extra="{"allow" if known.extra else "forbid"}"')
    if known.examples:
        settings.append(f'json_schema_extra={{"examples": {_value(list(known.examples[:1]))}}}')
    if settings:
        lines += [f"    model_config = ConfigDict({', '.join(settings)})", ""]
    if EXTRA in types:
        lines += [f"    __pydantic_extra__: {types[EXTRA].annotation}", ""]
    lines += [f"    {_field(one, types[place])}" for place, one in known.fields.items()]
    return "\n".join(lines).rstrip() + "\n"


def _field(one: PlannedField, typed: Typed) -> str:
    """One line: `weight_kg: float = Field(gt=0, description="...")`."""
    said = list(typed.limits)
    if one.alias != one.name:
        said.append(f"alias={literal(one.alias)}")
    if description := one.schema.get("description"):
        said.append(f"description={literal(description)}")
    if examples := one.schema.get("examples"):
        said.append(f"examples={_value(examples[:1])}")
    annotation = typed.annotation
    if _is_unique(one):
        annotation = f"Annotated[{annotation}, AfterValidator(_each_once)]"
    if one.required:
        return f"{one.name}: {annotation}" + (f" = Field({', '.join(said)})" if said else "")
    return _with_default(one, annotation, said)


def _with_default(one: PlannedField, annotation: str, said: list[str]) -> str:
    default = one.schema.get("default")
    shown = _value(default)
    if default is not None and not _is_plain(one.schema):  # validated when the field is left out
        said = [f"default={shown}", "validate_default=True", *said]
        return f"{one.name}: Annotated[{annotation}, Field({', '.join(said)})]"
    if not said:
        return f"{one.name}: {annotation} = {shown}"
    first = f"default={shown}" if isinstance(default, bool) else shown
    return f"{one.name}: {annotation} = Field({', '.join((first, *said))})"


def _is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether a value of JSON is a value of its type."""
    simple = schema.get("type") in {"string", "integer", "number", "boolean"}
    return "enum" in schema or (simple and "format" not in schema)


def _is_unique(one: PlannedField) -> bool:
    return any("uniqueItems" in kind for kind in (one.schema, *one.schema.get("anyOf", ())))


def _value(value: Any) -> str:
    """A value of JSON as Python."""
    match value:
        case str():
            return literal(value)
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            pairs = (f"{literal(key)}: {_value(one)}" for key, one in value.items())
            return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _imports(source: str) -> Iterator[str]:
    """A line for each module that the source needs."""
    names = set(re.findall(r"\w+", _STRING.sub('""', source)))
    names |= {one for text in _STRING.findall(source) for one in re.findall(r"\w+", text)} & {"dt"}
    if "dt" in names:
        yield "import datetime as dt"
    for module in sorted(set(_IMPORTS.values())):
        if found := sorted(name for name in names if _IMPORTS.get(name) == module):
            yield f"from {module} import {', '.join(found)}"
