"""Replay and drop: nothing is lost and everything is handled once, wherever they are ended."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

from tests.contracts.claims import FakeClock
from tests.support.desk import (
    BAD,
    GOOD,
    UNLUCKY,
    FakeSubscription,
    InProcess,
    dead_letter,
    reject,
    rejecting,
    resize,
)
from tests.support.inprocess import ListQuarantine, ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from worker import Context, Requirements, feature
from worker.desk import DeskFailed, Place
from worker.desk.audit import Audit
from worker.desk.check import check
from worker.desk.folder import FolderPlace
from worker.desk.held import Held
from worker.desk.replay import Pace, Replay, drop
from worker.desk.subscription import LEASE_SECONDS, SubscriptionPlace
from worker.desk.target import Target
from worker.desk.topic import TopicTarget
from worker.message import PubsubMessage
from worker.pipeline import Worker, process
from worker.pubsub import PublishFailed
from worker.quarantine import Quarantine
from worker.quarantine.folder import FolderQuarantine
from worker.quarantine.topic import TopicQuarantine
from worker.registry import Features

TOPIC = "projects/demo/topics/features"
SMALLER = {"feature": "shrink"}
STEPS = 2 * 3 * 2  # two messages; each is sent, written down and removed, before and after


class Killed(BaseException):
    """The process ends here."""


class Fuse:
    """Ends the process at the `at`th call of it, 0: never."""

    def __init__(self, at: int = 0) -> None:
        self.calls = 0
        self._at = at

    def __call__(self) -> None:
        self.calls += 1
        if self.calls == self._at:
            raise Killed

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **named: Any) -> Any:
            self()
            result = work(*arguments, **named)
            self()
            return result

        return guarded


class Room:
    """A place with what fills it; `left` is how many messages it has, whoever holds them."""

    def __init__(self, folder: Path) -> None:
        self.audit = folder / "audit.jsonl"
        self.quarantine: Quarantine = FolderQuarantine(folder)
        self._folder = folder
        folder.mkdir()

    def open(self) -> Place:
        return FolderPlace(self._folder)

    def left(self) -> int:
        return len(list(self._folder.glob("*.json")))

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


class PulledRoom(Room):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.source = FakeSubscription()
        self.quarantine = TopicQuarantine("projects/demo/topics/quarantine", self.source.publish)

    def open(self) -> Place:
        self.source.now += LEASE_SECONDS  # whoever was killed before has lost his leases
        name = "projects/demo/subscriptions/held"
        return SubscriptionPlace(name, self.source, sleep=lambda _: None)

    def left(self) -> int:
        return self.source.left()


@pytest.fixture(params=[Room, PulledRoom], ids=["folder", "subscription"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Room:
    made: Room = request.param(tmp_path / "room")
    return made


class Mended:
    """The worker that is deployed after the mistake; `ran` are the messages its handler had."""

    def __init__(self, quarantine: Quarantine | None = None) -> None:
        self.sink = ListSink()
        self.worker: Worker = rejecting(quarantine or ListQuarantine(), sink=self.sink)

    @property
    def done(self) -> list[str]:
        return [e["message_id"] for e in self.sink.entries if e.get("outcome") == "done"]


class Topic:
    """A topic whose subscription pushes to the worker; every publish is another message."""

    def __init__(self, worker: Worker) -> None:
        self.published: list[PubsubMessage] = []
        self._worker = worker
        self._numbers = itertools.count(100)

    def publish(self, topic: str, message: PubsubMessage) -> str:
        assert topic == TOPIC
        self.published.append(message)
        number = str(next(self._numbers))
        attributes = dict(message.attributes)
        process(
            self._worker, push_of(wrapped(message.data, message_id=number, attributes=attributes))
        )
        return number


def replay_of(place: Place, target: Target, room: Room, max_replays: int = 3) -> Replay:
    return Replay(place, target, Audit(room.audit), max_replays)


def fill(room: Room) -> None:
    """Two messages that were rejected by a worker which did not know the feature."""
    for number in ("1", "2"):
        process(make_worker(quarantine=room.quarantine), push_of(wrapped(GOOD, message_id=number)))
    assert room.left() == 2


def run(room: Room, target: Target, fuse: Fuse) -> None:
    """Replay everything, until the fuse blows."""
    with suppress(Killed), room.open() as place:
        replay = replay_of(place, target, room)
        place.remove = fuse.around(place.remove)  # type: ignore[method-assign]
        target.send = fuse.around(target.send)  # type: ignore[method-assign]
        replay.audit.replayed = fuse.around(replay.audit.replayed)  # type: ignore[method-assign]
        for held in list(place.messages()):
            assert replay.send(held).settled


def targets(mended: Mended) -> Iterator[tuple[str, Target]]:
    yield "worker", InProcess(mended.worker)
    yield "topic", TopicTarget(TOPIC, Topic(mended.worker).publish)


@pytest.mark.parametrize("kind", ["worker", "topic"])
@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_ended_at_any_step_and_repeated_each_message_is_handled_once(
    room: Room, kind: str, step: int
) -> None:
    fill(room)
    mended = Mended()

    def target() -> Target:
        return dict(targets(mended))[kind]

    first = Fuse(step)
    run(room, target(), first)
    assert first.calls == step, "the process was not ended"
    assert room.left() + len(mended.done) >= 2
    run(room, target(), Fuse())

    assert room.left() == 0
    assert len(mended.done) == 2
    assert len({e["quarantine_id"] for e in room.entries()}) == 2


def test_there_are_no_other_steps(room: Room) -> None:
    fill(room)
    fuse = Fuse()
    run(room, InProcess(Mended().worker), fuse)
    assert fuse.calls == STEPS


@pytest.mark.parametrize("step", range(1, 5))
def test_a_drop_ended_at_any_step_can_be_repeated(room: Room, step: int) -> None:
    fill(room)
    with room.open() as place:
        chosen, other = sorted(held.id for held in place.messages())
    for fuse in (Fuse(step), Fuse()):
        with suppress(Killed), room.open() as place:
            audit = Audit(room.audit)
            place.remove = fuse.around(place.remove)  # type: ignore[method-assign]
            audit.dropped = fuse.around(audit.dropped)  # type: ignore[method-assign]
            for held in list(place.messages()):
                if held.id == chosen:
                    drop(place, audit, held)
        assert room.left() == 2 or room.entries()[0]["quarantine_id"] == chosen
    with room.open() as place:
        assert [held.id for held in place.messages()] == [other]


def test_what_is_rejected_again_stays_and_is_refused_in_the_end(room: Room) -> None:
    """The same quarantine takes it again, as it is on Cloud Run and on a laptop."""
    reject(room.quarantine, UNLUCKY)
    mended = Mended(room.quarantine)
    target = InProcess(mended.worker)
    answers = []
    for _ in range(5):
        with room.open() as place:
            (held,) = place.messages()
            answers.append((replay_of(place, target, room).send(held).answer, held.replays))
    assert [count for _, count in answers] == [0, 1, 2, 3, 3]
    assert [answer for answer, _ in answers[:3]] == ["rejected"] * 3
    assert answers[3][0].startswith("refused: replayed 3 times already")
    assert [entry["replay_count"] for entry in room.entries()] == [1, 2, 3]


def test_a_replayed_message_that_comes_back_under_another_id_is_refused_in_the_end(
    room: Room,
) -> None:
    """Published to a topic it gets a new id; the attribute travels with it."""
    reject(room.quarantine, UNLUCKY)
    target = TopicTarget(TOPIC, Topic(Mended(room.quarantine).worker).publish)
    ids = set()
    for _ in range(3):
        with room.open() as place:
            (held,) = place.messages()
            ids.add(held.id)
            assert replay_of(place, target, room).send(held).settled
    assert len(ids) == 3
    with room.open() as place:
        (held,) = place.messages()
        assert held.replays == 3
        assert not replay_of(place, target, room).send(held).settled
        assert replay_of(place, target, room, max_replays=4).refusal(held) == ""


def test_the_guard_also_counts_what_the_audit_tells(room: Room) -> None:
    """The worker's quarantine may be elsewhere; the file survives a kill before the count."""
    reject(room.quarantine, UNLUCKY)
    target = InProcess(Mended().worker)
    for _ in range(3):
        with room.open() as place:
            place.count = lambda *_: None  # type: ignore[method-assign]
            (held,) = place.messages()
            replay_of(place, target, room).send(held)
    with room.open() as place:
        (held,) = place.messages()
        assert replay_of(place, target, room).refusal(held).startswith("replayed 3 times")
        room.audit.write_bytes(
            b"\n{\n[]\n" + b"[" * 100_000 + b'\n{"event": "quarantine.replayed"}\n'
        )
        assert replay_of(place, target, room).refusal(held) == ""


