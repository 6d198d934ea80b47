"""JSON Schemas of a feature: of the whole payload, of what it requires, of what it answers."""

import typing
from collections.abc import Mapping
from types import NoneType
from typing import Any

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError

from worker.feature import Feature, HandlersInvalid
from worker.payload import FeaturePayload

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NONE: Mapping[str, Any] = {"enum": [None, "none", ""]}  # beside {}, and leaving it out
_EMPTY: Mapping[str, Any] = {"type": "object", "maxProperties": 0}


def requirements_schema(feature: Feature[Any]) -> dict[str, Any] | None:
    """Of the requirements alone, None where the feature takes none. Raises HandlersInvalid."""
    try:
        schema = feature.schema()
    except PydanticUserError as error:
        raise HandlersInvalid(_none_of(feature, "requirements", "have", error)) from None
    return None if schema is None else {"$schema": DIALECT, **schema}


def result_schema(feature: Feature[Any]) -> dict[str, Any] | None:
    """Of what the handler returns, None where it returns nothing. Raises HandlersInvalid."""
    result = typing.get_type_hints(feature.handler, include_extras=True).get("return", NoneType)
    if result is NoneType:
        return None
    try:
        schema = TypeAdapter(result).json_schema(mode="serialization", by_alias=False)
    except PydanticUserError as error:
        raise HandlersInvalid(_none_of(feature, "result", "has", error)) from None
    return {"$schema": DIALECT, **schema}


def _none_of(feature: Feature[Any], what: str, has: str, error: PydanticUserError) -> str:
    return f"the {what} of {feature.name} {has} no JSON Schema: {error.code} ({feature.place})"


def payload_schema(feature: Feature[Any], wanted: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of the whole payload: what it takes, the worker takes as well.

    `wanted` is the schema of the requirements. Formats count, as pydantic checks them.
    """
    inner = {k: v for k, v in (wanted or {}).items() if k not in ("$schema", "$defs")}
    optional = takes_nothing(feature)
    schema = {
        "$schema": DIALECT,
        "title": feature.name,
        "description": feature.summary,
        "type": "object",
        "properties": {
            "feature": {"type": "string", "const": feature.name},
            "description": {"type": "string", "default": "", "description": "what it is for"},
            "requirements": _requirements(inner, optional=optional),
        },
        "required": ["feature"] if optional else ["feature", "requirements"],
        "additionalProperties": False,
    }
    definitions = (wanted or {}).get("$defs")
    return {**schema, "$defs": definitions} if definitions else schema


def _requirements(inner: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """The schema of the requirements, with every spelling of "none" where that is enough."""
    if not optional:
        return inner
    own = [inner] if inner else []
    empty = [] if inner.get("type") != "string" and inner else [_EMPTY]
    return {"anyOf": [*own, _NONE, *empty]}


def takes_nothing(feature: Feature[Any]) -> bool:
    """Whether the feature takes a payload without requirements."""
    try:
        feature.requirements_of(FeaturePayload(feature=feature.name))
    except Exception:  # noqa: BLE001 - BadPayload, or whatever a validator of the author's raises
        return False
    return True
