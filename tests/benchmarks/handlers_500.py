"""500 features, one of them `benchmark`: HANDLERS=tests.benchmarks.handlers_500."""

from tests.benchmarks.handlers.benchmark import Work, WorkDone, benchmark
from worker import Context, feature


def _other(want: Work, context: Context) -> WorkDone:
    return WorkDone(lines=len(want.lines))


benchmark_as_well = benchmark
for _number in range(1, 500):
    globals()[f"feature_{_number}"] = feature(f"feature_{_number}")(_other)
