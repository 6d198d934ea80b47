"""What people wrote about a feature, as a title, a summary and paragraphs."""

import re
import textwrap

from worker.builder.order import Order
from worker.builder.text import markdown
from worker.builder.wanted import Wanted

_PAGE_WIDTH = 120
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"\n\s*\n")


def title(feature: str) -> str:
    """vet_visit -> Vet Visit."""
    return " ".join(word.capitalize() for word in words(feature).split())


def words(feature: str) -> str:
    """vet_visit -> vet visit."""
    return " ".join(feature.split("_"))


def dashes(feature: str) -> str:
    """vet_visit -> vet-visit."""
    return feature.replace("_", "-")


def whole(text: str) -> str:
    """Half a surrogate pair has no place in UTF-8: U+FFFD stands there instead."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def paragraphs(order: Order, wanted: Wanted) -> list[str]:
    """The description, then the requirements where they are a sentence; something at least."""
    found = [
        one.strip()
        for text in (order.description, wanted.sentence)
        for one in _BLANK.split("\n".join(whole(text).splitlines()))
        if one.strip()
    ]
    return found or [f"Handle {words(order.feature)}."]


def summary(order: Order, wanted: Wanted) -> str:
    """The first line of it all."""
    return paragraphs(order, wanted)[0].splitlines()[0]


def prose(order: Order, wanted: Wanted) -> list[str]:
    """The paragraphs as Markdown in which nothing takes effect, wrapped."""
    return [
        textwrap.fill(markdown(one), _PAGE_WIDTH, break_long_words=False, break_on_hyphens=False)
        for one in paragraphs(order, wanted)
    ]
