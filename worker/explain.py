"""A pydantic error as one sentence that names fields and never repeats their values."""

from collections.abc import Iterable

from pydantic import ValidationError

_SHOWN = 5  # problems named in one sentence; more would drown the first
_NAME_LIMIT = 60  # characters of a field name: a payload may use megabytes as a key

# pydantic's own sentences for these repeat (a part of) the value.
_WITHOUT_VALUE = {
    "union_tag_invalid": "the tag is none of the expected ones",
    "uuid_parsing": "should be a UUID",
    "extra_forbidden": "unknown field",
    "missing": "missing",
}


def explain(error: ValidationError, where: str = "") -> str:
    """Say what is wrong and where: `requirements.width: missing; nme: unknown field`."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    named = [_sentence(where, p["loc"], p["type"], p["msg"]) for p in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        named.append(f"and {len(problems) - _SHOWN} more")
    return "; ".join(named)


def _sentence(where: str, location: Iterable[int | str], kind: str, message: str) -> str:
    path = ".".join(shorten(str(part)) for part in ([where] if where else []) + list(location))
    said = _WITHOUT_VALUE.get(kind, message)
    return f"{path}: {said}" if path else said


def shorten(name: str, limit: int = _NAME_LIMIT) -> str:
    """Cut a name that somebody else chose, and drop what could break a line or a terminal."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name[:limit])
    return clean + "…" if len(name) > limit else clean
