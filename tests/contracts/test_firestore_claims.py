"""FirestoreClaims on Google's emulator: the contract, and documents as the real client has them."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from google.cloud.firestore import Client, CollectionReference, DocumentReference, Increment

from tests.contracts.claims import LEASE, RIVALS, ClaimsContract, FakeClock, key
from tests.support.emulator import PROJECT, Emulator
from tests.support.proxy import LossyProxy
from tests.support.rivals import race
from worker.claims import StoreFailed
from worker.claims import firestore as module
from worker.claims.firestore import COLLECTION, FIRESTORE, FirestoreClaims
from worker.config import RETENTION_SECONDS
from worker.outcome import Busy, Duplicate

__all__ = ["key"]  # a fixture of the contract

pytestmark = pytest.mark.emulator("firestore")

Make = Callable[..., FirestoreClaims]

DEFAULT = "(default)"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def make(firestore: Emulator, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a store; all of one test share their documents, and no other test has them."""
    monkeypatch.setenv(FIRESTORE.emulator, firestore.host)
    monkeypatch.setattr(module, "_CALL_SECONDS", 10.0)  # a busy machine is no failure
    monkeypatch.setattr(module, "_TOTAL_SECONDS", 20.0)
    collection = uuid.uuid4().hex

    def made(database: str = DEFAULT) -> FirestoreClaims:
        return FirestoreClaims(PROJECT, database, LEASE, RETENTION_SECONDS, collection)

    return made


@pytest.fixture
def claims(make: Make) -> FirestoreClaims:
    return make()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()  # nobody reads it


@pytest.fixture
def collection(claims: FirestoreClaims) -> CollectionReference:
    """The documents, by way of the official client."""
    return Client(project=PROJECT).collection(claims._collection)


@pytest.fixture
def document(collection: CollectionReference, key: str) -> DocumentReference:
    return collection.document(sha256(key.encode()).hexdigest())


@pytest.fixture
def proxy(firestore: Emulator, make: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyProxy]:
    """What stores talk to from now on."""
    with LossyProxy(firestore.host) as running:
        monkeypatch.setenv(FIRESTORE.emulator, running.address)
        yield running


def age(document: DocumentReference, seconds: float) -> None:
    """The record counts for so much less."""
    document.update({"seconds": Increment(-seconds)})


def read(document: DocumentReference) -> dict[str, Any]:
    return document.get().to_dict() or {}


def is_busy(claims: FirestoreClaims, key: str) -> bool:
    try:
        claims.release(claims.acquire(key))
    except Busy:
        return True
    return False


def is_done(claims: FirestoreClaims, key: str) -> bool:
    try:
        claims.release(claims.acquire(key))
    except Duplicate:
        return True
    return False


class TestFirestoreClaims(ClaimsContract):
    @pytest.fixture(autouse=True)
    def _client(self, collection: CollectionReference) -> None:
        self.collection = collection

    def pass_time(self, clock: FakeClock, seconds: float) -> None:
        for document in self.collection.list_documents():
            age(document, seconds)


# --- documents


