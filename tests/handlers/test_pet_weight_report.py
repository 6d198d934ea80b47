"""pet_weight_report."""

import struct
import zlib
from typing import Any

import pytest

from handlers.pet_weight_report import (
    BOTTOM,
    HEIGHT,
    INK,
    LEFT,
    LINE,
    RIGHT,
    TOP,
    WIDTH,
    pet_weight_report,
)
from worker.artifacts import MemoryArtifacts
from worker.testing import deliver

WEIGHTS = [{"date": "2026-03-01", "kg": 5}, {"date": "2026-01-01", "kg": 4.25}]


def report(weights: Any = WEIGHTS, pet_id: Any = "rex-7") -> dict[str, bytes]:
    delivered = deliver(pet_weight_report, {"pet_id": pet_id, "weights": weights})
    ((address, files),) = delivered.artifacts.items()
    assert delivered.result == {"address": address, "weighings": len(weights)}
    assert address.startswith("memory:pet_weight_report/rex-7/")
    assert delivered.event("pet_weight_report.kept")["address"] == address
    return dict(files)


def pixels(png: bytes) -> list[bytes]:
    """The rows of a PNG, each after its filter's byte; zlib and struct check the rest."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, rest = {}, png[8:]
    while rest:
        (size,), kind = struct.unpack(">I", rest[:4]), rest[4:8]
        chunks[kind] = rest[8 : 8 + size]
        assert struct.unpack(">I", rest[8 + size : 12 + size]) == (zlib.crc32(rest[4 : 8 + size]),)
        rest = rest[12 + size :]
    assert list(chunks) == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert chunks[b"IHDR"] == struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    data = zlib.decompress(chunks[b"IDAT"])
    assert len(data) == (WIDTH + 1) * HEIGHT
    assert max(data) * 3 < len(chunks[b"PLTE"])
    return [data[at + 1 : at + WIDTH + 1] for at in range(0, len(data), WIDTH + 1)]


def test_the_table_has_the_weights_in_the_order_of_their_dates() -> None:
    assert report()["weights.csv"] == b"date,kg\r\n2026-01-01,4.250\r\n2026-03-01,5.000\r\n"


def test_the_plot_goes_from_the_first_weight_to_the_last() -> None:
    rows = pixels(report()["plot.png"])

    assert rows[BOTTOM][LEFT] == rows[TOP][RIGHT] == LINE
    assert rows[(TOP + BOTTOM) // 2][(LEFT + RIGHT) // 2] == LINE
    assert rows[TOP][LEFT] != LINE
    assert INK in rows[BOTTOM + 14]


@pytest.mark.parametrize("kg", [[4.0], [4, 4], [0.001, 10_000] * 500])
def test_any_weights_fit_into_the_plot(kg: list[float]) -> None:
    days = [f"{2000 + at // 336}-{at // 28 % 12 + 1:02}-{at % 28 + 1:02}" for at in range(len(kg))]
    weights = [{"date": day, "kg": one} for day, one in zip(days, kg, strict=True)]

    assert {len(row) for row in pixels(report(weights)["plot.png"])} == {WIDTH}


def test_the_same_weights_make_the_same_bytes_and_others_another_bundle() -> None:
    assert report(list(reversed(WEIGHTS))) == report()

    place = MemoryArtifacts()
    for weights in (WEIGHTS, WEIGHTS[:1], WEIGHTS):
        deliver(pet_weight_report, {"pet_id": "a", "weights": weights}, artifacts=place)
    assert len(place.bundles) == 2


@pytest.mark.parametrize("pet_id", ["../up", "=1+1", "-x", "a b", "", 7])
def test_an_id_that_could_mean_something_else_is_rejected(pet_id: Any) -> None:
    delivered = deliver(pet_weight_report, {"pet_id": pet_id, "weights": WEIGHTS})

    assert delivered.outcome == "rejected"
    assert delivered.reason.startswith("bad payload: requirements.pet_id")
