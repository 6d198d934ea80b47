"""StreamingPull: messages as they come, as many at a time as the client can bear."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import grpc

from worker.local.errors import ApiError, Code
from worker.local.pubsub import protos
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.pulling import check_deadline, received
from worker.local.pubsub.rules import Rules
from worker.local.pubsub.service import PubSub

_MOST_MESSAGES = 100  # of one response
_DEADLINES = (10, 600)  # seconds


def streaming_pull(
    pubsub: PubSub, requests: Iterator[Any], context: grpc.ServicerContext
) -> Iterator[Any]:
    """The responses of one call, until the client ends it. Raises ApiError.

    Source: the comments of StreamingPullRequest and StreamingPullResponse in pubsub.proto.
    """
    first = next(requests, None)
    if first is None:
        return
    stream = _Stream(pubsub, first)
    reader = threading.Thread(
        target=stream.read, args=(requests,), daemon=True, name="streaming pull"
    )
    if not context.add_callback(stream.end):
        return
    reader.start()
    try:
        yield from stream.responses()
    finally:
        stream.end()


class _Stream:
    """One call. A thread reads its requests, another makes the responses."""

    def __init__(self, pubsub: PubSub, first: Any) -> None:
        self._pubsub = pubsub
        self._subscription: str = first.subscription
        self._rules, _ = pubsub.pull_rules(first.subscription)
        self._answers_pings = first.protocol_version > 0
        self._most: int = first.max_outstanding_messages
        self._most_bytes: int = first.max_outstanding_bytes
        self._outstanding: dict[str, int] = {}  # ack id: bytes
        self._ready: deque[Any] = deque([self._properties()])
        self._ended = False
        self._error: ApiError | None = None
        self._set_deadline(first.stream_ack_deadline_seconds)
        self._handle(first)

    def end(self) -> None:
        """Nobody listens any more."""
        self._ended = True
        with self._pubsub.changed:
            self._pubsub.changed.notify_all()

    def read(self, requests: Iterator[Any]) -> None:
        """Handle the requests after the first."""
        try:
            for request in requests:
                if request.stream_ack_deadline_seconds:
                    self._set_deadline(request.stream_ack_deadline_seconds)
                self._handle(request)
                if self._answers_pings:
                    self._ready.append(protos.StreamingPullResponse())
                    self._wake()
        except ApiError as error:
            self._error = error
        except Exception:  # noqa: BLE001, S110 - grpc tells so that the client has gone
            pass
        self.end()

    def responses(self) -> Iterator[Any]:
        """What the client gets. Leases that it cannot get any more are given back."""
        while (response := self._next()) is not None:
            yield response
        if self._error is not None:
            raise self._error

    def _next(self) -> Any:
        changed = self._pubsub.changed
        with changed:
            while not (self._ended or self._pubsub.closed):
                if self._ready:
                    return self._ready.popleft()
                self._rules, _ = self._pubsub.pull_rules(self._subscription)
                if leased := self._lease():
                    return self._response(leased)
                if not self._ready:
                    self._wait()
        return None

    def _wait(self) -> None:
        """For a change, or until a message is due or a lease has ended."""
        clock = self._pubsub.clock
        seconds: float | None = self._seconds
        if self._room():
            time = self._pubsub.next_time(self._subscription)
            seconds = None if time is None else time - clock.now()
        clock.wait(self._pubsub.changed, seconds)

    def _lease(self) -> list[Leased]:
        room = self._room()
        if not room:
            return []
        leased = self._pubsub.lease(self._subscription, room, self._seconds)
        self._outstanding.update((one.ack_id, len(one.data)) for one in leased)
        return leased

    def _room(self) -> int:
        """How many messages the client can bear; it may have settled some by other calls."""
        if self._is_full():
            live = self._pubsub.leased(self._subscription, list(self._outstanding))
            self._outstanding = {one: self._outstanding[one] for one in live}
        if self._is_full():
            return 0
        most = self._most if self._most > 0 else _MOST_MESSAGES + len(self._outstanding)
        return min(_MOST_MESSAGES, most - len(self._outstanding))

    def _is_full(self) -> bool:
        too_many = 0 < self._most <= len(self._outstanding)
        return too_many or 0 < self._most_bytes <= sum(self._outstanding.values())

    def _handle(self, request: Any) -> None:
        """Its acks, and its changes of deadlines."""
        if len(request.modify_deadline_seconds) != len(request.modify_deadline_ack_ids):
            raise ApiError(
                Code.INVALID_ARGUMENT,
                "modify_deadline_seconds and modify_deadline_ack_ids differ in length.",
            )
        if request.ack_ids:
            late = self._pubsub.settle(self._subscription, request.ack_ids)
            self._confirm("acknowledge_confirmation", request.ack_ids, late)
        late = []
        for ack_id, seconds in zip(
            request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True
        ):
            check_deadline(seconds)
            late += self._pubsub.modify(self._subscription, [ack_id], seconds)
        if request.modify_deadline_ack_ids:
            confirmation = "modify_ack_deadline_confirmation"
            self._confirm(confirmation, request.modify_deadline_ack_ids, late)

    def _confirm(self, confirmation: str, ack_ids: Any, late: list[str]) -> None:
        """With exactly-once delivery the client learns what became of its ack ids."""
        if not self._rules.exactly_once:
            return
        response = protos.StreamingPullResponse()
        answer = getattr(response, confirmation)
        answer.ack_ids.extend(one for one in ack_ids if one not in late)
        answer.invalid_ack_ids.extend(late)
        self._ready.append(response)
        self._wake()

    def _set_deadline(self, seconds: int) -> None:
        least, most = _DEADLINES
        if not least <= seconds <= most:
            raise ApiError(
                Code.INVALID_ARGUMENT,
                f"Invalid stream_ack_deadline_seconds given ({seconds}):"
                f" want {least} to {most} seconds.",
            )
        self._seconds = seconds

    def _response(self, leased: list[Leased]) -> Any:
        response = self._properties()
        response.received_messages.extend(received(one, self._rules) for one in leased)
        return response

    def _properties(self) -> Any:
        return protos.StreamingPullResponse(subscription_properties=_properties(self._rules))

    def _wake(self) -> None:
        with self._pubsub.changed:
            self._pubsub.changed.notify_all()


def _properties(rules: Rules) -> dict[str, bool]:
    return {
        "exactly_once_delivery_enabled": rules.exactly_once,
        "message_ordering_enabled": rules.ordered,
    }
