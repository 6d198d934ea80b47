"""The schemas of payloads as they were: from an export, its folder of schemas, or one file."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.catalog.compat.parts import CannotCompare, resolve
from worker.catalog.compat.validation import SchemasInvalid, validator_of

_WANT = "want a folder of `features export`, its schemas folder, or one of them"


@dataclass(frozen=True, slots=True)
class Old:
    """The schemas of payloads by feature, and the recorded examples beside them."""

    schemas: Mapping[str, Any]
    examples: Path | None = None


def read_old(place: Path) -> Old:
    """Raises SchemasInvalid for what is no schema of a payload."""
    if not place.is_dir():
        return Old(dict([_read(place)]))
    folder = place / "schemas" if (place / "schemas").is_dir() else place
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise SchemasInvalid(f"{folder}: no schemas there ({_WANT})")
    examples = folder.parent / "examples" if folder.name == "schemas" else None
    return Old(dict(map(_read, paths)), examples if examples and examples.is_dir() else None)


def _read(path: Path) -> tuple[str, Any]:
    """The feature that the schema is of, and the schema."""
    schema = read_json(path)
    try:
        feature = schema["properties"]["feature"]["const"]
    except (LookupError, TypeError):
        feature = None
    if not isinstance(feature, str):
        raise SchemasInvalid(f"{path}: no schema of a payload ({_WANT})")
    _check(path, schema)
    return feature, schema


def read_json(path: Path) -> Any:
    """What the file holds. Raises SchemasInvalid."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise SchemasInvalid(f"{path}: cannot be read: {error.strerror} ({_WANT})") from None
    except (ValueError, RecursionError):
        raise SchemasInvalid(f"{path}: not JSON") from None


def _check(path: Path, schema: Any) -> None:
    """It is a JSON Schema, and nothing of it is anywhere else."""
    validator = validator_of(schema)
    try:
        problem = next(validator.__class__(validator.META_SCHEMA).iter_errors(schema), None)
        references = list(_references(schema))
    except RecursionError:
        raise SchemasInvalid(f"{path}: nested too deeply") from None
    if problem is not None:
        where = ".".join(map(str, problem.absolute_path))
        raise SchemasInvalid(f"{path}: no JSON Schema of 2020-12{f', at {where}' if where else ''}")
    try:
        for reference in references:
            resolve(reference, schema)
    except CannotCompare:
        raise SchemasInvalid(f"{path}: a $ref leads nowhere within the file") from None


def _references(schema: Any) -> Iterator[str]:
    """Every $ref. A field of that name has a schema for its value, which is no text."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from _references(value)
    if isinstance(schema, list):
        for value in schema:
            yield from _references(value)
