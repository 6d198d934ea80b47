"""What tests of the quarantine desk share: rejected messages, a subscription in memory, targets."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from tests.support.inprocess import make_worker
from tests.support.pushes import SUBSCRIPTION, push_of, wrapped
from worker import Context, Reject, Requirements, feature
from worker.desk.held import Held
from worker.desk.target import Sent, attributes_again
from worker.message import Message, PubsubMessage, Push
from worker.pipeline import Worker, process
from worker.pubsub import Received
from worker.quarantine import Quarantine

GOOD = {"feature": "resize", "requirements": {"width": 5}}
BAD = {"feature": "resize", "requirements": {"wdth": 5}}
WHY_BAD = "bad payload: requirements.width: missing; requirements.wdth: unknown field"
UNLUCKY = {"feature": "resize", "requirements": {"width": 13}}
UNKNOWN = {"feature": "enlarge"}
BROKEN = b'{"message": 1}'


class Resize(Requirements):
    width: int = Field(gt=0)


@feature("resize")
def resize(want: Resize, context: Context) -> None:
    """Reject what is unlucky."""
    if want.width == UNLUCKY["requirements"]["width"]:  # type: ignore[index]
        raise Reject("the width is unlucky")


def rejecting(quarantine: Quarantine, **parts: Any) -> Worker:
    """A worker that has resize, and that quarantine."""
    return make_worker(resize, quarantine=quarantine, **parts)


def reject(
    quarantine: Quarantine,
    payload: Any = BAD,
    message_id: str = "1",
    attributes: Mapping[str, str] | None = None,
    **envelope: Any,
) -> None:
    """Let a worker reject a wrapped push, and keep it in this quarantine."""
    push = push_of(
        wrapped(payload, message_id=message_id, attributes=dict(attributes or {}), **envelope)
    )
    reject_push(quarantine, push)


def reject_push(quarantine: Quarantine, push: Push) -> None:
    answer = process(rejecting(quarantine), push)
    assert (answer.outcome.name, answer.status) == ("rejected", 200), answer


def dead_letter(data: bytes, **attributes: str) -> PubsubMessage:
    """As Pub/Sub itself publishes what was not acked in time."""
    _, project, _, subscription = SUBSCRIPTION.split("/")
    source = {
        "DeliveryCount": "5",
        "Subscription": subscription,
        "SubscriptionProject": project,
        "TopicPublishTime": "2026-11-21T19:20:09.017+00:00",
    }
    added = {f"CloudPubSubDeadLetterSource{name}": value for name, value in source.items()}
    return PubsubMessage(data, {**attributes, **added})


@dataclass
class _Waiting:
    message: PubsubMessage
    published: datetime
    ack_id: str = ""
    free_at: float = 0.0  # seconds on the fake's clock


class FakeSubscription:
    """A topic with one pull subscription, in memory; what Pub/Sub promises and no more."""

    def __init__(self, ack_deadline_seconds: float = 10.0) -> None:
        self.now = 0.0
        self.published: list[PubsubMessage] = []
        self._deadline = ack_deadline_seconds
        self._waiting: dict[str, _Waiting] = {}
        self._numbers = itertools.count(1)

    def publish(self, _topic: str, message: PubsubMessage) -> str:
        number = str(next(self._numbers))
        self.published.append(message)
        self._waiting[number] = _Waiting(message, datetime.now(UTC))
        return number

    def left(self) -> int:
        """How many were not acked."""
        return len(self._waiting)

    def free(self) -> int:
        """How many anybody could pull now."""
        return sum(one.free_at <= self.now for one in self._waiting.values())

    def pull(self, most: int) -> list[Received]:
        free = [(key, one) for key, one in self._waiting.items() if one.free_at <= self.now]
        pulled = []
        for key, one in free[:most]:
            one.ack_id = f"ack-{next(self._numbers)}"
            one.free_at = self.now + self._deadline
            pulled.append(Received(one.ack_id, key, one.published, one.message))
        return pulled

    def acknowledge(self, ack_ids: list[str]) -> None:
        for key in self._of(ack_ids):
            del self._waiting[key]

    def modify_ack_deadline(self, ack_ids: list[str], seconds: int) -> None:
        for key in self._of(ack_ids):
            self._waiting[key].free_at = self.now + seconds

    def _of(self, ack_ids: list[str]) -> list[str]:
        """Those whose lease has not lapsed; an ack that is late changes nothing."""
        return [
            key
            for key, one in self._waiting.items()
            if one.ack_id in ack_ids and one.free_at > self.now
        ]


class InProcess:
    """A target that hands replays to a worker in this process, as the HTTP one does."""

    name = "in-process"

    def __init__(self, worker: Worker, before: Callable[[], None] = lambda: None) -> None:
        self._worker = worker
        self._before = before

    def send(self, _held: Held, message: Message, replays: int) -> Sent:
        self._before()
        body = wrapped(
            message.data,
            message_id=message.id,
            attributes=attributes_again(message, replays),
            subscription=message.subscription,
        )
        answer = process(self._worker, push_of(body))
        name = answer.outcome.name
        return Sent(name, name in ("done", "duplicate"), rejected=name == "rejected")
