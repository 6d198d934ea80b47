"""Text of the query language: in quotes, out of quotes, and with its letter case folded away."""

import functools
import re
import unicodedata

# Default_Ignorable_Code_Point of Unicode 16, DerivedCoreProperties.txt: NFKC_Casefold drops them.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_ESCAPED = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U(00[01][0-9a-fA-F]{5})|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))",
    re.DOTALL,
)
_LETTERS = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "'": "'", "`": "`", "?": "?", "\\": "\\",
}  # fmt: skip
_WRITTEN = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]')
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def fold(text: str) -> str:
    """NFKC_Casefold of Unicode: texts that differ in case or width only become the same.

    Source: Logging query language, comparison operators; Unicode 3.13, toNFKC_Casefold.
    """
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", "".join(map(_fold_character, text)))


@functools.lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    folded = unicodedata.normalize("NFKC", _IGNORABLE.sub("", character)).casefold()
    return unicodedata.normalize("NFKC", folded)


def unquote(quoted: str) -> str:
    r"""The text of a quoted string. A backslash before any other character stays: "\d" is \d."""
    text = _ESCAPED.sub(_unescape, quoted[1:-1])
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def quote(text: str) -> str:
    """The quoted string whose text this is."""
    return '"' + _UNSAFE.sub(_escape, text) + '"'


def _unescape(match: re.Match[str]) -> str:
    short, long, byte, octal, letter = match.groups()
    if letter is not None:
        return _LETTERS.get(letter, "\\" + letter)
    if octal is not None:
        return chr(int(octal, 8))
    code = int(short or long or byte, 16)
    return chr(code) if code <= 0x10FFFF else match[0]  # noqa: PLR2004 - the last of Unicode


def _escape(match: re.Match[str]) -> str:
    return _WRITTEN.get(match[0]) or f"\\u{ord(match[0]):04x}"
