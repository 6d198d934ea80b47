"""What the engine asks of a target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from worker.builder.models import Models
from worker.builder.order import Order
from worker.builder.wanted import Wanted
from worker.explain import shorten


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a feature is written for one program.

    `base` is the class that its requirements inherit from. `scaffold` are files that the program
    has already and the sandbox lacks. `proof` is a line of Python that loads the feature as the
    program would. `completes_docs`: `python -m worker features docs` writes a part of the page.
    """

    base: str
    files: Callable[[Order, Wanted, Models], dict[str, str]]
    scaffold: Callable[[Order], Mapping[str, str]]
    integration: Callable[[Order], tuple[str, ...]]
    proof: Callable[[Order], str]
    completes_docs: bool


def wrong_cases(wanted: Wanted) -> dict[str, object]:
    """For a test's tables: the fields that cannot be left out, and what is wrong in one field.

    `named`: the reason of a refusal repeats the names of these fields as they are.
    """
    cases = wanted.invalid if wanted.kind == "model" else (("unknown_field", {"surprise": True}),)
    missing: dict[str, None] = {}
    wrong: dict[str, str] = {}  # as Python -> what is wrong with it
    for what, given in cases:
        missing |= dict.fromkeys(name for name in wanted.example if name not in given)
        changed = {name: value for name, value in given.items() if _differs(wanted, name, value)}
        if changed:
            wrong.setdefault(ascii(changed), what)
    names = {*wanted.example, *(name for _, given in cases for name in given)}
    return {
        "example": ascii(wanted.example),
        "missing": ascii(list(missing)) if missing else "",
        "wrong": wrong,
        "named": all(shorten(name) == name for name in names),
    }


def _differs(wanted: Wanted, name: str, value: object) -> bool:
    """Python takes True for 1; their texts differ."""
    return name not in wanted.example or repr(wanted.example[name]) != repr(value)


def takes_nothing(wanted: Wanted) -> bool:
    """Whether nothing is required of the requirements."""
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only where features are built

    return wanted.schema is None or bool(Draft202012Validator(wanted.schema).is_valid({}))
