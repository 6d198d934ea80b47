"""Values -> text for documents: what cannot be seen, or turns the reading direction, is shown."""

import json
import re
from typing import Any

# Control characters but tab and newline, what has no width, overrides of the writing direction,
# separators that some readers take for a new line, lone surrogates.
# Sources: Unicode TR9 (explicit directional formatting), "Trojan Source" (CVE-2021-42574).
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BMP = 0x10000  # code points below it are one escape in JSON, the others two


def visible(text: str) -> str:
    """The same text; what cannot be seen is a JSON escape."""
    return _HIDDEN.sub(_escaped, text)


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """JSON that people can read; in one line and without blanks where `indent` is None."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False)
    return _HIDDEN.sub(_escaped, text)  # they can only be inside strings, where escapes mean them


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < _BMP:
        return f"\\u{code:04x}"
    high, low = divmod(code - _BMP, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
