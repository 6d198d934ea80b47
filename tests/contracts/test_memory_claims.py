"""MemoryClaims: the contract, and what its memory is bounded by."""

import pytest

from tests.contracts.claims import LEASE, ClaimsContract, FakeClock, key
from worker.claims import Claims
from worker.claims.memory import MemoryClaims
from worker.outcome import Busy, Duplicate

__all__ = ["key"]  # a fixture of the contract

RETENTION = 3_600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def claims(clock: FakeClock) -> Claims:
    return MemoryClaims(clock=clock)


@pytest.fixture
def small(clock: FakeClock) -> MemoryClaims:
    """Room for three keys, for an hour."""
    return MemoryClaims(clock=clock, max_keys=3, retention_seconds=RETENTION)


def finish(claims: MemoryClaims, *keys: str) -> None:
    for one in keys:
        claims.finish(claims.acquire(one, LEASE))


def is_done(claims: MemoryClaims, one: str) -> bool:
    try:
        claims.release(claims.acquire(one, LEASE))
    except Duplicate:
        return True
    return False


class TestMemoryClaims(ClaimsContract):
    pass


def test_the_oldest_done_key_is_forgotten_first(small: MemoryClaims) -> None:
    finish(small, "a", "b", "c", "d")

    assert [is_done(small, one) for one in "abcd"] == [False, True, True, True]


def test_oldest_means_finished_first_not_acquired_first(small: MemoryClaims) -> None:
    early = small.acquire("early", LEASE)
    finish(small, "a", "b")
    small.finish(early)
    finish(small, "c")

    assert not is_done(small, "a")
    assert is_done(small, "early")


def test_held_keys_are_not_forgotten_however_many_are_done(small: MemoryClaims) -> None:
    held = [small.acquire(f"held-{number}", LEASE) for number in range(10)]
    finish(small, *map(str, range(100)))

    for claim in held:
        with pytest.raises(Busy):
            small.acquire(claim.key, LEASE)


def test_a_done_key_is_forgotten_after_the_retention(small: MemoryClaims, clock: FakeClock) -> None:
    finish(small, "a")

    clock.now += RETENTION - 1
    assert is_done(small, "a")
    clock.now += 1
    assert not is_done(small, "a")


def test_memory_is_bounded(small: MemoryClaims, clock: FakeClock) -> None:
    for number in range(1_000):
        finish(small, f"done-{number}")
        small.release(small.acquire(f"released-{number}", LEASE))
    assert len(small._done) + len(small._held) <= 3

    clock.now += RETENTION
    finish(small, "last")
    assert len(small._done) + len(small._held) == 1
