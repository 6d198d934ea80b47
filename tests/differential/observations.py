"""Runs scenarios side by side: most of their time is waiting."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from tests.differential.scenario import Scenario
from tests.differential.stage import Stage

_AT_ONCE = 24


class Observations:
    """What came of each scenario on the Pub/Sub at `host`, all begun at once."""

    def __init__(self, host: str, scenarios: Sequence[Scenario]) -> None:
        self._host = host
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="scenario")
        self._found: dict[str, Future[str]] = {
            str(one): self._pool.submit(self._observe, one) for one in scenarios
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def of(self, scenario: Scenario) -> str:
        """Wait for it; raises what it raised."""
        return self._found[str(scenario)].result()

    def _observe(self, scenario: Scenario) -> str:
        with Stage(self._host) as stage:
            return scenario.observe(stage)
