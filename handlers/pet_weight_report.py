"""pet_weight_report: a pet's weights over time, as a plot and as a table."""

import datetime as dt
import hashlib
import struct
import zlib
from itertools import pairwise

from pydantic import BaseModel, Field

from worker import Context, Requirements, feature

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 800, 400, 110, 40, 770, 340  # pixels; of the axes
PALETTE = bytes.fromhex("ffffff e0e3e7 3c4043 1a73e8")
PAPER, GRID, INK, LINE = range(4)
# A letter is 5 rows of 3 dots: a row is an octal digit.
FONT = {
    "0": 0o75557, "1": 0o26227, "2": 0o71747, "3": 0o71717, "4": 0o55711, "5": 0o74717,
    "6": 0o74757, "7": 0o71111, "8": 0o75757, "9": 0o75717, ".": 0o00002, "-": 0o00700,
    "k": 0o45655, "g": 0o07571,
}  # fmt: skip


class Weighing(Requirements):
    """One day's weight."""

    date: dt.date
    kg: float = Field(ge=0.001, le=10_000, description="kilograms")


class PetWeightReport(Requirements):
    """Whose weights, in any order."""

    pet_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", examples=["rex-7"])
    weights: tuple[Weighing, ...] = Field(
        min_length=1, max_length=1000,
        examples=[[{"date": "2026-01-31", "kg": 4.2}, {"date": "2026-02-28", "kg": 4.35}]],
    )  # fmt: skip


class Reported(BaseModel):
    """Where the report is."""

    address: str
    weighings: int


@feature("pet_weight_report")
def pet_weight_report(want: PetWeightReport, context: Context) -> Reported:
    """Keep plot.png and weights.csv. The same weights make the same report, once."""
    weights = sorted(want.weights, key=lambda one: (one.date, one.kg))
    lines = ["date,kg", *(f"{one.date},{one.kg:.3f}" for one in weights)]  # no text, no formula
    table = "\r\n".join([*lines, ""]).encode()
    name = f"pet_weight_report/{want.pet_id}/{hashlib.sha256(table).hexdigest()[:16]}"
    address = context.artifacts.keep(name, {"plot.png": plot(weights), "weights.csv": table})
    context.log.info("pet_weight_report.kept", address=address, weighings=len(weights))
    return Reported(address=address, weighings=len(weights))


def plot(weights: list[Weighing]) -> bytes:
    """A PNG of the weights, which are in the order of their dates."""
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    first, last, low = weights[0].date, weights[-1].date, min(one.kg for one in weights)
    span, days = max(one.kg for one in weights) - low or 1.0, (last - first).days or 1
    for step in range(5):
        y = round(BOTTOM - (BOTTOM - TOP) * step / 4)
        rows[y][LEFT:RIGHT] = bytes([GRID if step else INK]) * (RIGHT - LEFT)
        _write(rows, LEFT - 98, y - 5, f"{low + span * step / 4:.2f} kg".rjust(11))
    _write(rows, LEFT, BOTTOM + 14, f"{first}")
    _write(rows, RIGHT - 78, BOTTOM + 14, f"{last}" if last != first else "")
    ways = [(one.date - first).days / days for one in weights]
    xs = [round(LEFT + (RIGHT - LEFT) * way) for way in ways]
    ys = [round(BOTTOM - (BOTTOM - TOP) * (one.kg - low) / span) for one in weights]
    for (x, y), (to_x, to_y) in pairwise(zip(xs, ys, strict=True)):
        steps = max(abs(to_x - x), abs(to_y - y), 1)
        for at in range(steps):
            _dot(rows, round(x + (to_x - x) * at / steps), round(y + (to_y - y) * at / steps), 1)
    for x, y in zip(xs, ys, strict=True):
        _dot(rows, x, y, 3)
    return _png(rows)


def _dot(rows: list[bytearray], x: int, y: int, radius: int, colour: int = LINE) -> None:
    for row in rows[y - radius : y + radius + 1]:
        row[x - radius : x + radius + 1] = bytes([colour]) * (2 * radius + 1)


def _write(rows: list[bytearray], x: int, y: int, text: str) -> None:
    for place, letter in enumerate(text):
        for dot in range(15):
            if FONT.get(letter, 0) >> (14 - dot) & 1:
                left, top = x + 8 * place + dot % 3 * 2, y + dot // 3 * 2
                rows[top][left : left + 2] = rows[top + 1][left : left + 2] = bytes([INK, INK])


def _png(rows: list[bytearray]) -> bytes:
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)  # a byte is a colour of PLTE
    chunks = [b"IHDR" + head, b"PLTE" + PALETTE, b"IDAT" + pixels, b"IEND"]
    sized = [struct.pack(">I", len(chunk) - 4) + chunk for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        one + struct.pack(">I", zlib.crc32(one[4:])) for one in sized
    )
