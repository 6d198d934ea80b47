"""A value that a JSON Schema takes: what its author gives as an example, else made up."""

from collections.abc import Mapping
from typing import Any

from worker.example.made import Maker, NoExample
from worker.example.parts import Schema

__all__ = ["NoExample", "example_of"]


def example_of(schema: Schema, *, root: Mapping[str, Any] | None = None) -> Any:
    """An example: the first of its examples, its default, its const, the first of its enum.

    Without any of these it is made up, the same in each run. A property that may be left out is
    there when it has an example or a default. `root` is the document that its $ref point into,
    if that is not the schema itself.

    Raises NoExample, with the place, when none can be found: nothing fits, or it is too large.
    """
    if root is None:
        root = schema if isinstance(schema, Mapping) else {}
    try:
        return Maker(root).make(schema, "", ("#",) if root is schema else ())
    except RecursionError:
        raise NoExample("") from None
