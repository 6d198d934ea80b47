"""What stands in a form's controls -> the JSON value that it makes, and back."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.local.page.formfield import MISSING, Field

USE = "use:"  # before a group's name: the switch that says whether the group is there at all
_WHOLE = re.compile(r"[+-]?[0-9]{1,1000}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ON = "on"  # what a browser sends of a checked box


@dataclass(slots=True)
class Made:
    """`value` is MISSING when the form says nothing; `problems` are by the name of their field."""

    value: Any = MISSING
    problems: dict[str, str] = field(default_factory=dict)


def value_of(root: Field, values: Mapping[str, str]) -> Made:
    """The value that the controls make.

    A text that is no number is handed on as it is, for the worker's models to refuse.
    """
    made = Made()
    made.value = _value(root, values, made.problems)
    return made


def values_of(root: Field, value: Any = MISSING) -> dict[str, str]:
    """What stands in the controls for a value; without one, the defaults."""
    return dict(_written(root, root.default if value is MISSING else value))


def _value(one: Field, values: Mapping[str, str], problems: dict[str, str]) -> Any:
    text = values.get(one.name, "").replace("\r\n", "\n")  # as browsers send the lines of a text
    match one.kind:
        case "group":
            return _group_value(one, values, problems)
        case "fixed":
            return one.schema["const"]
        case "check":
            return text == _ON
    return _typed(one, text, problems) if text else _empty(one)


def _typed(one: Field, text: str, problems: dict[str, str]) -> Any:
    if one.kind == "lines":
        return [_scalar(one.item, line) for line in text.split("\n") if line.strip()]
    if one.kind in ("json", "choice"):
        return _json(one, text, problems)
    return _scalar(one.kind, text)


def _group_value(one: Field, values: Mapping[str, str], problems: dict[str, str]) -> Any:
    if one.switched and values.get(USE + one.name) != _ON:
        return _empty(one)
    inner = {part.path[-1]: _value(part, values, problems) for part in one.fields}
    return {name: value for name, value in inner.items() if value is not MISSING}


def _empty(one: Field) -> Any:
    if one.nullable and (one.required or one.default not in (MISSING, None)):
        return None  # to say nothing would be an error, or the default
    if one.kind == "lines" and one.keeps_empty:
        return []
    if one.kind in ("text", "area") and one.keeps_empty and not one.never_empty:
        return ""
    return MISSING


def _json(one: Field, text: str, problems: dict[str, str]) -> Any:
    try:
        value = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False)  # 1e999 is read as infinity
    except json.JSONDecodeError as error:
        problems[one.name] = (
            f"this is no JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        )
    except (ValueError, RecursionError):
        problems[one.name] = "this is no JSON: a number is none, or it is nested too deeply"
    else:
        return value
    return MISSING


def _refuse(name: str) -> None:
    raise ValueError(name)


def _scalar(kind: str, text: str) -> Any:
    """Text as the type that the schema names, where it can be read as one."""
    plain = text.strip()
    if kind in ("whole", "number") and _WHOLE.fullmatch(plain):
        return int(plain)
    if kind == "number" and _NUMBER.fullmatch(plain):
        number = float(plain)
        return number if abs(number) != float("inf") else text
    if kind == "check":
        return {"yes": True, "true": True, "no": False, "false": False}.get(plain.lower(), text)
    return text


def _written(one: Field, value: Any) -> Iterable[tuple[str, str]]:
    if one.kind == "group":
        yield from _group_written(one, value)
    elif value is MISSING or (value is None and one.nullable):
        return
    elif one.kind == "check":
        yield one.name, _ON if value is True else ""
    elif one.kind == "lines" and isinstance(value, list):
        yield one.name, "\n".join(_shown(item) for item in value)
    elif one.kind == "json":
        yield one.name, json.dumps(value, indent=2, ensure_ascii=False)
    elif one.kind == "choice":
        yield one.name, json.dumps(value)
    else:
        yield one.name, _shown(value)


def _group_written(one: Field, value: Any) -> Iterable[tuple[str, str]]:
    there = value if isinstance(value, dict) else {}
    if one.switched and isinstance(value, dict):
        yield USE + one.name, _ON
    for part in one.fields:
        given = there.get(part.path[-1], MISSING)
        yield from _written(part, part.default if given is MISSING else given)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
