"""docs/building.md says what the engine takes: its types, its orders, its bounds."""

import inspect
import json
import re

import pytest

from handlers.build_feature import LONGEST, BuildFeature, build_feature
from tests.support.markdown import blocks, table
from tests.support.server import ROOT
from worker import builder
from worker.builder import limits
from worker.builder.fieldmap import _TYPES
from worker.builder.wanted import read_wanted

PAGE = ROOT / "docs" / "building.md"
TYPES = [name for row in table(PAGE, "Type") for name in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize("written", TYPES)
def test_every_type_of_the_page_can_be_required(written: str) -> None:
    field = json.loads(written) if written.startswith("[") else written
    assert read_wanted({"pet": field}).kind == "model"


def test_the_page_has_every_type() -> None:
    assert set(_TYPES) <= set(TYPES)


def test_the_map_of_the_page_can_be_built() -> None:
    (shown,) = [json.loads(block.text) for block in blocks("json") if block.page == PAGE]
    assert read_wanted(shown).kind == "model"


def test_the_order_of_the_features_page_is_one() -> None:
    page = ROOT / "docs" / "features" / "build_feature.md"
    first, *_ = [json.loads(block.text) for block in blocks("json") if block.page == page]
    assert BuildFeature.model_validate(first["requirements"]).feature == "vet_visit"


def test_the_fields_of_an_order_are_the_handlers() -> None:
    named = [row[0].strip("`") for row in table(PAGE, "Field of `requirements`")]
    assert named == list(BuildFeature.model_fields)


def test_the_bounds_are_the_engines() -> None:
    bounds = dict(table(PAGE, "What"))
    assert bounds["Requirements"] == (
        f"{limits.BYTES // 1024} KiB of JSON, {limits.DEPTH} levels, "
        f"{limits.PROPERTIES} fields in all"
    )
    assert bounds["Description"] == f"{LONGEST:,} characters"
    assert bounds["Builds at the same time"].startswith(f"{build_feature.concurrency} for each")
    for work in (builder.generate, builder.verify):
        seconds = inspect.signature(work).parameters["seconds"].default
        assert bounds["Generating, verifying"].startswith(f"{seconds} seconds each")
