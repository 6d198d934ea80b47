"""FirestoreClaims against a stand-in for Firestore's REST API, and without one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.proxy import silent_address
from tests.support.standin import Call, Reply, StandIn, unused_address
from worker.claims import Claim, StoreFailed
from worker.claims import firestore as module
from worker.claims.firestore import FIRESTORE, FirestoreClaims
from worker.outcome import Busy, Duplicate
from worker.rest import CallFailed

KEY = "SECRET#id=1"
CLAIM = Claim(KEY, "token", "2026-11-21T19:20:09.000001Z")
DOCUMENTS = "projects/demo/databases/(default)/documents"
NAME = f"{DOCUMENTS}/feature-worker-claims/"
WRITTEN = Reply.json({"writeResults": [{"updateTime": "2026-11-21T19:20:09.017Z"}]})
MISSING = Reply.json([{"missing": NAME, "readTime": "2026-11-21T19:20:09Z"}])
ROLE = "(want roles/datastore.user for the account, and the API enabled)"
DATABASE = "(want a database that exists, see GOOGLE_CLOUD_PROJECT and CLAIMS)"
METHODS: list[Callable[[FirestoreClaims], object]] = [
    lambda claims: claims.acquire(KEY),
    lambda claims: claims.renew(CLAIM),
    lambda claims: claims.finish(CLAIM),
    lambda claims: claims.release(CLAIM),
]


def refusal(status: int, code: str, said: str) -> Reply:
    return Reply.json({"error": {"code": status, "message": said, "status": code}}, status)


CONFLICT = refusal(409, "ALREADY_EXISTS", "Document already exists")
STALE = refusal(400, "FAILED_PRECONDITION", "the stored version does not match")


def found(state: str = "held", seconds: float = 60, holder: str = "other") -> Reply:
    """A record that was written ten seconds ago."""
    fields = {
        "state": {"stringValue": state},
        "token": {"stringValue": holder},
        "seconds": {"doubleValue": seconds},
    }
    record = {"name": NAME, "fields": fields, "updateTime": "2026-11-21T19:20:09.5Z"}
    return Reply.json([{"found": record, "readTime": "2026-11-21T19:20:19.500000001Z"}])


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn(lambda _call: WRITTEN) as running:
        monkeypatch.setenv(FIRESTORE.emulator, running.address)
        yield running


@pytest.fixture
def claims() -> Iterator[FirestoreClaims]:
    made = FirestoreClaims("demo", "(default)", 60, 3600)
    yield made
    if hasattr(made._api._sessions, "session"):
        made._api._sessions.session.close()


def answers(service: StandIn, *replies: Reply) -> None:
    """One after the other; the last one again and again."""
    waiting = list(replies)
    service.answer = lambda _call: waiting.pop(0) if len(waiting) > 1 else waiting[0]


def asked(service: StandIn) -> list[str]:
    """The calls: the method, and for a commit what it expects of the document."""
    return [_in_words(call) for call in service.calls]


def _in_words(call: Call) -> str:
    _, _, method = call.path.rpartition(":")
    assert call.path == f"/v1/{DOCUMENTS}:{method}"
    if method == "batchGet":
        return method
    ((name, value),) = call.json()["writes"][0]["currentDocument"].items()
    return f"{method} if {name}={value}"


def failure(claims: FirestoreClaims, call: Callable[[FirestoreClaims], object]) -> str:
    with pytest.raises(StoreFailed) as failed:
        call(claims)
    said = failed.value.reason
    assert "SECRET" not in said
    assert "127.0.0.1" not in said
    assert "\n" not in said
    return said


# --- calls


def test_a_key_costs_two_calls(service: StandIn, claims: FirestoreClaims) -> None:
    claims.finish(claims.acquire(KEY))

    assert asked(service) == [
        "commit if exists=False",
        "commit if updateTime=2026-11-21T19:20:09.017Z",
    ]


def test_a_duplicate_costs_two_calls(service: StandIn, claims: FirestoreClaims) -> None:
    answers(service, CONFLICT, found("done"))

    with pytest.raises(Duplicate):
        claims.acquire(KEY)

    assert asked(service) == ["commit if exists=False", "batchGet"]


@pytest.mark.parametrize(("seconds", "counts"), [(10.1, True), (10, False), (-1, False)])
def test_a_record_counts_until_its_seconds_have_passed_for_firestore(
    service: StandIn, claims: FirestoreClaims, seconds: float, counts: bool
) -> None:
    answers(service, CONFLICT, found(seconds=seconds), WRITTEN)

    if counts:
        with pytest.raises(Busy):
            claims.acquire(KEY)
    else:
        claims.acquire(KEY)
        assert asked(service)[-1] == "commit if updateTime=2026-11-21T19:20:09.5Z"


@pytest.mark.parametrize("conflict", ["FAILED_PRECONDITION", "NOT_FOUND", "ABORTED"])
def test_who_loses_a_race_for_a_lapsed_key_finds_who_won(
    service: StandIn, claims: FirestoreClaims, conflict: str
) -> None:
    lost = refusal(409, conflict, "")
    answers(service, CONFLICT, found(seconds=1), lost, found(holder="winner"))

    with pytest.raises(Busy):
        claims.acquire(KEY)


def test_a_key_that_others_never_leave_alone_is_given_up(
    service: StandIn, claims: FirestoreClaims
) -> None:
    service.answer = lambda call: STALE if call.path.endswith("commit") else MISSING

    for call in METHODS:
        service.calls.clear()
        assert failure(claims, call).startswith("Firestore answered 400: the stored version")
        assert len(service.calls) == 5


# --- failures


@pytest.mark.parametrize("call", METHODS)
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            refusal(403, "PERMISSION_DENIED", "Not\nallowed."),
            f"Firestore answered 403: Not allowed. {ROLE}",
        ),
        (
            refusal(404, "NOT_FOUND", "Not there."),
            f"Firestore answered 404: Not there. {DATABASE}",
        ),
        (refusal(429, "RESOURCE_EXHAUSTED", "Quota"), "Firestore answered 429: Quota"),
        (refusal(503, "UNAVAILABLE", "Later"), "Firestore answered 503: Later"),
        (Reply(502, b"<html>"), "Firestore answered 502: Bad Gateway"),
        (Reply(200, b"<html>"), "Firestore cannot be used: JSONDecodeError"),
        (Reply.json({}), "Firestore answered what cannot be read"),
        (Reply.json([]), "Firestore answered what cannot be read"),
    ],
    ids=["denied", "no database", "quota", "unavailable", "gateway", "no json", "empty", "none"],
)
def test_what_firestore_says_is_passed_on(
    service: StandIn, claims: FirestoreClaims, reply: Reply, reason: str, call: Any
) -> None:
    answers(service, reply)

    assert failure(claims, call) == reason


@pytest.mark.parametrize("call", METHODS)
def test_a_write_that_may_have_been_done_is_looked_for(
    service: StandIn, claims: FirestoreClaims, call: Any
) -> None:
    answers(service, Reply(500), found(holder="token"), WRITTEN)

    if call is METHODS[0]:
        with pytest.raises(Busy):  # its token is its own
            call(claims)
    else:
        call(claims)
        assert asked(service)[-1] == "commit if updateTime=2026-11-21T19:20:09.5Z"


@pytest.mark.parametrize("call", METHODS)
def test_nobody_listening_is_a_failure(
    claims: FirestoreClaims, monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    monkeypatch.setenv(FIRESTORE.emulator, unused_address())

    assert failure(claims, call) == "Firestore cannot be used: ConnectionError"


def test_no_wait_is_a_large_part_of_what_a_push_may_take() -> None:
    assert module._CALL_SECONDS <= 1
    assert module._TOTAL_SECONDS <= 2


@pytest.mark.parametrize("call", METHODS)
def test_an_answer_that_does_not_come_is_a_failure(
    claims: FirestoreClaims, monkeypatch: pytest.MonkeyPatch, call: Any
) -> None:
    monkeypatch.setattr(module, "_CALL_SECONDS", 0.1)
    with silent_address() as address:
        monkeypatch.setenv(FIRESTORE.emulator, address)
        assert failure(claims, call) == "Firestore cannot be used: ReadTimeout"


def test_when_the_time_is_used_up_nothing_more_is_asked(
    service: StandIn, claims: FirestoreClaims, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_TOTAL_SECONDS", 0.0)

    assert failure(claims, METHODS[0]) == "Firestore cannot be used: timed out"
    assert service.calls == []


def test_a_failed_acquire_names_what_may_be_held(service: StandIn, claims: FirestoreClaims) -> None:
    answers(service, Reply(503))

    with pytest.raises(StoreFailed) as failed:
        claims.acquire(KEY)

    sent = service.calls[0].json()["writes"][0]["update"]["fields"]["token"]["stringValue"]
    assert failed.value.doubtful == Claim(KEY, sent)


def test_without_credentials_the_failure_says_what_to_do(
    claims: FirestoreClaims, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(FIRESTORE.emulator, raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    assert "gcloud auth application-default login" in failure(claims, METHODS[0])


# --- whatever is answered


TAKEN = object()  # what a commit comes to when there is a record already


class Answering:
    """In place of the Api."""

    def __init__(self, commit: Any, record: Any) -> None:
        self._answers = {"commit": commit, "batchGet": record}

    def post(self, path: str, body: Any, timeout_seconds: float) -> Any:
        answer = self._answers[path.rpartition(":")[2]]
        if answer is TAKEN:
            raise CallFailed("taken", 409, "ALREADY_EXISTS")
        return answer


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
TIMES = st.datetimes().map(lambda time: f"{time.isoformat()}Z") | JSON


def a_dict(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(values)


STRINGS = a_dict(stringValue=st.sampled_from(["held", "done"]) | JSON)
FIELDS = a_dict(seconds=a_dict(doubleValue=JSON), state=STRINGS, token=STRINGS) | JSON
RECORDS = a_dict(found=a_dict(updateTime=TIMES, fields=FIELDS), readTime=TIMES) | JSON


def ends(claims: FirestoreClaims, commit: Any, record: Any) -> list[str]:
    """How the methods end, if they do in one of the ways they may."""
    claims._api = Answering(commit, record)  # type: ignore[assignment]
    ways = []
    for call in METHODS:
        try:
            call(claims)
        except (Busy, Duplicate, StoreFailed) as stop:
            ways.append(type(stop).__name__)
        else:
            ways.append("done")
    return ways


@given(RECORDS.map(lambda one: [one]) | JSON)
@example([{"found": {"updateTime": "2026-01-01T00:00:00", "fields": {}}, "readTime": "x"}])
@example([{"missing": "", "readTime": ""}])
def test_whatever_a_read_answers_is_one_of_the_outcomes(record: Any) -> None:
    acquire, *_ = ends(FirestoreClaims("demo", "(default)", 60, 3600), TAKEN, record)

    assert acquire != "done"


def test_a_number_too_large_for_python_cannot_be_read() -> None:
    text = {"stringValue": "held"}
    fields = {"seconds": {"doubleValue": 10**400}, "state": text, "token": text}
    time = "2026-01-01T00:00:00Z"
    record = [{"found": {"updateTime": time, "fields": fields}, "readTime": time}]

    claims = FirestoreClaims("demo", "(default)", 60, 3600)

    assert ends(claims, TAKEN, record) == ["StoreFailed"] * len(METHODS)


@given(JSON | a_dict(writeResults=JSON | st.lists(JSON | a_dict(updateTime=JSON), max_size=2)))
def test_whatever_a_write_answers_is_one_of_the_outcomes(commit: Any) -> None:
    claims = FirestoreClaims("demo", "(default)", 60, 3600)

    assert set(ends(claims, commit, [{"missing": ""}])) <= {"done", "StoreFailed"}
