"""How numbers and strings are limited more tightly than before."""

import math
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from worker.catalog.compat.finding import Finding

Plain = Mapping[str, Any]
_SIZES = {
    "string": ("Length", "characters"),
    "array": ("Items", "items"),
    "object": ("Properties", "fields"),
}


def number(old: Plain, new: Plain, kind: str) -> Iterator[Finding]:
    """Limits of numbers; `kind` is integer or number."""
    for name, sign in (("minimum", 1), ("maximum", -1)):
        before, now = _bound(old, name, sign, kind), _bound(new, name, sign, kind)
        if now is not None and (before is None or now > before):
            was = "it had no such limit" if before is None else f"was {_said(before, name, sign)}"
            yield Finding((), f"must be {_said(now, name, sign)} now ({was})")
    step = new.get("multipleOf")
    had = old.get("multipleOf", 1 if kind == "integer" else None)
    if step is not None and (had is None or _exact(had) % _exact(step)):
        yield Finding((), f"must be a multiple of {step} now")


def _bound(plain: Plain, name: str, sign: int, kind: str) -> tuple[Fraction, bool] | None:
    """The tightest limit, larger for tighter, and whether it is excluded; None without one."""
    found = []
    for keyword, excluded in ((name, False), (f"exclusive{name.capitalize()}", True)):
        if keyword in plain:
            limit = sign * _exact(plain[keyword])
            if kind == "integer":  # x > 2 is x >= 3
                whole = math.floor(limit) + 1 if excluded else math.ceil(limit)
                found.append((Fraction(whole), False))
            else:
                found.append((limit, excluded))
    return max(found, default=None)


def _said(bound: tuple[Fraction, bool], name: str, sign: int) -> str:
    limit, excluded = sign * bound[0], bound[1]
    words = {("minimum", False): "at least", ("minimum", True): "more than",
             ("maximum", False): "at most", ("maximum", True): "less than"}  # fmt: skip
    return f"{words[name, excluded]} {int(limit) if limit.denominator == 1 else float(limit)}"


def _exact(value: float) -> Fraction:
    return Fraction(str(value))


def size(old: Plain, new: Plain, kind: str) -> Iterator[Finding]:
    """How long a string or a list may be, and how many fields an object may have."""
    end, what = _SIZES[kind]
    least, was_least = new.get(f"min{end}", 0), old.get(f"min{end}", 0)
    if least > was_least:
        yield Finding((), f"must have at least {_count(least, what)} now (was {was_least})")
    most, was_most = new.get(f"max{end}"), old.get(f"max{end}")
    if most is not None and (was_most is None or most < was_most):
        was = "it had no such limit" if was_most is None else f"was {was_most}"
        yield Finding((), f"must have at most {_count(most, what)} now ({was})")


def _count(number: int, what: str) -> str:
    return f"{number} {what.removesuffix('s') if number == 1 else what}"


def string(old: Plain, new: Plain, kind: str) -> Iterator[Finding]:
    """Length, pattern and format."""
    yield from size(old, new, kind)
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        changed = "cannot compare pattern: it has changed"
        yield Finding((), changed if "pattern" in old else "must match a pattern now")
    if "format" in new and new["format"] != old.get("format"):
        was = f" (was {old['format']})" if "format" in old else ""
        yield Finding((), f"must have the format {new['format']} now{was}")


RULES: Mapping[str, Callable[[Plain, Plain, str], Iterator[Finding]]] = {
    "integer": number, "number": number, "string": string, "array": size, "object": size,
}  # fmt: skip
