"""Does a value fit a JSON Schema? Asked of jsonschema, with patterns and formats as pydantic's."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pydantic import AnyUrl, AwareDatetime, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, core_schema

from worker.builder.order import OrderRefused
from worker.explain import shorten

if TYPE_CHECKING:
    from jsonschema.validators import _Validator as Validator

EMAIL = r"^[^@\s]+@[^@\s]+$"
HOSTNAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"
_FORMATS: dict[str, Any] = {
    "uuid": UUID,
    "date": date,
    "date-time": AwareDatetime,
    "time": time,
    "duration": timedelta,
    "uri": AnyUrl,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
}
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise OrderRefused with the path of what JSON Schema 2020-12 does not allow."""
    if str(schema.get("$schema", _DRAFT)).rstrip("#") != _DRAFT:
        raise OrderRefused(f"requirements.$schema: want {_DRAFT}")
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - only who builds has it

    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    error = next(iter(meta.iter_errors(schema)), None)
    if error is not None:
        path = ".".join(["requirements", *(shorten(str(part)) for part in error.absolute_path)])
        raise OrderRefused(f"{shorten(path, 200)}: not what JSON Schema 2020-12 allows there")


def validator_of(schema: Mapping[str, Any]) -> "Validator":
    """Checks values against a schema in our own form."""
    import jsonschema  # noqa: PLC0415 - only who builds has it

    checker = jsonschema.FormatChecker(formats=())
    for name, kind in _FORMATS.items():
        checker.checks(name)(_check_of(TypeAdapter(kind)))
    checker.checks("email")(_matches(EMAIL))
    checker.checks("hostname")(_matches(HOSTNAME))
    extend: Callable[..., type[Validator]] = jsonschema.validators.extend
    ours = extend(jsonschema.Draft202012Validator, {"pattern": _pattern})
    return ours(dict(schema), format_checker=checker)


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[Any]:
    """By pydantic's engine, which needs no more than linear time; re can be made to take years."""
    from jsonschema import ValidationError as Problem  # noqa: PLC0415 - only who builds has it

    if not _matches(pattern)(value):
        yield Problem("does not match")


def _matches(pattern: str) -> Callable[[Any], bool]:
    validator = SchemaValidator(core_schema.str_schema(pattern=pattern))
    return lambda value: not isinstance(value, str) or validator.isinstance_python(value)


def _check_of(kind: TypeAdapter[Any]) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        if not isinstance(value, str):
            return True
        try:
            kind.validate_python(value)
        except ValidationError:
            return False
        return True

    return fits
