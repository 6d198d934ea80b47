"""MemoryClaims: the contract, the same answers as a plain dict, and memory that does not grow."""

import gc
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.contracts.claims import LEASE, ClaimsContract, FakeClock, key
from tests.support.server import ROOT
from worker.claims import Claim, Store
from worker.claims.memory import MAX_KEYS, MemoryClaims
from worker.claims.ring import Ring, digest_of
from worker.outcome import Busy, Duplicate

__all__ = ["key"]  # a fixture of the contract

RETENTION = 3_600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def claims(clock: FakeClock) -> Store:
    return MemoryClaims(clock=clock, lease_seconds=LEASE)


@pytest.fixture
def small(clock: FakeClock) -> MemoryClaims:
    """Room for three keys, for an hour."""
    return MemoryClaims(clock=clock, max_keys=3, lease_seconds=LEASE, retention_seconds=RETENTION)


def finish(claims: MemoryClaims, *keys: str) -> None:
    for one in keys:
        claims.finish(claims.acquire(one))


def is_done(claims: MemoryClaims, one: str) -> bool:
    try:
        claims.release(claims.acquire(one))
    except Duplicate:
        return True
    return False


class TestMemoryClaims(ClaimsContract):
    pass


def test_the_oldest_done_key_is_forgotten_first(small: MemoryClaims) -> None:
    finish(small, "a", "b", "c", "d")

    assert [is_done(small, one) for one in "abcd"] == [False, True, True, True]


def test_oldest_means_finished_first_not_acquired_first(small: MemoryClaims) -> None:
    early = small.acquire("early")
    finish(small, "a", "b")
    small.finish(early)
    finish(small, "c")

    assert not is_done(small, "a")
    assert is_done(small, "early")


def test_held_keys_are_not_forgotten_however_many_are_done(small: MemoryClaims) -> None:
    held = [small.acquire(f"held-{number}") for number in range(10)]
    finish(small, *map(str, range(100)))

    for claim in held:
        with pytest.raises(Busy):
            small.acquire(claim.key)


def test_a_done_key_is_forgotten_after_the_retention(small: MemoryClaims, clock: FakeClock) -> None:
    finish(small, "a")

    clock.now += RETENTION - 1
    assert is_done(small, "a")
    clock.now += 1
    assert not is_done(small, "a")


def test_a_key_that_was_forgotten_can_be_done_again(small: MemoryClaims, clock: FakeClock) -> None:
    finish(small, "a")
    clock.now += RETENTION
    finish(small, "a")

    clock.now += RETENTION - 1
    finish(small, "b", "c")  # the first place of "a" is taken again, its second is not
    assert is_done(small, "a")
    clock.now += 1
    assert not is_done(small, "a")


# --- the same answers as a plain dict


class DictClaims:
    """What MemoryClaims should do, said as plainly as can be."""

    def __init__(self, clock: FakeClock, max_keys: int) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._held: dict[str, tuple[str, float]] = {}  # token, end of the lease
        self._done: dict[str, float] = {}  # end of the retention, oldest first
        self._tokens = 0

    def acquire(self, key: str) -> Claim:
        now = self._clock()
        self._done = {key: expiry for key, expiry in self._done.items() if now < expiry}
        if key in self._done:
            raise Duplicate
        if key in self._held and now < self._held[key][1]:
            raise Busy
        self._tokens += 1
        self._held[key] = (str(self._tokens), now + LEASE)
        return Claim(key, str(self._tokens))

    def finish(self, claim: Claim) -> None:
        if self._held.get(claim.key, (claim.token, 0))[0] != claim.token:
            return
        self._held.pop(claim.key, None)
        now = self._clock()
        if now >= self._done.get(claim.key, now):
            self._done.pop(claim.key, None)
            self._done[claim.key] = now + RETENTION
            if len(self._done) > self._max_keys:
                del self._done[next(iter(self._done))]

    def release(self, claim: Claim) -> None:
        if self._held.get(claim.key, ("", 0))[0] == claim.token:
            del self._held[claim.key]

    def renew(self, claim: Claim) -> Claim | None:
        if self._held.get(claim.key, ("", 0))[0] != claim.token:
            return None
        self._held[claim.key] = (claim.token, self._clock() + LEASE)
        return claim


def answer(claims: Store, one: str) -> Claim | type[Exception]:
    try:
        return claims.acquire(one)
    except (Duplicate, Busy) as stop:
        return type(stop)


