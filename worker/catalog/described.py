"""A feature, described once: what every document, page and package of the catalogue is made of."""

import inspect
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from worker.catalog.payload_schema import (
    payload_schema,
    requirements_schema,
    result_schema,
    takes_nothing,
)
from worker.example import NoExample, example_of
from worker.feature import Feature, HandlersInvalid
from worker.message import Form, Message
from worker.outcome import BadPayload
from worker.registry import Features


@dataclass(frozen=True, slots=True)
class Described:
    """What there is to say of a feature.

    `place` is the handler's module and name, `about` its whole docstring. `requirements` is None
    where it takes none, `requirements_name` its class, or "str". `examples` are whole payloads,
    at least one, all taken by the feature.
    """

    name: str
    summary: str
    about: str
    place: str
    idempotent: bool
    payload: dict[str, Any]
    requirements: dict[str, Any] | None
    requirements_name: str | None
    result: dict[str, Any] | None
    examples: tuple[dict[str, Any], ...]


def describe(feature: Feature[Any]) -> Described:
    """Describe a feature by its models. Raises HandlersInvalid: no JSON Schema, or no example."""
    requirements = requirements_schema(feature)
    return Described(
        name=feature.name,
        summary=feature.summary,
        about=inspect.getdoc(feature.handler) or "",
        place=feature.place,
        idempotent=feature.idempotent,
        payload=payload_schema(feature, requirements),
        requirements=requirements,
        requirements_name=feature.want.__name__ if feature.want else None,
        result=result_schema(feature),
        examples=tuple(_examples(feature, requirements)),
    )


def _examples(
    feature: Feature[Any], requirements: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    """Payloads with the requirements that the author gives as examples, or made up; then none."""
    given = [] if requirements is None else _given(feature, requirements)
    if takes_nothing(feature):
        given = [*(one for one in given if one not in ({}, "", "none")), "none"]
    for one in given:
        payload = {"feature": feature.name, "description": feature.summary, "requirements": one}
        _check(feature, payload)
        yield payload


def _given(feature: Feature[Any], requirements: Mapping[str, Any]) -> list[Any]:
    model: Mapping[str, Any] = requirements
    if "$ref" in model:  # a model that holds itself
        model = requirements["$defs"][model["$ref"].rpartition("/")[2]]
    if model.get("examples"):
        return list(model["examples"])
    try:
        return [example_of(requirements)]
    except NoExample as error:
        raise HandlersInvalid(_ask_for_one(feature, str(error))) from None


def _check(feature: Feature[Any], payload: Mapping[str, Any]) -> None:
    """Hand it to the feature, as a message would. Raises HandlersInvalid."""
    try:
        data = json.dumps(payload).encode()
        message = Message("example", data, {}, Form.WRAPPED)
        feature.requirements_of(Features((feature,)).read(message))
    except BadPayload as error:
        raise HandlersInvalid(_ask_for_one(feature, str(error))) from None
    except Exception as error:  # noqa: BLE001 - a validator of the author's ran, or it is no JSON
        raise HandlersInvalid(_ask_for_one(feature, type(error).__name__)) from None


def _ask_for_one(feature: Feature[Any], why: str) -> str:
    want = feature.want.__name__ if feature.want else "requirements"
    return (
        f"{feature.place}: no example of {want} is at hand ({why}): "
        "give its fields `examples=[...]`"
    )
