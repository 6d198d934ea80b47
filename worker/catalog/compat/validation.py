"""Whether a value fits a schema, by jsonschema: a tool of building, not of the lean image."""

import re
from typing import Any

MISSING = "jsonschema is not installed (pip install -r requirements-build.txt)"


class SchemasInvalid(Exception):
    """What is to be compared cannot be read. One line: which file, why."""


def validator_of(document: Any) -> Any:
    """A validator of the document; formats count, as pydantic checks them. Raises SchemasInvalid.

    A pattern that Python's own regular expressions cannot read fits everything.
    """
    try:
        from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - see above
        from jsonschema.validators import extend  # noqa: PLC0415
    except ImportError:
        raise SchemasInvalid(MISSING) from None

    own = Draft202012Validator.VALIDATORS["pattern"]

    def pattern(validator: Any, wanted: str, value: Any, schema: Any) -> Any:
        try:
            re.compile(wanted)
        except re.error:
            return ()
        return own(validator, wanted, value, schema)

    tolerant = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    return tolerant(document, format_checker=FormatChecker())
