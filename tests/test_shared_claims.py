"""SharedClaims: two processes and one store, which can be switched off."""

from collections.abc import Iterator

import pytest

from tests.contracts.claims import LEASE, FakeClock
from worker.claims import Claim, Store, StoreFailed, claimed
from worker.claims.circuit import FAILURES, RETRY_SECONDS, Circuit
from worker.claims.memory import MemoryClaims
from worker.claims.shared import MAX_UNTOLD, SharedClaims
from worker.outcome import Busy, Draining, Duplicate

KEY = "projects/demo/subscriptions/s#id=1"


class Switched:
    """A store that fails while it is `down`, and counts what it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.down = False
        self.lost: Claim | None = None  # of an acquire whose answer is lost
        self.asked: list[str] = []

    def acquire(self, key: str) -> Claim:
        self._ask("acquire")
        claim = self._store.acquire(key)
        if self.lost:
            raise StoreFailed("timed out", claim)
        return claim

    def renew(self, claim: Claim) -> Claim | None:
        self._ask("renew")
        return self._store.renew(claim)

    def finish(self, claim: Claim) -> None:
        self._ask("finish")
        self._store.finish(claim)

    def release(self, claim: Claim) -> None:
        self._ask("release")
        self._store.release(claim)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.down:
            raise StoreFailed("the store is down")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Switched:
    return Switched(MemoryClaims(clock=clock, lease_seconds=LEASE))


class Processes:
    """Makes the claims of as many processes as a test wants."""

    def __init__(self, store: Switched, clock: FakeClock) -> None:
        self._store = store
        self._clock = clock
        self.made: list[SharedClaims] = []

    def __call__(self, *, run_on_error: bool = False) -> SharedClaims:
        made = SharedClaims(
            self._store, MemoryClaims(clock=self._clock),
            lease_seconds=1e6,  # its thread does not look: the test does
            run_on_error=run_on_error, circuit=Circuit(self._clock),
        )  # fmt: skip
        self.made.append(made)
        return made


@pytest.fixture
def process(store: Switched, clock: FakeClock) -> Iterator[Processes]:
    processes = Processes(store, clock)
    yield processes
    for one in processes.made:
        one._closed.set()


def outcome(claims: SharedClaims, key: str = KEY) -> type[Exception] | None:
    """What a push of that key would meet; it gives back what it gets."""
    try:
        claims.release(claims.acquire(key))
    except (Duplicate, Busy, StoreFailed) as stop:
        return type(stop)
    return None


def test_what_one_process_holds_is_busy_and_what_it_has_done_is_done_for_all(
    process: Processes,
) -> None:
    here, there = process(), process()
    claim = here.acquire(KEY)
    assert (outcome(here), outcome(there)) == (Busy, Busy)
    here.finish(claim)
    assert (outcome(here), outcome(there)) == (Duplicate, Duplicate)


def test_what_is_given_back_is_free_for_all(process: Processes) -> None:
    here, there = process(), process()
    here.release(here.acquire(KEY))
    assert (outcome(here), outcome(there)) == (None, None)


def test_what_this_process_knows_is_not_asked_of_the_store(
    process: Processes, store: Switched
) -> None:
    here, there = process(), process()
    claim = here.acquire(KEY)
    assert outcome(here) is Busy
    here.finish(claim)
    assert [outcome(here), outcome(there)] == [Duplicate] * 2
    assert outcome(there) is Duplicate
    assert store.asked == ["acquire", "finish", "acquire"]


def looks(claims: SharedClaims, count: int) -> None:
    for _ in range(count):
        claims._look()


def test_a_claim_is_renewed_as_long_as_its_handler_runs_and_no_longer(
    process: Processes, store: Switched, clock: FakeClock
) -> None:
    here, there = process(), process()
    claim = here.acquire(KEY)
    for _ in range(36):  # three leases
        clock.now += LEASE / 12
        here._look()
    assert store.asked.count("renew") == 9
    assert outcome(there) is Busy
    here.release(claim)
    looks(here, 12)
    assert store.asked.count("renew") == 9
    assert outcome(there) is None


def test_the_claims_of_a_process_that_died_lapse(process: Processes, clock: FakeClock) -> None:
    dead, there = process(), process()
    dead.acquire(KEY)
    clock.now += LEASE - 1
    assert outcome(there) is Busy
    clock.now += 1
    assert outcome(there) is None


def test_a_claim_that_was_lost_is_told_once_and_ends_nothing_of_its_new_holder(
    process: Processes, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    slow, there = process(), process()
    lost = slow.acquire(KEY)
    clock.now += LEASE
    holder = there.acquire(KEY)
    looks(slow, 24)
    assert [record.message for record in caplog.records] == [
        "a claim was lost: its handler may run a second time elsewhere"
    ]
    slow.finish(lost)
    assert outcome(process()) is Busy
    there.finish(holder)
    assert outcome(process()) is Duplicate


def test_without_the_store_nothing_is_held_and_the_key_is_free_when_it_is_back(
    process: Processes, store: Switched, clock: FakeClock
) -> None:
    here = process()
    store.down = True
    with pytest.raises(StoreFailed, match="the store is down") as failed:
        here.acquire(KEY)
    assert failed.value.status == 503
    assert failed.value.fields == {"claims_error": "the store is down"}
    store.down = False
    assert outcome(here) is None


def test_without_the_store_a_key_is_held_in_this_process_if_that_is_wanted(
    process: Processes, store: Switched
) -> None:
    here, there = process(run_on_error=True), process()
    store.down = True
    claim = here.acquire(KEY)
    assert claim.problem == "the store is down"
    assert outcome(here) is Busy
    store.down = False
    looks(here, 12)
    assert "renew" not in store.asked
    here.finish(claim)
    assert (outcome(here), outcome(there)) == (Duplicate, Duplicate)


@pytest.mark.parametrize("run_on_error", [False, True])
def test_what_the_store_could_not_be_told_is_told_when_it_is_back(
    process: Processes, store: Switched, clock: FakeClock, *, run_on_error: bool
) -> None:
    here, there = process(run_on_error=run_on_error), process()
    done, failed = here.acquire("done"), here.acquire("failed")
    store.down = True
    for end, claim in ((here.finish, done), (here.release, failed)):
        with pytest.raises(StoreFailed):
            end(claim)
    assert outcome(here, "done") is Duplicate
    here._look()
    store.down = False
    assert (outcome(there, "done"), outcome(there, "failed")) == (Busy, Busy)
    clock.now += RETRY_SECONDS
    here._look()
    assert (outcome(there, "done"), outcome(there, "failed")) == (Duplicate, None)
    asked = len(store.asked)
    here._look()
    assert len(store.asked) == asked


def test_what_may_have_been_acquired_is_given_back(
    process: Processes, store: Switched, clock: FakeClock
) -> None:
    here, there = process(), process()
    store.lost = Claim(KEY, "any")
    with pytest.raises(StoreFailed):
        here.acquire(KEY)
    store.lost = None
    assert outcome(there) is Busy
    here._look()
    assert (outcome(here), outcome(there)) == (None, None)


def test_what_is_not_told_for_long_does_not_fill_the_memory(
    process: Processes, store: Switched
) -> None:
    here = process(run_on_error=True)
    store.down = True
    for number in range(MAX_UNTOLD + 10):
        with pytest.raises(StoreFailed):
            here.finish(here.acquire(str(number)))
    assert len(here._untold) == MAX_UNTOLD
    store.down = False


def test_a_store_that_fails_again_and_again_is_left_alone_and_tried_once_in_a_while(
    process: Processes, store: Switched, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    here = process()
    store.down = True
    for number in range(20):
        assert outcome(here, str(number)) is StoreFailed
    assert store.asked == ["acquire"] * FAILURES
    clock.now += RETRY_SECONDS
    assert [outcome(here, "x"), outcome(here, "y")] == [StoreFailed] * 2
    assert store.asked == ["acquire"] * (FAILURES + 1)
    store.down = False
    assert outcome(here, "x") is StoreFailed
    clock.now += RETRY_SECONDS
    assert outcome(here, "x") is None
    assert [record.message for record in caplog.records] == [
        "the store is down; it is tried every 1 s until it answers",
        "the store of claims answers again",
    ]


def test_a_store_that_says_busy_or_duplicate_works(process: Processes, store: Switched) -> None:
    here, there = process(), process()
    for answer in (there.acquire("busy"), there.acquire("done")):
        if answer.key == "done":
            there.finish(answer)
    for key, said in (("busy", Busy), ("done", Duplicate)):
        store.down = True
        for number in range(FAILURES - 1):
            assert outcome(here, f"{key}{number}") is StoreFailed
        store.down = False
        assert outcome(here, key) is said
    assert outcome(here, "free") is None


def test_a_closed_process_gives_everything_back_at_once(process: Processes) -> None:
    here, there = process(), process()
    for key in "abc":
        here.acquire(key)
    here.close()
    assert [outcome(there, key) for key in "abc"] == [None] * 3


def test_a_closed_process_holds_nothing_new(process: Processes) -> None:
    here, there = process(), process()
    here.close()
    with pytest.raises(Draining):
        here.acquire(KEY)
    assert outcome(there) is None


def test_who_finishes_after_it_has_given_everything_back_counts_while_nobody_took_it(
    process: Processes,
) -> None:
    here, there = process(), process()
    kept, taken = here.acquire("kept"), here.acquire("taken")
    here.close()
    there.acquire("taken")
    here.finish(kept)
    here.finish(taken)
    assert outcome(process(), "kept") is Duplicate
    assert outcome(process(), "taken") is Busy


def test_a_claim_that_is_given_back_to_a_store_that_is_down_closes_all_the_same(
    process: Processes, store: Switched
) -> None:
    here = process()
    for number in range(10):
        here.acquire(str(number))
    store.down = True
    asked = len(store.asked)
    here.close()
    assert len(store.asked) - asked <= FAILURES


def test_a_block_whose_end_the_store_did_not_hear_of_is_over_all_the_same(
    process: Processes, store: Switched
) -> None:
    here = process()
    held = claimed(here, KEY)
    with held:
        store.down = True
    assert held.fields == {"claims_error": "the store is down"}
    assert outcome(here) is Duplicate


def test_a_block_that_runs_without_the_store_says_so(process: Processes, store: Switched) -> None:
    here = process(run_on_error=True)
    store.down = True
    held = claimed(here, KEY)
    with held:
        assert held.fields == {"unprotected": True, "claims_error": "the store is down"}
