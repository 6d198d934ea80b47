"""Which core runs what: servers on the first, the load generator and the rest on the second."""

import os
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Cores:
    """Sets of CPU numbers; both are all there are where there is only one, or none is wanted."""

    server: AbstractSet[int]
    client: AbstractSet[int]

    @classmethod
    def pinned(cls) -> "Cores":
        """A core for the servers and one for the rest, if there are two."""
        available = sorted(os.sched_getaffinity(0))
        if len(available) < 2:
            return cls.shared()
        return cls({available[0]}, {available[1]})

    @classmethod
    def shared(cls) -> "Cores":
        """Every core for everybody."""
        available = os.sched_getaffinity(0)
        return cls(available, available)


@contextmanager
def running_on(cores: AbstractSet[int]) -> Iterator[None]:
    """Processes that this thread starts meanwhile stay on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
