"""docs/smoke.md says what the code does."""

import re

import pytest

from tests.smoke.planted import ended
from tests.support.markdown import blocks, table
from tests.support.server import ROOT
from worker.client.logs import CLOCK_SKEW
from worker.smoke.ladder import RUNGS
from worker.smoke.ladder.rung import State
from worker.smoke.question import WAIT_SECONDS
from worker.smoke.text import text_of
from worker.smoke.verdict import Conclusion, Times, Verdict

PAGE = ROOT / "docs/smoke.md"


def column(heading: str, number: int = 0) -> list[str]:
    return [row[number].strip("`") for row in table(PAGE, heading)]


def test_the_table_of_rungs_has_each_in_its_order() -> None:
    assert column("Rung") == list(RUNGS)


def test_the_table_of_fields_has_each_in_its_order() -> None:
    assert column("Field") == list(Verdict(Conclusion.COULD_NOT_ASK).as_json())


def test_the_table_of_exit_codes_has_each_verdict() -> None:
    found = dict(zip(column("Exit code"), column("Exit code", 1), strict=True))
    assert found == {str(one.code): one.value for one in Conclusion}


@pytest.mark.parametrize("state", State)
def test_every_state_of_a_rung_is_explained(state: State) -> None:
    assert f"`{state.value}`" in PAGE.read_text()


def test_the_example_looks_like_a_proof() -> None:
    (example,) = [one for one in blocks("text") if one.page == PAGE]
    entry = ended("done", queue_seconds=0.5)
    times = Times(entry.arrived, entry.arrived, entry.time, entry.time + CLOCK_SKEW)
    said = text_of(Verdict(Conclusion.PROVED, entry=entry, times=times)).splitlines()[1:6]
    shown = example.text.splitlines()[1:]
    assert [shape(line) for line in shown] == [shape(line) for line in said]
    assert example.text.startswith("proved: feature-worker received, handled and logged it (")


def shape(line: str) -> str:
    """Without the numbers."""
    return " ".join(re.sub(r"\d+", "9", line).split())


def test_the_time_that_it_waits_is_the_default() -> None:
    assert f"`--wait` ({WAIT_SECONDS:.0f} seconds)" in PAGE.read_text()
