"""Faults on purpose, to see how a handler takes them: every one may happen in production."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

MOST_DELAY_SECONDS = 600.0
MOST_BURST = 100  # what is under way at once, at most

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ms|s)?", re.ASCII)
_SWITCHES = {"on": True, "true": True, "off": False, "false": False}


class BadFault(ValueError):
    """A setting that is none. One line: which, and what it wants."""


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """What is done to pushes. The default does nothing. Raises BadFault for what cannot be."""

    duplicate: float = 0.0  # 0..1: how likely a message is delivered once more although acked
    reorder: bool = False  # of what waits, any goes next; within an ordering key the order stays
    delay_seconds: float = 0.0  # of the machine's time, before each push
    drop_answer: float = 0.0  # 0..1: how likely an ack is thrown away, and the message retried
    burst: int = 0  # messages held back until so many wait, then pushed at once; 0: none
    paused: bool = False

    def __post_init__(self) -> None:
        """Raise BadFault for the first that is wrong."""
        for name in ("duplicate", "drop_answer"):
            _check(name, _is_number(getattr(self, name), 1.0), "a probability from 0 to 1")
        delay_fits = _is_number(self.delay_seconds, MOST_DELAY_SECONDS)
        _check("delay_seconds", delay_fits, f"seconds from 0 to {MOST_DELAY_SECONDS:g}")
        burst_fits = _is_number(self.burst, MOST_BURST) and isinstance(self.burst, int)
        _check("burst", burst_fits, f"a whole number from 0 to {MOST_BURST}")
        for name in ("reorder", "paused"):
            _check(name, isinstance(getattr(self, name), bool), "true or false")


NAMES = tuple(field.name for field in fields(FaultSettings))


def changed(settings: FaultSettings, wanted: Mapping[str, Any]) -> FaultSettings:
    """The settings with some of them replaced, by name. Raises BadFault."""
    for name in wanted:
        _check_name(name)
    return replace(settings, **wanted)


def parse_fault(text: str) -> tuple[str, Any]:
    """NAME=VALUE, as people write it ("delay=500ms", "paused=on"): a name and a value.

    Raises BadFault for what has not that form; whether the value fits is left to `changed`.
    """
    name, equals, value = text.strip().partition("=")
    name = name.strip().lower().replace("-", "_")
    name = "delay_seconds" if name == "delay" else name
    if not equals:
        raise BadFault("a fault is written NAME=VALUE, such as duplicate=0.2 or paused=on")
    _check_name(name)
    return name, _value(name, value.strip().lower())


class Faults:
    """The settings in force. Safe to share."""

    def __init__(self) -> None:
        self._settings = FaultSettings()
        self._watchers: list[Callable[[], None]] = []

    def get(self) -> FaultSettings:
        """What is in force now."""
        return self._settings

    def set(self, settings: FaultSettings) -> None:
        """From the next push on."""
        self._settings = settings
        for watcher in self._watchers:
            watcher()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call it after each change."""
        self._watchers.append(watcher)


def _value(name: str, text: str) -> Any:
    if name in ("reorder", "paused"):
        return _SWITCHES.get(text, text)
    match = _DURATION.fullmatch(text)
    if match is None or (match[2] and name != "delay_seconds"):
        return text
    if name == "burst":
        return int(match[1]) if match[1].isdigit() else text
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def _check_name(name: str) -> None:
    if name not in NAMES:
        raise BadFault(f"there is no such fault: want one of {', '.join(NAMES)}")


def _check(name: str, fits: bool, wants: str) -> None:  # noqa: FBT001 - a private helper
    if not fits:
        raise BadFault(f"{name} wants {wants}")


def _is_number(value: Any, most: float) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and bool(0 <= value <= most)  # not true of NaN
