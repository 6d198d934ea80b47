"""What is under way for one push subscription: messages are leased here, and settled."""

import contextlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from worker.local.errors import ApiError
from worker.local.pubsub.leases import Leased, PushTarget
from worker.local.pubsub.push.broker import Broker
from worker.local.pubsub.push.courier import Job, Verdict
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.pubsub.push.flow import Flow

BURST_SECONDS = 2.0  # that a burst waits for more messages
_MIX = 20  # messages among which the next is chosen
# A lease outlasts its push, also on a machine that is slow to hear of its end.
_LEASE_MARGIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Task:
    """A job and what it is to its lane: a copy settles nothing."""

    job: Job
    step: int
    copy: bool = False


class Lane:
    """Of one subscription. Used by the scheduler's thread alone."""

    def __init__(self, broker: Broker, target: PushTarget) -> None:
        self.target = target
        self._broker = broker
        self._flow = Flow()
        self._held: list[Leased] = []
        self._held_since = 0.0
        self._under_way: set[str] = set()
        self._renewal = math.inf
        self._random = random.Random()  # noqa: S311 - chooses faults, no secrets

    def due(self, faults: FaultSettings, free: int) -> float:
        """When `work` may have something to do, in seconds since the epoch; inf: after news."""
        return min(self._renewal, self._due(faults, free))

    def _due(self, faults: FaultSettings, free: int) -> float:
        if faults.paused or free <= 0:
            return math.inf
        now = self._broker.clock.now()
        if now < self._flow.resumes:
            return self._flow.resumes
        if not faults.burst and not self._flow.room(len(self._under_way), now):
            return math.inf
        if self._held and len(self._held) >= faults.burst:
            return now
        coming = self._broker.next_time(self.target.subscription)
        kept = self._held_since + BURST_SECONDS if self._held else math.inf
        return min(kept, math.inf if coming is None else coming)

    def work(self, faults: FaultSettings, free: int) -> list[Task]:
        """Keep the leases; the pushes that shall begin now, at most `free`."""
        now = self._broker.clock.now()
        self._renew(now)
        if faults.paused or free <= 0 or now < self._flow.resumes:
            return []
        if faults.burst:
            return self._burst(faults, now, free)
        room = min(self._flow.room(len(self._under_way), now), free)
        if not room:
            return []
        self._lease(max(room, _MIX if faults.reorder else 0), now)
        return self._begin(room, faults)

    def settle(self, ended: Sequence[tuple[Task, Verdict]]) -> None:
        """Tell what became of messages. A subscription that is gone does not want to know."""
        now = self._broker.clock.now()
        ids: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
        for task, verdict in ended:
            if task.copy:
                continue
            self._under_way.discard(task.job.message.ack_id)
            ids[verdict].append(task.job.message.ack_id)
            if verdict is Verdict.ACK:
                self._flow.acked()
            elif verdict is Verdict.NACK:
                self._flow.nacked(task.step, now)
        tell = {
            Verdict.ACK: self._broker.ack,
            Verdict.NACK: self._broker.nack,
            Verdict.RELEASE: self._broker.release,
        }
        for verdict, ack_ids in ids.items():
            if ack_ids:
                with contextlib.suppress(ApiError):
                    tell[verdict](self.target.subscription, ack_ids)

    def give_back(self, *, all_of_them: bool) -> None:
        """Let others have the messages that were not pushed yet, or those under way as well."""
        ack_ids = [one.ack_id for one in self._held]
        self._held = []
        if all_of_them:
            ack_ids += self._under_way
            self._under_way = set()
        if ack_ids:
            with contextlib.suppress(ApiError):
                self._broker.release(self.target.subscription, ack_ids)

    def _burst(self, faults: FaultSettings, now: float, free: int) -> list[Task]:
        """All at once when enough of them wait, or have waited long enough."""
        self._lease(faults.burst, now)
        waited = now - self._held_since >= BURST_SECONDS
        if len(self._held) >= faults.burst or (self._held and waited):
            return self._begin(free, faults)
        return []

    def _lease(self, wanted: int, now: float) -> None:
        """Have so many messages at hand, if there are."""
        if wanted <= len(self._held):
            return
        if not self._held:
            self._held_since = now
        seconds = self._lease_seconds()
        most = wanted - len(self._held)
        self._held += self._broker.lease(self.target.subscription, most, seconds)
        if self._held:
            self._renewal = min(self._renewal, now + seconds / 2)

    def _begin(self, most: int, faults: FaultSettings) -> list[Task]:
        """Of the messages at hand, the next ones to push."""
        marks: tuple[str, ...] = ("burst",) if faults.burst else ()
        if faults.reorder and len(self._held) > 1:
            self._random.shuffle(self._held)  # of one ordering key there is one at a time
            marks = (*marks, "reorder")
        chosen, self._held = self._held[:most], self._held[most:]
        self._under_way.update(one.ack_id for one in chosen)
        return [task for one in chosen for task in self._tasks(one, marks, faults)]

    def _tasks(self, message: Leased, marks: tuple[str, ...], faults: FaultSettings) -> list[Task]:
        """The push of a message, and now and then a second one, beside it or after it."""
        twice = self._random.random() < faults.duplicate
        in_order = bool(self.target.ordered and message.ordering_key)
        after = twice and (in_order or self._random.random() < 0.5)  # noqa: PLR2004 - even odds
        job = Job(message, self.target, marks, again=after)
        first = Task(job, self._flow.step)
        if not twice or after:
            return [first]
        copy = Job(message, self.target, (*marks, "duplicate"))
        return [first, Task(copy, self._flow.step, copy=True)]

    def _lease_seconds(self) -> float:
        """Of the clock: what a worker does takes the machine's time, however fast that runs."""
        seconds = self.target.ack_deadline_seconds + _LEASE_MARGIN_SECONDS
        return seconds * max(1.0, self._broker.clock.speed)

    def _renew(self, now: float) -> None:
        """A push may take its time, whatever the speed of the clock: its lease does not end."""
        if now < self._renewal:
            return
        ack_ids = [*self._under_way, *(one.ack_id for one in self._held)]
        seconds = self._lease_seconds()
        self._renewal = now + seconds / 2 if ack_ids else math.inf
        if ack_ids:
            with contextlib.suppress(ApiError):
                self._broker.extend(self.target.subscription, ack_ids, seconds)
