"""What every store of claims does.

A subclass hands in `claims`, a store whose lease is LEASE seconds, and `clock`, a FakeClock that
the store reads. A store that cannot be handed a clock (a remote one) overrides `pass_time` instead.
"""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from worker.claims import Claim, Store, claimed
from worker.config import RETENTION_SECONDS
from worker.outcome import Busy, Duplicate

LEASE = 60.0  # seconds
RIVALS = 20


@dataclass
class FakeClock:
    """Seconds that pass when the test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def key() -> str:
    """A key of this test alone: a remote store is not empty."""
    return f"projects/demo/subscriptions/test#id={uuid.uuid4().hex}"


class ClaimsContract:
    def pass_time(self, clock: FakeClock, seconds: float) -> None:
        clock.now += seconds

    def test_a_free_key_is_held_by_who_asks(self, claims: Store, key: str) -> None:
        claim = claims.acquire(key)

        assert claim.key == key
        assert claim.token

    def test_a_held_key_is_busy(self, claims: Store, key: str) -> None:
        claims.acquire(key)

        with pytest.raises(Busy):
            claims.acquire(key)

    def test_another_key_is_free(self, claims: Store, key: str) -> None:
        claims.acquire(key)

        assert claims.acquire(key + "0").key == key + "0"

    def test_a_done_key_is_a_duplicate(self, claims: Store, key: str) -> None:
        claims.finish(claims.acquire(key))

        for _ in range(2):
            with pytest.raises(Duplicate):
                claims.acquire(key)

    def test_a_key_that_was_given_back_is_free(self, claims: Store, key: str) -> None:
        claims.release(claims.acquire(key))

        assert claims.acquire(key).key == key

    def test_each_claim_has_a_token_of_its_own(self, claims: Store, key: str) -> None:
        tokens = set()
        for _ in range(3):
            claim = claims.acquire(key)
            tokens.add(claim.token)
            claims.release(claim)

        assert len(tokens) == 3

    def test_a_key_is_busy_until_its_lease_lapses(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        claims.acquire(key)

        self.pass_time(clock, LEASE - 1)
        with pytest.raises(Busy):
            claims.acquire(key)
        self.pass_time(clock, 1)
        assert claims.acquire(key).key == key

    def test_a_done_key_stays_done_when_its_lease_would_have_lapsed(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        claims.finish(claims.acquire(key))

        self.pass_time(clock, LEASE + RETENTION_SECONDS - 2 * LEASE)
        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_finishing_late_is_fine_while_nobody_else_took_the_key(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        claim = claims.acquire(key)
        self.pass_time(clock, LEASE + 1)

        claims.finish(claim)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_who_lost_a_claim_cannot_finish_the_new_holders(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        lost, holder = self.lose(claims, clock, key)

        claims.finish(lost)

        with pytest.raises(Busy):
            claims.acquire(key)
        claims.release(holder)
        assert claims.acquire(key).key == key

    def test_who_lost_a_claim_cannot_release_the_new_holders(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        lost, holder = self.lose(claims, clock, key)

        claims.release(lost)

        with pytest.raises(Busy):
            claims.acquire(key)
        claims.finish(holder)
        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_who_lost_a_claim_cannot_undo_what_the_new_holder_finished(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        lost, holder = self.lose(claims, clock, key)
        claims.finish(holder)

        claims.release(lost)
        claims.finish(lost)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_a_claim_lives_as_long_as_it_is_renewed(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        claim = claims.acquire(key)

        for _ in range(3):
            self.pass_time(clock, LEASE - 1)
            renewed = claims.renew(claim)
            assert renewed is not None
            assert (renewed.key, renewed.token) == (claim.key, claim.token)
            claim = renewed
        with pytest.raises(Busy):
            claims.acquire(key)
        self.pass_time(clock, LEASE)
        assert claims.acquire(key).key == key

    def test_a_renewed_claim_finishes_and_releases(self, claims: Store, key: str) -> None:
        renewed = claims.renew(claims.acquire(key))
        assert renewed is not None
        claims.release(renewed)
        renewed = claims.renew(claims.acquire(key))
        assert renewed is not None
        claims.finish(renewed)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_a_claim_from_before_it_was_renewed_is_still_the_holders(
        self, claims: Store, key: str
    ) -> None:
        """The answer to a renewal may be lost on its way."""
        claim = claims.acquire(key)
        claims.renew(claim)
        claims.release(claim)
        claim = claims.acquire(key)
        claims.renew(claim)
        claims.finish(claim)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_a_claim_that_was_lost_cannot_be_renewed(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        lost, holder = self.lose(claims, clock, key)

        assert claims.renew(lost) is None
        assert claims.renew(holder) is not None
        claims.finish(holder)
        assert claims.renew(lost) is None

    def test_a_done_key_is_not_given_back(self, claims: Store, key: str) -> None:
        claim = claims.acquire(key)
        claims.finish(claim)

        claims.release(claim)
        claims.finish(claim)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_who_gave_a_key_back_and_finished_after_all_counts_while_nobody_took_it(
        self, claims: Store, key: str
    ) -> None:
        claim = claims.acquire(key)
        claims.release(claim)

        claims.finish(claim)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    def test_a_claim_that_the_store_never_saw_is_finished_while_nobody_holds_the_key(
        self, claims: Store, key: str
    ) -> None:
        """The store was away, or has lost its memory: that the message was handled stays true."""
        claims.release(Claim(key, token=""))
        claims.finish(Claim(key, token=""))
        with pytest.raises(Duplicate):
            claims.acquire(key)

        holder = claims.acquire(key + "0")
        claims.finish(Claim(key + "0", token=""))
        claims.release(Claim(key + "0", token=""))
        with pytest.raises(Busy):
            claims.acquire(key + "0")
        claims.release(holder)

    def test_who_gave_a_key_back_cannot_finish_the_new_holders(
        self, claims: Store, key: str
    ) -> None:
        claim = claims.acquire(key)
        claims.release(claim)
        claims.acquire(key)

        claims.finish(claim)
        claims.release(claim)

        with pytest.raises(Busy):
            claims.acquire(key)

    def test_of_many_that_ask_at_once_exactly_one_gets_the_key(
        self, claims: Store, key: str
    ) -> None:
        line = threading.Barrier(RIVALS)

        def ask(_: int) -> bool:
            line.wait()
            try:
                claims.acquire(key)
            except Busy:
                return False
            return True

        with ThreadPoolExecutor(RIVALS) as pool:
            won = list(pool.map(ask, range(RIVALS)))

        assert won.count(True) == 1

    def test_of_many_that_ask_at_once_for_a_lapsed_key_exactly_one_gets_it(
        self, claims: Store, clock: FakeClock, key: str
    ) -> None:
        claims.acquire(key)
        self.pass_time(clock, LEASE)

        self.test_of_many_that_ask_at_once_exactly_one_gets_the_key(claims, key)

    def test_claimed_marks_the_key_done_when_the_block_returns(
        self, claims: Store, key: str
    ) -> None:
        with claimed(claims, key), pytest.raises(Busy):
            claims.acquire(key)

        with pytest.raises(Duplicate):
            claims.acquire(key)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
    def test_claimed_gives_the_key_back_when_the_block_raises(
        self, claims: Store, key: str, error: type[BaseException]
    ) -> None:
        with pytest.raises(error), claimed(claims, key):
            raise error

        assert claims.acquire(key).key == key

    @pytest.mark.parametrize(
        "strange", ["#", "a/b c", "é犬", "\ud800", "x" * 3000, "__reserved__", ".", "\n\x00"]
    )
    def test_any_text_is_a_key(self, claims: Store, key: str, strange: str) -> None:
        claims.finish(claims.acquire(key + strange))

        with pytest.raises(Duplicate):
            claims.acquire(key + strange)
        assert claims.acquire(key).key == key

    def lose(self, claims: Store, clock: FakeClock, key: str) -> tuple[Claim, Claim]:
        """A claim that was lost to another holder, and the holder's."""
        lost = claims.acquire(key)
        self.pass_time(clock, LEASE)
        return lost, claims.acquire(key)
