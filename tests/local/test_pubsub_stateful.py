"""Any sequence of calls, against a model that is too simple to be wrong."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    precondition,
    rule,
)

from tests.local.pubsub_support import (
    DEAD,
    DEAD_LETTERS,
    SUBSCRIPTION,
    TOPIC,
    make_topics,
    stopped_clock,
    subscribe,
)
from worker.local.pubsub import protos
from worker.local.pubsub.service import PubSub
from worker.message import PubsubMessage

LEAST, MOST, ATTEMPTS = 4, 16, 5
SECONDS = st.integers(1, 12)


@dataclass
class Message:
    """What the model knows of a message."""

    id: str
    key: str
    due: float
    lease: str = ""  # the ack id that it was handed out with last, while that lasts
    failures: int = 0
    ack_ids: set[str] = field(default_factory=set)


class Model(RuleBasedStateMachine):
    """`backlog` is in the order of publication; whoever is acked or dead has left it."""

    ack_ids = Bundle("ack_ids")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = stopped_clock()
        self.pubsub = PubSub(Path(self.folder.name), self.clock)
        self.backlog: list[Message] = []
        self.dead = 0

    @initialize(ordered=st.booleans(), backoff=st.booleans(), dead_letters=st.booleans())
    def begin(self, *, ordered: bool, backoff: bool, dead_letters: bool) -> None:
        self.ordered, self.backoff, self.dead_letters = ordered, backoff, dead_letters
        policy = {
            "minimum_backoff": protos.duration(LEAST),
            "maximum_backoff": protos.duration(MOST),
        }
        make_topics(self.pubsub)
        subscribe(
            self.pubsub,
            enable_message_ordering=ordered,
            **({"retry_policy": policy} if backoff else {}),
            **({"dead_letter_policy": DEAD_LETTERS} if dead_letters else {}),
        )

    @rule(key=st.sampled_from(["", "a", "b"]))
    def publish(self, key: str) -> None:
        message_id = self.pubsub.publish_message(TOPIC, PubsubMessage(b"x", {}, key))
        self.backlog.append(Message(message_id, key if self.ordered else "", self.clock.now()))

    @rule(target=ack_ids, most=st.integers(1, 4), seconds=SECONDS)
    def lease(self, most: int, seconds: int) -> object:
        self.lapse()
        expected = self.ready()[:most]

        leased = self.pubsub.lease(SUBSCRIPTION, most, float(seconds))

        assert [(one.message_id, one.attempt) for one in leased] == [
            (one.id, one.failures + 1) for one in expected
        ]
        for one, known in zip(leased, expected, strict=True):
            known.lease, known.due = one.ack_id, self.clock.now() + seconds
            known.ack_ids.add(one.ack_id)
        return multiple(*(one.ack_id for one in leased))

    @rule(ack_id=ack_ids)
    def ack(self, ack_id: str) -> None:
        self.lapse()
        self.pubsub.ack(SUBSCRIPTION, [ack_id])
        self.backlog = [one for one in self.backlog if ack_id not in one.ack_ids]

    @rule(ack_id=ack_ids)
    def nack(self, ack_id: str) -> None:
        self.lapse()
        self.pubsub.nack(SUBSCRIPTION, [ack_id])
        for one in self.leased(ack_id):
            self.fail(one, self.clock.now())

    @rule(ack_id=ack_ids, seconds=SECONDS)
    def extend(self, ack_id: str, seconds: int) -> None:
        self.lapse()
        self.pubsub.extend(SUBSCRIPTION, [ack_id], float(seconds))
        for one in self.leased(ack_id):
            one.due = self.clock.now() + seconds

    @rule(ack_id=ack_ids)
    def release(self, ack_id: str) -> None:
        self.lapse()
        self.pubsub.release(SUBSCRIPTION, [ack_id])
        for one in self.leased(ack_id):
            one.lease, one.due = "", self.clock.now()

    @rule(seconds=SECONDS)
    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.pubsub.close()
        self.pubsub = PubSub(Path(self.folder.name), self.clock)

    @precondition(lambda self: self.backlog)
    @rule()
    def look(self) -> None:
        self.lapse()
        assert self.pubsub.lease(SUBSCRIPTION, 0, 1.0) == []
        assert self.pubsub.backlog() == {SUBSCRIPTION: len(self.backlog), DEAD: self.dead}
        times = [one.due for one in self.backlog if one.lease or self.is_head(one)]
        assert self.pubsub.next_time(SUBSCRIPTION) == min(times, default=None)

    def teardown(self) -> None:
        """Nothing is lost: what was not acked is delivered until it is."""
        while self.backlog:
            self.clock.advance(20)
            self.lapse()
            expected = {one.id for one in self.ready()}
            leased = self.pubsub.lease(SUBSCRIPTION, 1000, 10.0)
            assert {one.message_id for one in leased} == expected
            self.pubsub.ack(SUBSCRIPTION, [one.ack_id for one in leased])
            self.backlog = [one for one in self.backlog if one.id not in expected]
        self.pubsub.close()
        self.folder.cleanup()
        super().teardown()

    def lapse(self) -> None:
        for one in list(self.backlog):
            if one.lease and one.due <= self.clock.now():
                self.fail(one, one.due)

    def fail(self, message: Message, time: float) -> None:
        message.failures += 1
        message.lease = ""
        if self.dead_letters and message.failures >= ATTEMPTS:
            self.backlog.remove(message)
            self.dead += 1
        wait = min(MOST, LEAST * 2 ** (message.failures - 1)) if self.backoff else 0
        message.due = time + wait

    def leased(self, ack_id: str) -> list[Message]:
        return [one for one in self.backlog if one.lease == ack_id]

    def is_head(self, message: Message) -> bool:
        same = [one for one in self.backlog if one.key == message.key]
        return not message.key or same[0] is message

    def ready(self) -> list[Message]:
        found = [
            one
            for one in self.backlog
            if not one.lease and one.due <= self.clock.now() and self.is_head(one)
        ]
        return sorted(found, key=lambda one: (one.due, int(one.id)))


TestAnySequence = Model.TestCase
TestAnySequence.settings = settings(max_examples=40, stateful_step_count=30)
