"""Text for people and their shells: nothing in it moves a cursor, and a copied command runs."""

import shlex


def printable(text: str) -> str:
    """The text on one line: what a terminal would act on is written as a Python escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def quote(text: str) -> str:
    """One word for bash, zsh and ksh, safe to show: `$'...'` where it holds control characters."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(_octal(c) for c in text)}'"


def _octal(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
