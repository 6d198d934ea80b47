"""How long a run measures: the full one, and a quick one that only shows that it works."""

from dataclasses import dataclass

MANY = 10**12  # requests: the seconds decide


@dataclass(frozen=True)
class Limit:
    """A load ends after so many requests or seconds, whichever comes first."""

    requests: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """Rounds are interleaved: the first of every server, then the second of every server ..."""

    quick: bool
    rounds: int  # of the main comparison and of cold starts
    side_rounds: int  # of everything else
    load: Limit  # one round of one server
    short: Limit  # the same, where there are many
    warm_up: Limit  # before each of them, not counted
    segment: int  # pushes: every server gets as many first; a long life is 21 of them
    tokens: int  # distinct ones for "many tokens"
    alone_seconds: float


FULL = Plan(
    quick=False,
    rounds=9,
    side_rounds=5,
    load=Limit(MANY, 2.0),
    short=Limit(MANY, 1.2),
    warm_up=Limit(MANY, 0.2),
    segment=10_000,
    tokens=1_000,
    alone_seconds=1.0,
)
QUICK = Plan(
    quick=True,
    rounds=1,
    side_rounds=1,
    load=Limit(200, 5.0),
    short=Limit(100, 0.5),
    warm_up=Limit(10, 1.0),
    segment=50,
    tokens=20,
    alone_seconds=0.05,
)