def test_what_is_not_acked_stays_and_does_not_count(room: Room) -> None:
    reject(room.quarantine, BAD)
    mended = Mended()
    mended.worker.shutdown.begin(0)  # it answers draining
    with room.open() as place:
        (held,) = place.messages()
        sent = replay_of(place, InProcess(mended.worker), room).send(held)
    assert (sent.answer, sent.settled) == ("draining", False)
    with room.open() as place:
        assert [held.replays for held in place.messages()] == [0]
    assert [(e["answer"], e["replay_count"]) for e in room.entries()] == [("draining", 0)]


def test_a_target_that_cannot_be_used_ends_it_and_the_message_stays(room: Room) -> None:
    reject(room.quarantine, BAD)

    def fail(topic: str, message: PubsubMessage) -> str:
        raise PublishFailed("Pub/Sub answered 404: no topic", 404)

    with pytest.raises(DeskFailed, match="no topic"), room.open() as place:
        replay_of(place, TopicTarget(TOPIC, fail), room).send(next(iter(place.messages())))
    assert room.left() == 1
    assert [entry["removed"] for entry in room.entries()] == [False]


def test_a_message_that_pubsub_does_not_take_stays_and_the_others_go(room: Room) -> None:
    reject(room.quarantine, BAD)

    def fail(topic: str, message: PubsubMessage) -> str:
        raise PublishFailed("Pub/Sub answered 400: too large", 400)

    with room.open() as place:
        sent = replay_of(place, TopicTarget(TOPIC, fail), room).send(next(iter(place.messages())))
    assert (sent.settled, room.left()) == (False, 1)


