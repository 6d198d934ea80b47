"""Plots show what they are given."""

import re
from xml.etree import ElementTree as ET

from tests.benchmarks.contestants import Kind
from tests.benchmarks.plots import Bar, Line, bars, lines

ROWS = [Bar("<ours>", Kind.OURS, 50.0, "50 & more"), Bar("peer", Kind.PEER, 100.0, "100")]


def places(svg: str, kind: str, name: str) -> list[float]:
    """That attribute of every element of that class."""
    return [
        float(element.attrib[name])
        for element in ET.fromstring(svg).iter()  # noqa: S314 - drawn just now
        if kind in element.attrib.get("class", "").split() and name in element.attrib
    ]


def test_a_bar_is_as_long_as_its_value() -> None:
    svg = bars("A title", "About it", ROWS)
    assert places(svg, "peer", "width") == [2 * width for width in places(svg, "ours", "width")]


def test_what_is_written_is_escaped() -> None:
    svg = bars("A & B", "About it", ROWS)
    texts = list(ET.fromstring(svg).itertext())  # noqa: S314 - drawn just now
    assert {"A & B", "<ours>", "50 & more"} <= set(texts)


def test_a_line_ends_at_its_last_point_and_labels_do_not_meet() -> None:
    drawn = [Line("one", [(1, 1.0), (2, 1.2)]), Line("two", [(1, 1.0), (2, 1.2)])]
    svg = lines("A title", "About it", drawn, "pushes")
    (path, _) = re.findall(r'points="([^"]+)"', svg)
    end = tuple(map(float, path.split()[-1].split(",")))
    assert end == (*places(svg, "dot-1", "cx"), *places(svg, "dot-1", "cy"))
    labels = sorted(places(svg, "strong", "y"))
    assert labels[1] - labels[0] >= 20
