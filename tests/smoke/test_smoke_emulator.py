"""smoke against Google's emulator with the laptop cloud's log: the same code, less evidence."""

from pathlib import Path

import pytest

from tests.smoke.stage import SUBSCRIPTION, Stage
from tests.support.standin import unused_address
from worker.local.emulator import Emulator

pytestmark = [pytest.mark.emulator, pytest.mark.server]


def test_the_emulator_is_as_good(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path)
    try:
        with Stage(tmp_path).running(emulator.host) as stage:
            stage.end()
            stage.begin(PUSH_AUTH="none")  # the emulator's pushes carry no token
            code, found = stage.smoke("--wait", "10")
            assert (code, found["verdict"]) == (0, "proved"), found["rungs"]

            body = {"pushConfig": {"pushEndpoint": f"http://{unused_address()}/"}}
            stage.call("POST", f"{SUBSCRIPTION}:modifyPushConfig", body)
            assert stage.broken()["rung"] == "endpoint_url"

            stage.call("DELETE", SUBSCRIPTION)
            assert stage.broken()["rung"] == "subscription"
            states = {one["rung"]: one["state"] for one in stage.smoke("--wait", "0")[1]["rungs"]}
            assert states["backlog"] == "unknown"
            stage.subscribe()
    finally:
        emulator.stop()
