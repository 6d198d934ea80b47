"""benchmark: validate a message and say how long it is. The worker's canonical entry is its log."""

from pydantic import BaseModel, Field

from worker import Context, Requirements, feature


class Work(Requirements):
    """What every server of the benchmark validates."""

    lines: list[str] = Field(default_factory=list)


class WorkDone(BaseModel):
    """Goes into the log."""

    lines: int


@feature("benchmark")
def benchmark(want: Work, context: Context) -> WorkDone:
    """Count the lines."""
    return WorkDone(lines=len(want.lines))
