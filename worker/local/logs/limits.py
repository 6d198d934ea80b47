"""What Cloud Logging does not take. Source: Cloud Logging, quotas and limits."""

from collections.abc import Mapping
from typing import Any

ENTRY_BYTES = 256 * 1024
REQUEST_BYTES = 10 * 1024 * 1024
LABELS = 64  # of one entry
LABEL_KEY_BYTES = 512
LABEL_VALUE_BYTES = 64 * 1024  # a longer one is cut
FILTER_CHARACTERS = 20_000
_LEVELS = 30  # of a payload: each is three of the hundred that protobuf parsers go down


def is_too_deep(payload: Any) -> bool:
    """Whether a value holds others on more levels than a protobuf client can read."""
    level = [payload]
    for _ in range(_LEVELS + 1):
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return False
    return True


def _inside(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []
