"""A filter as a tree of frozen values. Equal trees mean the same filter.

A list of values, `field=(a OR b)`, is not in here: reading one distributes field and operator.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

MOST_LEVELS = 100  # of nesting; what walks a tree calls itself once or twice a level


class Special(Enum):
    """A right side that is no text."""

    NULL = "NULL_VALUE"
    PRESENT = "*"


class CastType(Enum):
    """What cast() can make of a field."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    TIMESTAMP = "TIMESTAMP"
    DURATION = "DURATION"


@dataclass(frozen=True)
class Field:
    """A field of LogEntry by its names in JSON: ("resource", "labels", "zone")."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Cast:
    """cast(operand, TYPE) or cast(operand, TYPE, TIMEZONE("zone"))."""

    operand: "Operand"
    to: CastType
    zone: str = ""


@dataclass(frozen=True)
class Extract:
    """regexp_extract(operand, "pattern")."""

    operand: "Operand"
    pattern: str


Operand = Field | Cast | Extract


@dataclass(frozen=True)
class Comparison:
    """operand operator value; `:` with Special.PRESENT asks whether the operand is there."""

    operand: Operand
    operator: str
    value: str | Special


@dataclass(frozen=True)
class AnyField:
    """A text on its own, the global restriction: some field has it."""

    text: str


@dataclass(frozen=True)
class LogId:
    """log_id("id"), the id not URL-escaped."""

    id: str


@dataclass(frozen=True)
class Source:
    """source(projects/id)."""

    resource: str


@dataclass(frozen=True)
class TextSearch:
    """SEARCH("query") over the whole entry, or SEARCH(field, "query")."""

    field: Field | None
    query: str


@dataclass(frozen=True)
class Sample:
    """sample(field, fraction), 0 < fraction <= 1."""

    field: Field
    fraction: float


@dataclass(frozen=True)
class InNet:
    """ip_in_net(field, "subnet")."""

    field: Field
    subnet: str


@dataclass(frozen=True)
class And:
    """All of them; without any it is always true, and stands at the top only."""

    parts: tuple["Node", ...]
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max(map(depth, self.parts), default=0))


@dataclass(frozen=True)
class Or:
    """At least one of two or more."""

    parts: tuple["Node", ...]
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max(map(depth, self.parts), default=0))


@dataclass(frozen=True)
class Not:
    """Not this one."""

    part: "Node"
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + depth(self.part))


Leaf = Comparison | AnyField | LogId | Source | TextSearch | Sample | InNet
Node = And | Or | Not | Leaf


def depth(node: Node) -> int:
    """Levels of nesting in it."""
    return node.depth if isinstance(node, And | Or | Not) else 1


def all_of(parts: list[Node]) -> Node:
    """Their conjunction, flat."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, And) else (part,))]
    return flat[0] if len(flat) == 1 else And(tuple(flat))


def one_of(parts: list[Node]) -> Node:
    """Their disjunction, flat."""
    flat = [one for part in parts for one in (part.parts if isinstance(part, Or) else (part,))]
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def field_of(operand: Operand) -> Field:
    """The field that it reads."""
    while not isinstance(operand, Field):
        operand = operand.operand
    return operand


def fields_of(node: Node) -> Iterator[Field]:
    """All fields that are named in it."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from fields_of(part)
        case Not(part):
            yield from fields_of(part)
        case Comparison(operand):
            yield field_of(operand)
        case Sample(one) | InNet(one) | TextSearch(Field() as one):
            yield one
        case LogId() | Source():
            yield Field(("logName",))