def test_a_held_key_is_a_document_that_people_can_read(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    now = datetime.now(UTC)
    claim = claims.acquire(key)

    record = read(document)
    expires = record.pop("expires_at")
    assert record == {"key": key, "state": "held", "token": claim.token, "seconds": LEASE}
    assert abs(expires - now - timedelta(seconds=RETENTION_SECONDS)) < MINUTE


def test_a_done_key_is_deleted_after_its_retention(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    now = datetime.now(UTC)
    claims.finish(claims.acquire(key))

    record = read(document)
    assert record["state"] == "done"
    assert record["seconds"] == RETENTION_SECONDS
    assert abs(record["expires_at"] - now - timedelta(seconds=RETENTION_SECONDS)) < MINUTE


def test_a_key_that_was_given_back_has_no_document(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    claims.release(claims.acquire(key))

    assert not document.get().exists


@pytest.mark.parametrize(
    ("strange", "readable"), [("\ud800\n\x00é", "\\ud800\n\x00é"), ("é" * 5_000, "é" * 5_000)]
)
def test_a_key_is_kept_as_text_as_far_as_it_goes(
    claims: FirestoreClaims, collection: CollectionReference, strange: str, readable: str
) -> None:
    claims.acquire(strange)

    (found,) = collection.stream()
    assert read(found.reference)["key"] == readable[:1_000]
    assert found.id == sha256(strange.encode("utf-8", "surrogatepass")).hexdigest()


def test_a_claim_knows_the_version_of_its_document(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    first = claims.acquire(key)
    assert datetime.fromisoformat(first.version) == document.get().update_time

    second = claims.renew(first)
    assert second is not None
    assert second.version > first.version
    assert datetime.fromisoformat(second.version) == document.get().update_time


@pytest.mark.parametrize(("finish", "seconds"), [(False, LEASE), (True, RETENTION_SECONDS)])
def test_a_document_that_the_ttl_policy_has_not_deleted_yet_is_taken_over(
    claims: FirestoreClaims, document: DocumentReference, key: str, finish: bool, seconds: float
) -> None:
    old = claims.acquire(key)
    if finish:
        claims.finish(old)

    age(document, seconds)
    claim = claims.acquire(key)

    assert read(document)["token"] == claim.token != old.token
    assert is_busy(claims, key)


def test_a_record_counts_for_as_long_as_its_writer_said(
    make: Make, document: DocumentReference, key: str
) -> None:
    """Whoever asks may have been deployed with another lease."""
    claims, brief = make(), make()
    brief._lease = 1

    claims.acquire(key)
    age(document, LEASE - 30)

    assert is_busy(brief, key)


@pytest.mark.parametrize("hours", [-23, 23])
def test_a_worker_whose_clock_is_wrong_does_no_harm(
    make: Make, document: DocumentReference, key: str, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(hours=hours)

    wrong, right = make(), make()
    with monkeypatch.context() as patch:
        patch.setattr(module, "datetime", Wrong)
        claim = wrong.acquire(key)
        assert is_busy(wrong, key)
    assert is_busy(right, key)

    assert read(document)["expires_at"] > datetime.now(UTC) + timedelta(seconds=LEASE)
    right.release(claim)
    right.acquire(key)
    with monkeypatch.context() as patch:
        patch.setattr(module, "datetime", Wrong)
        assert is_busy(wrong, key)


def test_databases_have_claims_of_their_own(make: Make, key: str) -> None:
    make().acquire(key)

    assert not is_busy(make("other"), key)


def test_documents_are_in_one_collection_for_the_ttl_policy(key: str, make: Make) -> None:
    claims = FirestoreClaims(PROJECT, DEFAULT, LEASE, RETENTION_SECONDS)
    claims.release(claims.acquire(key))

    assert claims._collection == COLLECTION == "feature-worker-claims"


# --- at the same time


def test_of_many_that_ask_for_a_done_key_that_expired_exactly_one_gets_it(
    make: Make, document: DocumentReference, key: str
) -> None:
    """They would wait for each other, two seconds and more, in transactions."""
    stores = [make() for _ in range(RIVALS)]
    stores[0].finish(stores[0].acquire(key))
    age(document, RETENTION_SECONDS)
    line = threading.Barrier(RIVALS)

    def ask(claims: FirestoreClaims) -> str:
        line.wait()
        try:
            return claims.acquire(key).token
        except Busy:
            return ""

    with ThreadPoolExecutor(RIVALS) as pool:
        tokens = set(pool.map(ask, stores))

    assert tokens == {"", read(document)["token"]}


def test_two_processes_share_their_claims(
    firestore: Emulator, claims: FirestoreClaims, key: str
) -> None:
    keys = [f"{key}-{number}" for number in range(100)]
    arguments = (PROJECT, DEFAULT, 60, 60, claims._collection)
    made = f"import os; os.environ[{FIRESTORE.emulator!r}] = {firestore.host!r}\n"
    made += "from worker.claims.firestore import FirestoreClaims\n"
    made += f"claims = FirestoreClaims(*{arguments!r})"

    first, second = race(made, keys)

    assert sorted(first + second) == sorted(keys)


# --- lost answers


def test_who_did_not_hear_that_it_holds_the_key_looks_and_holds_it(
    claims: FirestoreClaims, proxy: LossyProxy, key: str
) -> None:
    proxy.lose("cut")
    claim = claims.acquire(key)

    assert is_busy(claims, key)
    claims.release(claim)
    assert not is_busy(claims, key)


def test_a_lost_answer_to_what_comes_later_changes_nothing(
    claims: FirestoreClaims, proxy: LossyProxy, key: str
) -> None:
    claim = claims.acquire(key)
    proxy.lose("cut")
    renewed = claims.renew(claim)
    assert renewed is not None
    proxy.lose("cut")
    claims.release(renewed)
    assert not is_busy(claims, key)

    claim = claims.acquire(key)
    proxy.lose("cut")
    claims.finish(claim)
    assert is_done(claims, key)


def test_a_claim_whose_answer_never_came_can_be_given_back(
    claims: FirestoreClaims, proxy: LossyProxy, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "_CALL_SECONDS", 0.3)
        proxy.lose("swallowed", "swallowed")
        with pytest.raises(StoreFailed) as failed:
            claims.acquire(key)

    assert failed.value.reason == "Firestore cannot be used: ReadTimeout"
    assert is_busy(claims, key)
    assert failed.value.doubtful is not None
    claims.release(failed.value.doubtful)
    assert not is_busy(claims, key)


def test_what_was_deleted_by_hand_is_done_all_the_same_when_its_handler_returns(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    claim = claims.acquire(key)
    document.delete()

    claims.finish(claim)

    assert is_done(claims, key)


def test_what_was_deleted_by_hand_can_be_renewed_until_another_holds_it(
    claims: FirestoreClaims, document: DocumentReference, key: str
) -> None:
    claim = claims.acquire(key)
    document.delete()
    renewed = claims.renew(claim)
    assert renewed is not None
    assert is_busy(claims, key)

    document.delete()
    claims.acquire(key)
    assert claims.renew(renewed) is None
    claims.finish(renewed)
    claims.release(renewed)
    assert is_busy(claims, key)
