"""The geometry of the drawings: stacks of bars and lines in a box that is stretched to its place.

No text and no style in them: labels are HTML around the box, colours are classes of style.css.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

WIDTH = 960.0  # units of the box; the place it is drawn in has another size
HEIGHT = 96.0
_GAP = 0.14  # of a bar's width
_LEAST = 1.5  # units: a bar of one among thousands is seen all the same
_STEPS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Bucket(Protocol):
    """A part of the time: how many of which name."""

    @property
    def start(self) -> float:
        """Seconds since the epoch."""

    @property
    def seconds(self) -> float:
        """How long it is."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each name."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One colour of a bar."""

    tone: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket: its pieces from the bottom up, and what a hover or a reader is told."""

    start: float  # seconds since the epoch
    end: float
    x: float
    width: float
    left: float  # of the whole slot, gap included
    slot: float
    pieces: tuple[Piece, ...]
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Bars:
    """A stacked bar chart; `top` is the value of its upper edge, `totals` of each name."""

    bars: tuple[Bar, ...]
    top: float
    totals: Mapping[str, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.totals.values())


def nice(value: float) -> float:
    """The next round number that is not smaller; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in _STEPS if step * power >= value * 0.999999)


def stack(buckets: Sequence[Bucket], tones: Mapping[str, str]) -> Bars:
    """Bars of the buckets: names in the order of `tones` from the bottom, unknown ones last."""
    totals: dict[str, int] = {}
    order = {name: place for place, name in enumerate(tones)}
    for name in sorted(
        {name for each in buckets for name in each.counts},
        key=lambda name: (order.get(name, len(order)), name),
    ):
        totals[name] = sum(each.counts.get(name, 0) for each in buckets)
    most = max((sum(each.counts.values()) for each in buckets), default=0)
    top = max(nice(most), 1.0)
    slot = WIDTH / max(len(buckets), 1)
    bars = tuple(
        Bar(
            start=each.start, end=each.start + each.seconds,
            x=place * slot + slot * _GAP / 2, width=slot * (1 - _GAP), left=place * slot, slot=slot,
            pieces=_pieces(each.counts, totals, tones, top), counts=each.counts,
        )
        for place, each in enumerate(buckets)
    )  # fmt: skip
    return Bars(bars, top, totals)


def _pieces(
    counts: Mapping[str, int], names: Mapping[str, int], tones: Mapping[str, str], top: float
) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    y = HEIGHT
    for name in names:
        if not counts.get(name):
            continue
        height = max(counts[name] / top * HEIGHT, _LEAST)
        y -= height
        pieces.append(Piece(tones.get(name, "grey"), max(y, 0.0), height))
    return tuple(pieces)


def line(values: Sequence[float | None], top: float) -> list[str]:
    """The `points` of polylines through the middles of the slots; a gap where a value is None."""
    slot = WIDTH / max(len(values), 1)
    parts: list[list[str]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            parts.append([])
            continue
        y = HEIGHT - min(value / top, 1.0) * HEIGHT
        parts[-1].append(f"{(place + 0.5) * slot:.1f},{y:.1f}")
    return [" ".join(_seen(points, slot)) for points in parts if points]


def _seen(points: list[str], slot: float) -> list[str]:
    """A point alone becomes a dash as wide as half its slot."""
    if len(points) > 1:
        return points
    x, y = points[0].split(",")
    return [f"{float(x) - slot / 4:.1f},{y}", f"{float(x) + slot / 4:.1f},{y}"]
