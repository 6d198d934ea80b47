"""The data of a message for people: JSON as a tree, text as it is, anything else as a hex dump."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

_DUMPED = 4096  # bytes of a hex dump
_WIDTH = 16  # bytes of one of its lines
_TEXT = 64 * 1024  # characters shown
_SHOWN_APART = frozenset({"feature", "description"})
_FEW_CONTROLS = 8  # one control character in so many: it is no text


@dataclass(frozen=True, slots=True)
class Payload:
    """How to show some bytes. `value` is the JSON value, `text` the pretty text or the dump."""

    kind: Literal["JSON", "text", "binary", "empty"]
    text: str
    value: Any = None

    @property
    def feature(self) -> str:
        """What the payload calls its feature; "" if it does not say."""
        name = self.value.get("feature") if isinstance(self.value, Mapping) else None
        return name if isinstance(name, str) else ""


def read(data: bytes) -> Payload:
    """Any bytes."""
    if not data:
        return Payload("empty", "")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Payload("binary", dump(data))
    value, found = _parsed(text)
    if found:
        return Payload("JSON", _pretty(value) or text[:_TEXT], value)
    controls = sum(character < " " and character not in "\t\n\r" for character in text)
    if controls * _FEW_CONTROLS > len(text):
        return Payload("binary", dump(data))
    return Payload("text", text[:_TEXT])


def preview(seen: Payload, most: int = 160) -> str:
    """One line of it; its description and what it asks for, where it is one for a feature."""
    if not seen.feature:
        return " ".join(seen.text[: most * 2].split())[:most]
    description = seen.value.get("description")
    words = [description] if isinstance(description, str) else []
    rest = {key: value for key, value in seen.value.items() if key not in _SHOWN_APART}
    if rest.keys() == {"requirements"}:
        rest = rest["requirements"]
    try:
        words += [json.dumps(rest, ensure_ascii=False)] if rest else []
    except (ValueError, RecursionError):
        words.append("…")
    return " ".join(" · ".join(words).split())[:most]


def dump(data: bytes) -> str:
    """Offsets, hex digits and ASCII, as `hexdump -C` prints them; the first bytes only."""
    shown = data[:_DUMPED]
    lines = [_line(shown, at) for at in range(0, len(shown), _WIDTH)]
    if len(data) > len(shown):
        lines.append(f"… {len(data) - len(shown)} bytes more")
    return "\n".join(lines)


def _line(data: bytes, at: int) -> str:
    part = data[at : at + _WIDTH]
    text = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in part)  # noqa: PLR2004 - printable ASCII
    return f"{at:08x}  {part.hex(' '):<{_WIDTH * 3}} |{text}|"


def _parsed(text: str) -> tuple[Any, bool]:
    try:
        return json.loads(text), True
    except (ValueError, RecursionError):
        return None, False


def _pretty(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)[:_TEXT]
    except (ValueError, RecursionError):
        return ""