def test_without_an_audit_entry_nothing_is_removed(room: Room) -> None:
    reject(room.quarantine, BAD)
    room.audit = room.audit / "under a file"
    room.audit.parent.touch()
    target = InProcess(Mended().worker)
    with pytest.raises(DeskFailed, match="audit"), room.open() as place:
        drop(place, Audit(room.audit), next(iter(place.messages())))
    with pytest.raises(DeskFailed, match="audit"), room.open() as place:
        replay_of(place, target, room).send(next(iter(place.messages())))
    assert room.left() == 1


def test_it_is_published_as_it_was_published_first(tmp_path: Path) -> None:
    room = PulledRoom(tmp_path / "room")
    attributes = {"tenant": "a", "QuarantineReason": "x", "googclient_schemaname": "s"}
    data = json.dumps(BAD).encode()
    reject(
        room.quarantine,
        data,
        "17",
        attributes,
        message={  # as a record: a name is taken
            **wrapped(data, message_id="17", attributes=attributes)["message"],
            "orderingKey": "k",
        },
    )
    of_pubsub = dead_letter(data, idempotency_key="mine")
    room.source.publish("", replace(of_pubsub, ordering_key="k2"))
    topic = Topic(Mended().worker)
    with room.open() as place:
        for held in list(place.messages()):
            replay_of(place, TopicTarget(TOPIC, topic.publish), room).send(held)
    by_us, by_pubsub = topic.published
    assert by_us.data == by_pubsub.data == data
    assert (by_us.ordering_key, by_pubsub.ordering_key) == ("k", "k2")
    key = by_us.attributes["idempotency_key"]
    assert key.startswith("replay-sha256-")
    assert by_us.attributes == {"tenant": "a", "replay_count": "1", "idempotency_key": key}
    assert by_pubsub.attributes == {"replay_count": "1", "idempotency_key": "mine"}


