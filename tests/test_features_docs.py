"""The pages in docs/features say what the models say."""

import pytest

from tests.support.cli import run
from tests.support.server import ROOT


def test_the_generated_parts_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = run("features", "docs", "--check", HANDLERS="handlers")
    assert (done.exit_code, done.output) == (0, "")
