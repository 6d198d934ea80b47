"""Plots as SVG by hand: bars and lines, readable on a light and on a dark page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tests.benchmarks.contestants import Kind

WIDTH = 760
_BARS_FROM, _BARS_WIDTH = 345, 265  # px
_TOP, _ROW, _BAR = 74, 30, 18  # px

# The background is drawn too: the page's may be the other one than the browser's scheme says.
_STYLE = """
.back{fill:#ffffff;stroke:#d1d9e0}.text{fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#d1d9e0}
.ours{fill:#0969da}.peer{fill:#9aa4af}.floor{fill:#d1d9e0}
.line-1{stroke:#0969da}.line-2{stroke:#bc4c00}.dot-1{fill:#0969da}.dot-2{fill:#bc4c00}
@media (prefers-color-scheme:dark){
.back{fill:#0d1117;stroke:#3d444d}.text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#3d444d}
.ours{fill:#4493f8}.peer{fill:#656c76}.floor{fill:#3d444d}
.line-1{stroke:#4493f8}.line-2{stroke:#f0883e}.dot-1{fill:#4493f8}.dot-2{fill:#f0883e}}
polyline{fill:none;stroke-width:2.5}
text{font:14px system-ui,-apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif}
.title{font-size:17px;font-weight:600}.strong{font-weight:600}
"""


@dataclass(frozen=True)
class Bar:
    """One row: whose it is, how long, and what is written behind it."""

    label: str
    kind: Kind
    value: float
    text: str


@dataclass(frozen=True)
class Line:
    """(x, y) from left to right."""

    label: str
    points: Sequence[tuple[float, float]]


def bars(title: str, about: str, rows: Sequence[Bar]) -> str:
    """A horizontal bar for each row; the worker's in colour, the floor's pale."""
    longest = max(row.value for row in rows) or 1
    parts = []
    for number, row in enumerate(rows):
        top = _TOP + number * _ROW
        width = max(2.0, row.value / longest * _BARS_WIDTH)
        strong = " strong" if row.kind is Kind.OURS else ""
        label = escape(row.label.replace("`", ""))
        parts += [
            _text(_BARS_FROM - 10, top + 14, label, f"text{strong}", "end"),
            _rect(row.kind.value, _BARS_FROM, top, (width, _BAR)),
            _text(_BARS_FROM + width + 8, top + 14, escape(row.text), f"text{strong}"),
        ]
    return _svg(_TOP + len(rows) * _ROW + 10, title, about, parts)


def lines(title: str, about: str, drawn: Sequence[Line], unit: str) -> str:
    """Lines over pushes handled, from zero; each is named at its end."""
    left, right, top, bottom = 60, 560, 80, 270
    most_x = max(x for line in drawn for x, _ in line.points)
    most_y = max(1.5, *(y * 1.15 for line in drawn for _, y in line.points))

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / most_x * (right - left), bottom - y / most_y * (bottom - top)

    parts = []
    for tick in (0.0, 0.5, 1.0, 1.5, 2.0):
        if tick <= most_y:
            _, y = place(0, tick)
            parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
            parts.append(_text(left - 8, y + 5, f"{tick:.1f}", "quiet", "end"))
    for share in (0.0, 0.5, 1.0):
        x, _ = place(most_x * share, 0)
        parts.append(_text(x, bottom + 22, f"{most_x * share:,.0f}", "quiet", "middle"))
    parts.append(_text((left + right) / 2, bottom + 44, unit, "quiet", "middle"))
    ends = []
    for number, line in enumerate(drawn, 1):
        places = [place(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline class="line-{number}" points="{path}"/>')
        x, y = places[-1]
        parts.append(f'<circle class="dot-{number}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        ends.append((y, number, line.label))
    lowest = 0.0
    for y, number, label in sorted(ends):
        lowest = max(y + 5, lowest + 20)  # px: no label on another
        parts.append(_text(right + 12, lowest, escape(label), f"dot-{number} strong"))
    return _svg(bottom + 62, title, about, parts)


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _rect(kind: str, x: float, y: float, size: tuple[float, float]) -> str:
    place = f'x="{x}" y="{y}" width="{size[0]:.1f}" height="{size[1]}"'
    return f'<rect class="{kind}" {place} rx="3"/>'


def _svg(height: int, title: str, about: str, parts: Sequence[str]) -> str:
    space = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
    head = [
        f'<svg {space} width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        _rect("back", 0.5, 0.5, (WIDTH - 1, height - 1)),
        _text(20, 30, escape(title), "text title"),
        _text(20, 52, escape(about), "quiet"),
    ]
    return "\n".join([*head, *parts, "</svg>", ""])
