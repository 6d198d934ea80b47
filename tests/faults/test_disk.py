"""A full disk under the folder quarantine: no half file, no ack, and no message lost."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Begin, Conclude
from tests.faults.messages import NOT_JSON, QUICK, REJECT
from tests.faults.scenario import Scenario
from tests.faults.waiting import wait_until
from tests.support.redis_server import RedisServer
from tests.support.tools import missing, tool

pytestmark = pytest.mark.server

DISK_BYTES = 1024 * 1024
FILE_BYTES = 4096  # on that disk, for each message
BAD, GOOD = 40, 10  # messages for each time that the disk is full


def test_a_full_disk_loses_nothing(
    begin: Begin, conclude: Conclude, redis: RedisServer, scale: int
) -> None:
    scenario = begin("Disk full under the folder quarantine", CLAIMS=redis.url)
    with _small_disk(scenario.stage.quarantine) as folder:
        scenario.start()
        scenario.start()
        for _ in range(scale):
            ballast = folder / "ballast"
            files = len(list(folder.iterdir())) + BAD // 4  # a quarter of the new ones fits
            ballast.write_bytes(bytes(DISK_BYTES - FILE_BYTES * files))
            scenario.faults += 1
            scenario.push([REJECT, NOT_JSON] * (BAD // 2) + [QUICK] * GOOD)
            wait_until(lambda: _is_full(scenario), "the disk is full")
            assert scenario.pusher.not_acked()
            ballast.unlink()
            scenario.settle()
            left = sorted(folder.iterdir())
            assert {path.suffix for path in left} == {".json"}, left  # no half file
        conclude(scenario)


def _is_full(scenario: Scenario) -> bool:
    return any("No space left on device" in e["reason"] for e in scenario.stage.canonical())


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own in the folder, with little room. Only root may mount one."""
    folder.mkdir()
    mount = [tool("mount"), "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        missing(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([tool("umount"), "--lazy", str(folder)], check=True)
