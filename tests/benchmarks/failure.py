"""What ends a run of the benchmark."""


class BenchmarkFailed(Exception):
    """The benchmark cannot go on. One line."""


class NoEnvironment(BenchmarkFailed):
    """A peer's virtual environment cannot be made, probably for want of a package index."""
