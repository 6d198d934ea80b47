"""sleep_20ms: a handler that waits for something else, as most do."""

import time

from tests.benchmarks.handlers.benchmark import Work, WorkDone
from worker import Context, feature


@feature("sleep_20ms")
def sleep_20ms(want: Work, context: Context) -> WorkDone:
    """Block for 20 ms."""
    time.sleep(0.02)
    return WorkDone(lines=len(want.lines))