def test_an_entry_says_who_did_what_to_which_message(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    reject(room.quarantine, BAD, "17")
    with room.open() as place:
        (held,) = place.messages()
        replay_of(place, TopicTarget(TOPIC, lambda *_: "99"), room).send(held)
        drop(place, Audit(room.audit), held)
        name = place.name
    replayed, dropped = room.entries()
    about = {
        "quarantine_id": held.id, "message_id": "17", "feature": "resize", "reason": held.reason,
        "user": "ada", "severity": "NOTICE",
    }  # fmt: skip
    assert about.items() <= replayed.items()
    assert about.items() <= dropped.items()
    assert replayed["event"] == "quarantine.replayed"
    assert (replayed["target"], replayed["answer"]) == (TOPIC, "published as 99")
    assert (replayed["replay_count"], replayed["removed"]) == (1, True)
    assert (dropped["event"], dropped["quarantine"]) == ("quarantine.dropped", name)


def test_no_more_than_the_rate_go_in_a_second() -> None:
    clock = FakeClock()
    times = []

    def sleep(seconds: float) -> None:
        clock.now += seconds

    pace = Pace(4, clock, sleep)
    for work in (0.0, 0.1, 0.0, 2.0, 0.0, 0.0):
        pace.wait()
        times.append(round(clock.now - 0.0, 6))
        clock.now += work
    gaps = [round(b - a, 6) for a, b in itertools.pairwise(times)]
    assert gaps == [0.25, 0.25, 0.25, 2.0, 0.25]


def test_check_asks_the_handlers_of_today_and_runs_none(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    for number, payload in enumerate((BAD, UNLUCKY, {"feature": "enlarge"})):
        reject(room.quarantine, payload, str(number))
    verdicts = {
        verdict.held.kind: verdict
        for verdict in (check(held, Features([resize])) for held in room.open().messages())
    }
    assert {kind: verdict.passes for kind, verdict in verdicts.items()} == {
        "bad_payload": False, "handler": True, "unknown_feature": False,
    }  # fmt: skip
    assert [kind for kind, verdict in verdicts.items() if verdict.doubt] == ["handler"]


class Fragile(Requirements):
    width: int

    @field_validator("width")
    @classmethod
    def _fits(cls, width: int) -> int:
        return {"width": 1}[f"{width}"]


@feature("resize")
def fragile(want: Fragile, context: Context) -> None:
    """Its requirements cannot be validated at all."""


def test_check_survives_a_validator_that_crashes(tmp_path: Path) -> None:
    room = Room(tmp_path / "room")
    reject(room.quarantine, UNLUCKY)
    (verdict,) = [check(held, Features([fragile])) for held in room.open().messages()]
    assert verdict.reason == "its validation crashes: KeyError"
    assert not verdict.doubt  # its handler rejected it, but now it does not even come to it


def test_a_message_without_an_envelope_is_not_sent(room: Room) -> None:
    with room.open() as place:
        replay = replay_of(place, InProcess(Mended().worker, lambda: pytest.fail("sent")), room)
        sent = replay.send(Held(id="sha256-0", reason="bad envelope", problem="bad envelope: x"))
    assert (sent.answer, sent.settled) == ("refused: bad envelope: x", False)