KEYS = "abcdefgh"
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["acquire", "done", "done", "finish", "release", "renew", "late"]),
        st.sampled_from(KEYS),
        st.sampled_from([0.0, 0.0, 1.0, LEASE, RETENTION / 3, RETENTION]),  # that pass before it
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 6))
def test_it_answers_as_a_plain_dict_would(steps: list[tuple[str, str, float]], room: int) -> None:
    clock = FakeClock()
    claims = MemoryClaims(
        clock=clock, max_keys=room, lease_seconds=LEASE, retention_seconds=RETENTION
    )
    model = DictClaims(clock, room)
    given_out: list[Claim] = []
    for what, one, seconds in [*steps, *(("acquire", one, 0.0) for one in KEYS)]:
        clock.now += seconds
        if what in ("acquire", "done"):
            found = answer(claims, one)
            assert found == answer(model, one)
            given_out += [found] if isinstance(found, Claim) else []
        for claim in [claim for claim in given_out if claim.key == one and what != "acquire"][:1]:
            if what == "renew":
                assert claims.renew(claim) == model.renew(claim)
                continue
            for store in (claims, model):
                (store.release if what in ("release", "late") else store.finish)(claim)
            if what != "late":  # who gave it back may finish it after all
                given_out.remove(claim)


def digest(first_word: int, rest: int) -> bytes:
    return first_word.to_bytes(4, "little") + bytes([rest]) * 12


# Few places to begin the search at, the last ones of the table among them: nearly all collide.
DIGESTS = [digest(word, rest) for word in (0, 1, 2, 2**32 - 2, 2**32 - 1) for rest in range(3)]


@given(
    st.lists(st.tuples(st.sampled_from(DIGESTS), st.sampled_from([0.0, 0.0, 1.0, RETENTION]))),
    st.integers(1, 8),
)
@example([(DIGESTS[0], 0.0), (DIGESTS[0], RETENTION), (DIGESTS[1], 0.0), (DIGESTS[2], 0.0)], 2)
def test_a_ring_holds_the_last_digests_until_they_expire(
    steps: list[tuple[bytes, float]], capacity: int
) -> None:
    ring = Ring(capacity)
    model: dict[bytes, float] = {}
    now = 1.0
    for added, seconds in steps:
        now += seconds
        model = {one: expiry for one, expiry in model.items() if now < expiry}
        if added not in model:
            ring.add(added, now + RETENTION)
            model[added] = now + RETENTION
            model = dict(list(model.items())[-capacity:])
        assert [one for one in DIGESTS if ring.holds(one, now)] == [
            one for one in DIGESTS if one in model
        ]


def test_a_new_ring_holds_nothing() -> None:
    ring = Ring(3)
    for nothing in (bytes(16), b"\xff" * 16, digest_of("")):
        assert not ring.holds(nothing, -1.0)


def test_keys_that_differ_have_digests_that_differ_of_128_bits() -> None:
    keys = ["", "a", "b", "\ud800", "\\ud800", "\udc80", "\x80", "é", "e\u0301", "x" * 3000]
    assert len({digest_of(one) for one in keys}) == len(keys)
    assert {len(digest_of(one)) for one in keys} == {16}


# --- memory


def test_what_is_held_is_let_go(small: MemoryClaims) -> None:
    for number in range(1_000):
        finish(small, f"done-{number}")
        small.release(small.acquire(f"released-{number}"))

    assert small._held == {}


def test_no_memory_is_taken_for_a_key_that_is_done(clock: FakeClock) -> None:
    claims = MemoryClaims(clock=clock, max_keys=10_000)
    finish(claims, *(f"first-{number}" for number in range(10)))
    tracemalloc.start()
    try:
        finish(claims, *(f"warm-{number}" for number in range(10)))
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        finish(claims, *(f"key-{number}" for number in range(12_000)))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 10_000  # bytes: less than one a key


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells what a process uses")
def test_the_process_has_all_its_memory_before_the_first_key_is_done() -> None:
    script = (
        "from pathlib import Path\n"
        "from resource import getpagesize\n"
        "from worker.claims.memory import MAX_KEYS, MemoryClaims\n"
        "used = lambda: int(Path('/proc/self/statm').read_text().split()[1]) * getpagesize()\n"
        "empty = used()\n"
        "claims = MemoryClaims()\n"
        "few = used()\n"
        "for n in range(MAX_KEYS):\n"
        "    claims.finish(claims.acquire(str(n)))\n"
        "print(few - empty, used() - few)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    few, more = map(int, done.stdout.split())

    assert 24 * MAX_KEYS < few < 48 * MAX_KEYS
    assert more < 5 * MAX_KEYS
