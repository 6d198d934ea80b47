"""Clock steps: the wall clock of one worker jumps by a day and back while handlers run."""

from pathlib import Path

import pytest

from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import QUICK, SLOW
from tests.support.redis_server import RedisServer
from tests.support.server import ROOT
from tests.support.tools import tool

pytestmark = pytest.mark.server

STEPS = ("+1d", "-1d", "+0", "-1d", "+1d", "+0")  # from the true time, which comes last
MESSAGES = 12  # for each of them

# libfaketime 0.9.10 has clock_nanosleep fail, which time.sleep calls.
_SLEEP = """\
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


def test_no_step_of_a_clock_makes_a_message_run_twice(
    begin: Begin, conclude: Conclude, redis: RedisServer, tmp_path: Path, scale: int
) -> None:
    scenario = begin("Steps of a clock by a day", CLAIMS=redis.url)
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    (tmp_path / "sitecustomize.py").write_text(_SLEEP)
    scenario.start(
        PYTHONPATH=f"{tmp_path}:{ROOT}",
        LD_PRELOAD=_library(),
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    scenario.start()
    for step in STEPS * scale:
        new = scenario.push([QUICK, SLOW] * (MESSAGES // 2), copies=2)
        scenario.wait_until_running(1)
        clock.write_text(f"{step}\n")  # libfaketime drops the last character
        scenario.faults += 1
        scenario.wait_until_acked(new)
        for message in list(scenario.pusher.pushed):
            scenario.pusher.push_again(message)
    conclude(scenario)

    entries = scenario.stage.canonical()
    assert "timed_out" not in {entry["outcome"] for entry in entries}
    days = {entry["time"][:10] for entry in entries}
    assert len(days) >= 3, "the clock did not step"


def _library() -> str:
    """libfaketime; where it lies is known to the program `faketime`."""
    tool("faketime")
    return str(next(Path("/usr/lib").rglob("libfaketimeMT.so.1")))
