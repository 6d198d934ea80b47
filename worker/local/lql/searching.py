"""SEARCH: whole tokens in any letter case, and phrases in backticks.

Source: Logging query language, SEARCH function; BigQuery, text analysis, LOG_ANALYZER.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from worker.local.lql.text import fold

_SIGNS = "[\\]\\[<>(){}|!;,'\"*&?+/:=@.\\-$%\\\\_\\s]"
# URL-escaped forms of delimiters are delimiters as well; text is folded before, so a-f are small.
_ESCAPES = "%(?:2526|2520|21|26|3b|7c|20|2b|3d|5d|5b|3a|0a|2c|28|29)"
_DELIMITER = re.compile(f"{_ESCAPES}|{_SIGNS}")


class SearchError(ValueError):
    """The query of a SEARCH has nothing to look for; str() says why."""


@dataclass(frozen=True)
class Terms:
    """What a SEARCH looks for, folded: tokens, and phrases that were in backticks."""

    tokens: frozenset[str]
    phrases: tuple[str, ...]

    def found_in(self, texts: Iterable[str]) -> bool:
        """Whether each of them is in one of the texts, which may be another for each."""
        tokens = set(self.tokens)
        phrases = set(self.phrases)
        for text in texts:
            folded = fold(text)
            if any(token in folded for token in tokens):  # so that few texts have to be divided
                tokens.difference_update(split(folded))
            phrases -= {phrase for phrase in phrases if _has_phrase(folded, phrase)}
            if not tokens and not phrases:
                return True
        return False


def read_query(query: str) -> Terms:
    """The terms of a query. Raises SearchError."""
    *pieces, last = re.split(r"`([^`]*)`", query)
    if "`" in last or any("`" in piece for piece in pieces[::2]):
        raise SearchError("a backtick is not closed by another one")
    phrases = [fold(phrase) for phrase in pieces[1::2]]
    tokens = {token for piece in (*pieces[::2], last) for token in split(fold(piece))}
    if not tokens and not any(phrases):
        raise SearchError("want a word in it")
    return Terms(frozenset(tokens), tuple(phrase for phrase in phrases if phrase))


def split(folded: str) -> set[str]:
    """The tokens of a folded text."""
    return set(_DELIMITER.split(folded)) - {""}


def _has_phrase(folded: str, phrase: str) -> bool:
    """Whether the phrase is in the text as whole tokens."""
    if phrase not in folded:
        return False
    pattern = f"(?:^|{_ESCAPES}|{_SIGNS}){re.escape(phrase)}(?=$|{_SIGNS})"
    return re.search(pattern, folded) is not None
