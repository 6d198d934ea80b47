"""What to write instead, for text that the grammar does not take."""

from typing import TYPE_CHECKING

from worker.local.lql.errors import Problem, shown

if TYPE_CHECKING:
    from lark import UnexpectedInput

_QUOTE = "put the whole text in double quotes"
_CHARACTERS = {
    '"': "the text is not closed by another double quote",
    "'": "text is put in double quotes",
    "&": "want AND",
    "|": "want OR",
    "!": "want NOT, or != or !~ between a field and a value",
    "*": "there are no wildcards: use : for a part of the text, =~ for a pattern",
    "~": "want =~ or !~",
    ",": 'several values are written field=("a" OR "b")',
    "=": 'want a field before it, and one operator: "=", not "=="',
    "(": "want AND, OR or an operator before it",
    ")": 'there is no "(" for it',
}
_OPERATORS = ("=", "~", ":", "<", ">")
_WORDS = ("AND", "OR", "NOT", "-")


def explain(error: "UnexpectedInput", text: str) -> Problem:
    """The problem at the place where the parser stopped."""
    position = error.pos_in_stream
    if position is None or position < 0:  # the end has no place of its own
        position = len(text)
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return Problem("unexpected end", _missing(text.rstrip()), len(text))
    rest = text[position:]
    word = str(token) if token else rest[:1]
    return Problem(f"unexpected {_named(word)}", _hint(word, text[:position].rstrip()), position)


def _named(word: str) -> str:
    return "double quote" if word == '"' else shown(word)


def _hint(word: str, before: str) -> str:
    """What to write, given the word that cannot stand here and all before it."""
    after_operator = before.endswith(_OPERATORS)
    if word == ")" and (after_operator or before.endswith(("(", *_WORDS))):
        return _missing(before)
    if word in {"AND", "OR"}:
        return f'want a comparison on both sides; the text is written "{word}" in double quotes'
    if word == "NOT" or (word == "-" and after_operator):
        return "NOT and - stand before a comparison; text that begins with - is put in quotes"
    if word in {"=", ":", "<", ">", "=~", "!~", "!=", "<=", ">="}:
        return _operator_hint(word, before, after_operator=after_operator)
    return _CHARACTERS.get(word, _QUOTE)


def _operator_hint(word: str, before: str, *, after_operator: bool) -> str:
    if word.startswith("=") and before.endswith("="):
        return 'equality is "=", not "=="'
    if after_operator:
        return "want a value"
    if not before or before.endswith(("(", *_WORDS)):
        return "want a field before it"
    return "put a value that has it in double quotes"


def _missing(before: str) -> str:
    """What has to come after all that is there."""
    if before.endswith(_OPERATORS):
        return "want a value"
    if before.endswith(_WORDS):
        return "want a comparison"
    if before.endswith(("(", ",")):
        return "want a value or a comparison"
    return 'want ")"'
