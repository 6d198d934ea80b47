"""Features of every kind, for the tests of what is made of them."""

from datetime import date
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from worker import Context, Requirements, feature
from worker.feature import Feature

HOSTILE = (
    "<script>window.pwned=1</script> | [x](javascript:1) `a` *b* \"'}}{{7*7}} \u202eevil\x07"
    " <!-- end --> ```"
)


class Kind(StrEnum):
    """What sort of pet."""

    CAT = "cat"
    DOG = "dog"


class Visit(BaseModel):
    """One visit to the vet."""

    day: date
    weight_kg: float | None = Field(None, gt=0, le=200, description="as it was on the scales")


class Pet(Requirements):
    """A pet and its visits."""

    pet_id: UUID
    kind: Kind = Field(description="cat or dog")
    name: str = Field(min_length=1, max_length=40, pattern="^[A-Z]")
    nick: Literal["Rex", "Mia"] | None = None
    visits: list[Visit] = Field([], max_length=3)
    marks: dict[str, int] = Field({})


class Pair(Requirements):
    """Two numbers, one of which may be left out."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"first": 3}, {"first": 5, "second": 8}]}
    )

    first: int = Field(ge=3, multiple_of=1)
    second: int | None = None


class Maybe(Requirements):
    """All may be left out."""

    nonce: str | None = Field(None, max_length=5, examples=["run-7"])
    size: int = Field(10, ge=1, le=64, description="pixels")


class Node(Requirements):
    """A tree."""

    label: str = ""
    parts: list["Node"] = Field([])


class Hostile(Requirements):
    """Names and texts that want to be obeyed."""

    it: str = Field("a", alias="\"><script>alert(1)</script> | '", description=HOSTILE)
    also: str = Field(HOSTILE, examples=[HOSTILE])


class Answer(BaseModel):
    """What comes of it."""

    status: str = "ok"
    count: int = Field(description="how many")


@feature("pet")
def pet(want: Pet, context: Context) -> Answer:
    """Keep a pet.

    With all of its visits.
    """
    return Answer(count=len(want.visits))


@feature("pair", idempotent=True)
def pair(want: Pair, context: Context) -> Answer | None:
    """Add two numbers."""
    return None


@feature("maybe")
def maybe(want: Maybe, context: Context) -> None:
    """Take what there is."""


@feature("tree")
def tree(want: Node, context: Context) -> None:
    """Grow."""


@feature("say")
def say(want: str, context: Context) -> Answer:
    """Say it."""
    return Answer(count=1)


@feature("beat")
def beat(context: Context) -> None: ...


@feature("hostile")
def hostile(want: Hostile, context: Context) -> None: ...


hostile.handler.__doc__ = f"{HOSTILE}\n\n{HOSTILE}\n"

ZOO: tuple[Feature[Any], ...] = (beat, hostile, maybe, pair, pet, say, tree)
