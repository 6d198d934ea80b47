"""The HTTP edge: pushes go to their handlers, health is answered at once, the rest by Flask.

All of it is called by the thread that leads the reactor, and never waits; what may wait is a job.
A job is run by the leader itself as long as jobs have been quick, else by a handler thread.
"""

import logging
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from worker.body import Room
from worker.connection import MAX_CONNECTIONS, Connection
from worker.ending import Answer
from worker.http1 import Request, Unreadable, path_of
from worker.message import Push
from worker.outcome import Draining, Overloaded, Stop, TimedOut
from worker.pipeline import Delivery, Worker
from worker.pool import Pool
from worker.reactor import Reactor
from worker.response import Response, error

if TYPE_CHECKING:
    from collections.abc import Callable

READ_SECONDS = 20.0  # for the headers and the body of one request
QUEUE_SECONDS = 2.0  # that a push waits for a handler thread; then 429, so that Pub/Sub backs off
DRAIN_SECONDS = 7.75  # of the 10 that a shutdown takes; then no handler is waited for any more
LAST_SECONDS = 0.4  # then, for the senders to read what was answered
GIVE_BACK_SECONDS = 0.5  # then, for the store to take the claims back
SIDE_THREADS = 4  # for all that may wait and is no push's handler
QUICK_SECONDS = 0.001  # what pushes may take on average for the leader to run them itself
_WEIGHT = 1 / 8  # of the last push in that average

_READS = ("GET", "HEAD")


