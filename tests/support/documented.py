"""Features of every kind that a document has to describe; their handlers do nothing."""

import copy
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from worker import Context, Requirements, feature
from worker.feature import Feature

HOSTILE = (
    "\"quotes\" 'single' <script>alert(1)</script> {{x}} ${y} `z` [a](javascript:b)\n\u202e# {%"
)


class Colour(StrEnum):
    RED = "red"
    ODD = 'it\'s "odd" \u202e </script>'


class Level(Enum):
    LOW = 1
    HIGH = 2


class Inner(BaseModel):
    """A <b>model</b> in a model, with a field named like a keyword."""

    count: int = Field(ge=1, multiple_of=2, examples=[4])
    ref: str = Field("#/$defs/Inner", description="looks like a reference")


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    barks: bool


class Node(BaseModel):
    name: str
    children: list["Node"] = []


class Tree(Requirements):
    """Holds itself."""

    name: str
    parts: tuple["Tree", ...] = ()


TYPES: Mapping[str, Any] = {
    "string": str,
    "short": Annotated[str, Field(min_length=1, max_length=5, description=HOSTILE)],
    "pattern": Annotated[str, Field(pattern=r"^[a-z\-]+$", examples=["a-b"])],
    "other_regex": Annotated[str, Field(pattern=r"(?i)^(?P<x>a)\z", examples=["A"])],
    "number": Annotated[float, Field(gt=0, le=9.5)],
    "whole": Annotated[int, Field(ge=-3, lt=10)],
    "exact": Decimal,
    "flag": bool,
    "uuid": UUID,
    "moment": datetime,
    "day": date,
    "address": IPv4Address,
    "bytes": bytes,
    "colour": Colour,
    "level": Level,
    "literal": Literal["a", 1, True],
    "inner": Inner,
    "inner_with_text": Annotated[Inner, Field(description="beside the reference")],
    "pet": Annotated[Cat | Dog, Field(discriminator="kind")],
    "node": Node,
    "pair": tuple[int, Inner],
    "more": tuple[int, ...],
    "empty": tuple[()],
    "list": Annotated[list[Inner], Field(min_length=1)],
    "set": set[int],
    "map": dict[str, Inner],
    "either": int | str | None,
    "anything": Any,
}


def taking(name: str, fields: Mapping[str, Any]) -> Feature[Any]:
    """A feature whose requirements have these fields."""
    want = create_model("Want", __base__=Requirements, __doc__=HOSTILE, **fields)

    def handle(want: Any, context: Context) -> Inner | None: ...

    handle.__doc__ = HOSTILE
    handle.__annotations__["want"] = want
    made: Feature[Any] = feature(name, idempotent=True)(handle)
    return made


@feature("takes_tree")
def takes_tree(want: Tree, context: Context) -> Node:
    """Take what holds itself."""
    return Node(name=want.name)


@feature("takes_text")
def takes_text(want: str, context: Context) -> None:
    """Take a sentence."""


@feature("takes_none")
def takes_none(context: Context) -> None: ...


def of_every_kind() -> list[Feature[Any]]:
    """One for each type of field, and the other kinds of requirements."""
    one_each = [taking(f"takes_{name}", {name: (type_, ...)}) for name, type_ in TYPES.items()]
    return [*one_each, takes_tree, takes_text, takes_none]


_fields = st.dictionaries(
    st.sampled_from(["name", "items", "properties", "ref", "const", "default", "examples"]),
    st.sampled_from(sorted(TYPES)).map(lambda name: (TYPES[name], ...)),
    max_size=4,
)
_features = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True), _fields, max_size=3
)
feature_sets = _features.map(lambda found: [taking(*one) for one in found.items()])


def altered(payload: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """The payload with something else in one of its places, or without that place."""
    copied = copy.deepcopy(payload)
    holder, key = draw(st.sampled_from(list(_places(copied))))
    if draw(st.booleans()):
        holder[key] = draw(st.sampled_from([None, "", "a", 0, 7, 1.5, True, [], [1], {}, {"a": 1}]))
    else:
        del holder[key]
    return copied


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def resolve_all(document: Mapping[str, Any]) -> None:
    """Follow every reference in the document. Raises KeyError for one that leads nowhere."""
    for one in _references(document):
        place: Any = document
        for part in one.removeprefix("#/").split("/"):
            place = place[part.replace("~1", "/").replace("~0", "~")]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        if isinstance(choice := value.get("discriminator"), dict) and "mapping" in choice:
            yield from choice["mapping"].values()
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from _references(child)
