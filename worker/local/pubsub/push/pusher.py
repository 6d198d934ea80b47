"""Push delivery: one thread schedules, up to 100 push."""

import math
import sys
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from worker.local.errors import ApiError, Code
from worker.local.pubsub.push.broker import PushBroker
from worker.local.pubsub.push.courier import Courier, Job, Verdict
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.local.pubsub.push.front import Gate
from worker.local.pubsub.push.lane import Lane, Task
from worker.local.pubsub.push.records import Attempt
from worker.local.pubsub.push.redelivery import redelivery
from worker.local.pubsub.push.tokens import Tokens
from worker.local.pubsub.push.wire import IDLE_SECONDS

MOST_UNDER_WAY = 100  # pushes at once, over all subscriptions
_PAUSE_SECONDS = 0.05  # of the clock, after a round in which nothing came of it
_TROUBLE_SECONDS = 1.0  # after one that failed
_STOP_SECONDS = 0.5  # for pushes that are cut to end
_JOIN_SECONDS = 2.0


class Pusher:
    """Pushes what the subscriptions with an endpoint have, from `start` to `stop`.

    `on_attempt` is called with each attempt that ended, in the thread that made it.
    """

    def __init__(
        self,
        pubsub: PushBroker,
        deliveries: Deliveries,
        tokens: Tokens,
        faults: Faults,
        on_attempt: Callable[[Attempt], None],
    ) -> None:
        self._pubsub = pubsub
        self._deliveries = deliveries
        self._faults = faults
        self._on_attempt = on_attempt
        self._courier = Courier(pubsub.clock, deliveries, tokens, faults, self._report)
        self._lanes: dict[str, Lane] = {}
        self._gone: list[Lane] = []
        self._under_way = 0
        self._ended: deque[tuple[Lane, Task, Verdict]] = deque()
        self._asleep = False
        self._idle = False  # in the last round a lane was due, and had nothing
        self._said = ""
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(MOST_UNDER_WAY, thread_name_prefix="push")
        self._scheduler = threading.Thread(target=self._run, name="pusher", daemon=True)
        faults.watch(self._wake)

    def start(self) -> None:
        """Push from now on, in threads."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin nothing new, cut what is under way and give its messages back: within a second."""
        self._stopped.set()
        self._courier.stop()
        self._wake()
        if self._scheduler.is_alive():
            self._scheduler.join(_JOIN_SECONDS)
        self._threads.shutdown(wait=False)

    def limit(self, url: str, most: int) -> None:
        """At most so many requests at once to the worker there, as Cloud Run's front end does."""
        self._courier.front.limit(url, most)

    def guard(self, gate: Gate) -> None:
        """Ask it before each push whether that is let in, as Cloud Run asks IAM."""
        self._courier.front.guard(gate)

    def redeliver(self, delivery_id: int) -> None:
        """Push the message of a delivery once more, now; its answer changes nothing in Pub/Sub.

        Raises ApiError: there is no such delivery, or nothing to push it to any more.
        """
        if self._stopped.is_set():
            raise ApiError(Code.UNAVAILABLE, "push delivery has stopped")
        job = redelivery(self._deliveries, self._pubsub.push_targets(), delivery_id)
        self._threads.submit(self._push, job)

    # The scheduler's thread:

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._wait()
                self._round()
            except Exception as error:  # noqa: BLE001 - delivery never ends while the cloud runs
                self._complain(error)
                self._stopped.wait(_TROUBLE_SECONDS)
        try:
            self._wind_up()
        except Exception as error:  # noqa: BLE001 - the leases will lapse
            self._complain(error)

    def _wait(self) -> None:
        """Wait until something may be due. Nothing is missed: whoever has news needs `changed`."""
        with self._pubsub.changed:
            self._asleep = True
            self._refresh()
            due = min(self._due(), IDLE_SECONDS if self._courier.tidy() else math.inf)
            if not self._ended and not self._stopped.is_set() and due > 0:
                self._pubsub.clock.wait(self._pubsub.changed, None if due == math.inf else due)
            self._asleep = False

    def _due(self) -> float:
        """In how many seconds of the clock there may be something to do."""
        faults, free = self._faults.get(), MOST_UNDER_WAY - self._under_way
        due = min((one.due(faults, free) for one in self._lanes.values()), default=math.inf)
        least = _PAUSE_SECONDS if self._idle else 0.0
        return max(due - self._pubsub.clock.now(), least)

    def _refresh(self) -> None:
        """Have a lane for each subscription that is pushed now."""
        targets = {one.subscription: one for one in self._pubsub.push_targets()}
        for name in self._lanes.keys() - targets.keys():
            self._gone.append(self._lanes.pop(name))
        for name, target in targets.items():
            if name in self._lanes:
                self._lanes[name].target = target
            else:
                self._lanes[name] = Lane(self._pubsub, target)

    def _round(self) -> None:
        """Settle what has ended, and begin what may begin."""
        self._idle = False
        self._settle()
        while self._gone:
            self._gone.pop().give_back(all_of_them=False)
        faults, now = self._faults.get(), self._pubsub.clock.now()
        for name, lane in list(self._lanes.items()):
            free = MOST_UNDER_WAY - self._under_way
            if self._lanes.get(name) is not lane or lane.due(faults, free) > now:
                continue
            self._lanes[name] = self._lanes.pop(name)  # the others are asked first next time
            tasks = lane.work(faults, free)
            self._idle = self._idle or not tasks
            self._begin(lane, tasks)

    def _begin(self, lane: Lane, tasks: Sequence[Task]) -> None:
        """Push to where it goes now: that may have changed before the messages were leased."""
        if tasks:
            self._refresh()
        if self._lanes.get(lane.target.subscription) is not lane:
            lane.settle([(task, Verdict.RELEASE) for task in tasks])
            return
        for task in tasks:
            self._under_way += 1
            job = replace(task.job, target=lane.target)
            self._threads.submit(self._carry, lane, replace(task, job=job))

    def _settle(self) -> None:
        by_lane: defaultdict[Lane, list[tuple[Task, Verdict]]] = defaultdict(list)
        while self._ended:
            lane, task, verdict = self._ended.popleft()
            self._under_way -= 1
            by_lane[lane].append((task, verdict))
        for lane, ended in by_lane.items():
            lane.settle(ended)

    def _wind_up(self) -> None:
        """Wait for the pushes that were cut, and give everything back that was not acked."""
        until = time.monotonic() + _STOP_SECONDS
        with self._pubsub.changed:
            self._asleep = True
            while len(self._ended) < self._under_way and time.monotonic() < until:
                self._pubsub.changed.wait(until - time.monotonic())
        self._settle()
        for lane in self._lanes.values():
            lane.give_back(all_of_them=True)

    # The pushing threads:

    def _carry(self, lane: Lane, task: Task) -> None:
        """Push for a lane, and tell the scheduler."""
        self._ended.append((lane, task, self._push(task.job)))
        if self._asleep:
            self._wake()

    def _push(self, job: Job) -> Verdict:
        try:
            return self._courier.push(job)
        except Exception as error:  # noqa: BLE001 - the message comes again
            self._complain(error)
            return Verdict.NACK

    def _report(self, attempt: Attempt) -> None:
        try:
            self._on_attempt(attempt)
        except Exception as error:  # noqa: BLE001 - the worker's answer counts all the same
            self._complain(error)

    def _wake(self) -> None:
        with self._pubsub.changed:
            self._pubsub.changed.notify_all()

    def _complain(self, error: Exception) -> None:
        """One line, once: what goes wrong again and again is said once."""
        line = f"push delivery: {type(error).__name__}: {error}"
        if line != self._said:
            self._said = line
            sys.stderr.write(f"{line}\n")
