"""How things look: the tone of an outcome or a severity, the icons, a JSON value as a tree."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from worker.local.page.text import cut, visible

NAVIGATION = (
    ("/", "send", "Deliveries"),
    ("/logs", "list", "Logs"),
    ("/publish", "plus", "Publish"),
    ("/quarantine", "shield", "Quarantine"),
    ("/features", "box", "Features"),
)

# Outcomes of the worker (worker/outcome.py), and what a push ends as when no worker answers.
OUTCOME_TONES: Mapping[str, str] = {
    "done": "green",
    "duplicate": "teal",
    "rejected": "amber",
    "retry": "violet",
    "busy": "violet",
    "draining": "violet",
    "overloaded": "violet",
    "timed_out": "red",
    "crashed": "red",
    "refused": "red",
    "unreachable": "red",
    "deadline": "red",
    "nack": "red",
    "dropped": "amber",
    "pending": "blue",
    "ack": "green",
}
SEVERITY_TONES: Mapping[str, str] = {
    "DEFAULT": "grey",
    "DEBUG": "grey",
    "INFO": "blue",
    "NOTICE": "teal",
    "WARNING": "amber",
    "ERROR": "red",
    "CRITICAL": "red",
    "ALERT": "red",
    "EMERGENCY": "red",
}

_MOST_NODES = 2000  # of one tree; a browser draws as many at once
_MOST_TEXT = 16 * 1024  # characters of one string
_OPEN_LEVELS = 3  # what is deeper begins closed
_MOST_LEVELS = 40


def outcome_tone(name: str) -> str:
    """The tone of a badge; grey for what nobody knows."""
    return OUTCOME_TONES.get(name, "grey")


def severity_tone(name: str) -> str:
    """The tone of a badge; grey for what nobody knows."""
    return SEVERITY_TONES.get(name, "grey")


def json_tree(value: Any) -> Markup:
    """A JSON value as nested lists that open and close. Large ones are cut, and say so."""
    return Markup("").join(_Tree().draw(value, 0))


_NOTHING = Markup("")
_HEAD = Markup('<details{}><summary>{}{} <span class="count">{} {} {}</span></summary><ul>')


class _Kind(NamedTuple):
    begin: str
    end: str
    unit: str

    def head(self, name: Markup, count: int, *, is_open: bool) -> Markup:
        state = Markup(" open") if is_open else ""
        unit = self.unit if count == 1 else f"{self.unit}s"
        return _HEAD.format(state, name, self.begin, count, unit, self.end)


_OBJECT = _Kind("{", "}", "field")
_ARRAY = _Kind("[", "]", "item")


class _Tree:
    def __init__(self) -> None:
        self._left = _MOST_NODES

    def draw(self, value: Any, level: int, name: Markup = _NOTHING) -> Iterator[Markup]:
        self._left -= 1
        pairs = _pairs(value)
        if pairs is None:
            yield name + _scalar(value)
        elif not value:
            yield name + Markup("{}" if isinstance(value, Mapping) else "[]")  # noqa: S704 - constants
        elif level >= _MOST_LEVELS:
            yield name + Markup('<span class="muted">… too deep to show</span>')
        else:
            kind = _OBJECT if isinstance(value, Mapping) else _ARRAY
            yield kind.head(name, len(value), is_open=level < _OPEN_LEVELS)
            yield from self._items(list(pairs), level)
            yield Markup("</ul>{}</details>").format(kind.end)

    def _items(self, pairs: list[tuple[str, Any]], level: int) -> Iterator[Markup]:
        for shown, (key, each) in enumerate(pairs):
            if self._left <= 0:
                yield Markup('<li class="muted">… {} more</li>').format(len(pairs) - shown)
                return
            yield Markup("<li>")
            yield from self.draw(each, level + 1, _key(key))
            yield Markup("</li>")


def _pairs(value: Any) -> Iterable[tuple[str, Any]] | None:
    if isinstance(value, Mapping):
        return ((str(key), each) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return (("", each) for each in value)
    return None


def _key(name: str) -> Markup:
    shown = visible(cut(name, _MOST_TEXT))
    return Markup('<span class="key">{}</span>: ').format(shown) if name else Markup("")


def _scalar(value: Any) -> Markup:
    if isinstance(value, str):
        text = visible(cut(value, _MOST_TEXT))
        return Markup('<bdi class="string">"{}"</bdi>').format(text)
    if value is None or isinstance(value, bool):
        word = {None: "null", True: "true", False: "false"}[value]
        return Markup('<span class="word">{}</span>').format(word)
    return Markup('<span class="number">{}</span>').format(escape(_number(value)))


def _number(value: Any) -> str:
    try:
        return cut(str(value), _MOST_TEXT)
    except ValueError:  # an integer of more digits than Python converts
        return "a number of very many digits"
