"""Requirements as somebody writes them -> what the feature's model has to take."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import JsonValue

from worker.builder.conformity import check_schema, validator_of
from worker.builder.faults import faults_of
from worker.builder.fieldmap import schema_of
from worker.builder.keywords import KEYWORDS
from worker.builder.limits import check_size
from worker.builder.order import OrderRefused
from worker.builder.schema import normalised
from worker.example import NoExample, example_of
from worker.explain import shorten

_UNIONS = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a feature requires, read and checked.

    `schema` is a JSON Schema of an object, of known keywords only (worker/builder/schema.py), for
    the kind model. `example` are requirements that it takes, `invalid` are some that it refuses:
    what is wrong with them, as a name for a test, and they.
    """

    kind: Literal["none", "sentence", "model"]
    sentence: str = ""
    schema: Mapping[str, Any] | None = None
    example: dict[str, Any] = field(default_factory=dict)
    invalid: tuple[tuple[str, dict[str, Any]], ...] = ()


def read_wanted(requirements: JsonValue) -> Wanted:
    """Tell the four forms apart: none, a sentence, a field map, a JSON Schema.

    None is "none", null, "" and {}; any other text is a sentence. An object is a JSON Schema when
    a name in it starts with $, when it has properties, allOf, anyOf or oneOf in the shape that
    JSON Schema gives them, or when it has the type "object" and nothing that is no keyword. All
    others are field maps.
    Raises OrderRefused: what is wrong and where, without values.
    """
    check_size(requirements)
    match requirements:
        case None:
            return Wanted("none")
        case dict() if not requirements:
            return Wanted("none")
        case str() if requirements.strip().lower() in {"", "none"}:
            return Wanted("none")
        case str():
            return Wanted("sentence", sentence=requirements)
        case dict():
            return _model(requirements)
    raise OrderRefused('requirements: want "none", a sentence, a field map or a JSON Schema')


def _model(requirements: dict[str, Any]) -> Wanted:
    if not is_schema(requirements):
        requirements = schema_of(requirements, "requirements")
    check_schema(requirements)
    schema = normalised(requirements)
    _check_defaults(schema)
    try:
        example = example_of(schema)
    except NoExample as error:
        where = ".".join(filter(None, ("requirements", shorten(error.where, 200))))
        raise OrderRefused(f"{where}: nothing fits, or it needs an example of yours") from None
    check_size(example, "requirements: the smallest example")
    for problem in validator_of(schema).iter_errors(example):
        raise OrderRefused(f"{_path(problem)}: nothing fits, or its example does not")
    return Wanted("model", schema=schema, example=example, invalid=faults_of(schema, example))


def is_schema(requirements: Mapping[str, Any]) -> bool:
    """Whether it is a JSON Schema, and no field map."""
    return (
        any(name.startswith("$") for name in requirements)
        or isinstance(requirements.get("properties"), dict)
        or any(isinstance(requirements.get(union), list) for union in _UNIONS)
        or (requirements.get("type") == "object" and requirements.keys() <= KEYWORDS)
    )


def _check_defaults(schema: Mapping[str, Any]) -> None:
    """A default that does not fit would be handed to the handler as it is."""
    validator = validator_of(schema)
    for where, one in _properties(schema):
        if "default" in one and any(validator.descend(one["default"], one)):
            raise OrderRefused(f"{where}.default: does not fit")


def _properties(schema: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, one in schema["properties"].items():
        yield f"requirements.{shorten(name)}", one
    for inner in schema.get("$defs", {}).values():
        for name, one in inner["properties"].items():
            yield f"requirements: {shorten(name)}", one


def _path(problem: Any) -> str:
    parts = (shorten(str(part)) for part in problem.absolute_path)
    return shorten(".".join(["requirements", *parts]), 200)