class Edge:
    """Serves `worker`; `threads` pushes run at the same time at most, as many more wait.

    A handler that goes on after its deadline has lost its thread: another takes the place, so that
    one that hangs does not hold up the rest. At most `threads` are replaced like that.
    """

    def __init__(
        self, worker: Worker, reactor: Reactor, threads: int, read_seconds: float = READ_SECONDS
    ) -> None:
        self._worker = worker
        self._reactor = reactor
        self._threads = threads
        self._read_seconds = read_seconds
        self._handlers = Pool(2 * threads, "handler")
        self._side = Pool(SIDE_THREADS, "side")
        self._busy = 0  # handler threads that run a push, or the leader that is held up by one
        self._late: set[Delivery] = set()  # of those, the ones that were answered at their deadline
        self._aside: set[Delivery] = set()  # pushes that a side thread runs
        self._waiting: deque[Delivery] = deque()  # for a handler thread
        self._average = 0.0  # seconds that a push takes
        self._unanswered: dict[Delivery, Connection] = {}
        self._open: set[Connection] = set()
        self._room = Room()
        self._site: Callable[[Request], Response] | None = None

    def drain(self) -> None:
        """Take no new push; what runs has DRAIN_SECONDS from the first call. For any thread."""
        self._worker.shutdown.begin(self._worker.clock() + DRAIN_SECONDS)
        self._reactor.post(self.tick)

    def give_claims_back(self) -> None:
        """Let others have the claims of handlers that still run. The process ends right after it.

        Not before: a handler that ends in between is done, though another may run it already. A
        store that does not answer is not waited for, the leases lapse by themselves.
        """
        giving = threading.Thread(target=self._worker.claims.close, daemon=True)
        giving.start()
        giving.join(GIVE_BACK_SECONDS)

    # Called by the reactor:

    def accepted(self, link: socket.socket) -> None:
        """Serve a new connection; one too many is closed, which to Pub/Sub is a nack."""
        if len(self._open) >= MAX_CONNECTIONS:
            self._open = {one for one in self._open if not one.closed}
        if len(self._open) >= MAX_CONNECTIONS:
            link.close()
            return
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(
            Connection(link, self._reactor.selector, self._take, self._room, self._read_seconds)
        )

    def tick(self) -> None:
        """End what has taken too long; end all when it drains and nothing is left to do."""
        now = time.monotonic()
        self._open = {one for one in self._open if not one.closed}
        for connection in self._open:
            connection.tick(now)
        for delivery in list(self._waiting):
            if delivery.waited() > QUEUE_SECONDS:
                self._stop(delivery, self._overloaded("no handler thread became free in time"))
        for delivery in list(self._unanswered):
            if delivery.waited() >= self._worker.budget_seconds:
                self._stop(delivery, TimedOut("no answer from the handler before the ack deadline"))
        if self._worker.shutdown.begun:
            self._wind_up()

    def run(self, delivery: Delivery) -> Answer | None:
        """Take a push to its end. It may wait: the only one of these that may."""
        return delivery.run()

    def done(self, delivery: Delivery, answer: Answer | None, seconds: float) -> None:
        """Answer a push that was run here."""
        self._average += (seconds - self._average) * _WEIGHT
        if answer:
            self._answer(delivery, answer)

    def held_up(self, waiting: list[Delivery]) -> None:
        """The leader's push is not back: it counts as a handler thread's from now on."""
        self._busy += 1
        self._average = max(self._average, QUICK_SECONDS)
        self._waiting.extend(waiting)  # they were taken: none is turned away
        self._fill_places()

    def back(
        self, delivery: Delivery, answer: Answer | None, seconds: float, *, freed: bool = True
    ) -> None:
        """Answer a push that kept a thread busy; the thread may be at the next one already."""
        self._late.discard(delivery)
        if freed:
            self._busy -= 1
            self._fill_places()
        self.done(delivery, answer, seconds)

    # Requests, as the connections hand them over:

    def _take(self, connection: Connection, request: Request | Unreadable) -> Response | None:
        if isinstance(request, Unreadable):
            self._side.submit(partial(_tell, request))
            return error(request.status, f"the request cannot be read: {request.reason}")
        path = path_of(request.target)
        if not path.strip("/"):
            if request.method != "POST":
                return error(405, allow="POST")
            self._push(connection, request)
            return None
        if path in ("/health/live", "/health/ready"):
            if request.method not in _READS:
                return error(405, allow=", ".join(_READS))
            return (
                self._ready() if path == "/health/ready" else Response.of(200, {"status": "live"})
            )
        self._side.submit(partial(self._by_site, connection, request))
        return None

    def _ready(self) -> Response:
        if self._worker.shutdown.begun:
            return Response.of(503, {"status": "draining"})
        features = len(self._worker.features.all())
        return Response.of(200, {"status": "ready", "features": features})

    def _push(self, connection: Connection, request: Request) -> None:
        delivery = Delivery(self._worker, Push(request.headers, request.body, request.problem))
        self._unanswered[delivery] = connection
        if request.problem or self._worker.shutdown.begun:
            self._aside.add(delivery)
            self._side.submit(partial(self._run_aside, delivery))
        elif self._busy > len(self._late) or self._average >= QUICK_SECONDS:
            self._dispatch(delivery)
        else:
            self._reactor.jobs.append(delivery)

    def _dispatch(self, delivery: Delivery) -> None:
        """Have the push run by a handler thread, now or when one is free."""
        if len(self._waiting) < self._threads:
            self._waiting.append(delivery)
            self._fill_places()
        else:
            text = f"all {self._threads} handler threads are busy and the queue is full"
            self._stop(delivery, self._overloaded(text))

    def _fill_places(self) -> None:
        while self._is_place_free() and (delivery := self._next()):
            self._busy += 1
            self._handlers.submit(partial(self._run_there, delivery))

    def _is_place_free(self) -> bool:
        replaced = min(len(self._late), self._threads)
        return self._busy - replaced < self._threads

    def _next(self) -> Delivery | None:
        """The push that waits longest, or None. For any thread."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _overloaded(self, text: str) -> Overloaded:
        return Overloaded(text, self._worker.places.taken())

    def _stop(self, delivery: Delivery, stop: Stop) -> None:
        """End the push with this, unless it has ended. Its handler, if it was begun, goes on."""
        end = delivery.stop(stop)
        if end is None:
            return
        with suppress(ValueError):
            self._waiting.remove(delivery)
        if delivery.begun and delivery not in self._aside:
            self._late.add(delivery)
            self._fill_places()
        self._side.submit(lambda: self._answer_soon(delivery, end()))

    def _answer(self, delivery: Delivery, answer: Answer) -> None:
        self._aside.discard(delivery)
        connection = self._unanswered.pop(delivery)
        connection.answer(Response.of(answer.status, answer.body()))

    def _wind_up(self) -> None:
        """Wait for the handlers, answer what is left, and end."""
        over = self._worker.clock() - self._worker.shutdown.at
        if over >= 0:
            for delivery in list(self._unanswered):
                text = "this instance shuts down before the handler has finished"
                self._stop(delivery, Draining(text))
        elif self._busy:
            return  # also for one that is late: nobody has to run it again if it ends
        if not self._unanswered:
            self._finish()
        if over >= LAST_SECONDS:
            self._reactor.stop()

    def _finish(self) -> None:
        self._reactor.stop_accepting()
        for connection in self._open:
            connection.finish()
        if all(connection.closed for connection in self._open):
            self._reactor.stop()

    # Jobs, on a thread of one of the pools:

    def _run_there(self, delivery: Delivery) -> None:
        """Run the push, then those that wait: the thread keeps its place as long as there are."""
        following: Delivery | None = delivery
        while following:
            delivery, began = following, time.monotonic()
            answer = delivery.run()
            seconds = time.monotonic() - began
            following = self._next() if answer else None  # stopped: another has its place
            freed = following is None
            self._reactor.post(partial(self.back, delivery, answer, seconds, freed=freed))

    def _run_aside(self, delivery: Delivery) -> None:
        self._answer_soon(delivery, delivery.run())

    def _answer_soon(self, delivery: Delivery, answer: Answer | None) -> None:
        if answer:
            self._reactor.post(partial(self._answer, delivery, answer))

    def _by_site(self, connection: Connection, request: Request) -> None:
        response = error(500)
        try:
            if self._site is None:
                from worker.app import create_site  # noqa: PLC0415 - Flask, only if used

                self._site = create_site(self._worker)
            response = self._site(request)
        finally:
            self._reactor.post(partial(connection.answer, response))


def _tell(request: Unreadable) -> None:
    text = "answered %s: %s"
    logging.getLogger(__name__).warning(text, request.status, request.reason)
