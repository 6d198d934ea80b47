"""The Subscriber service, its messages: pull, acknowledge, modifyAckDeadline."""

import time
from typing import Any

from google.rpc import (  # type: ignore[import-untyped]  # ships no types
    error_details_pb2,
    status_pb2,
)

from worker.local.errors import ApiError, Code
from worker.local.pubsub import protos
from worker.local.pubsub.delivery import INVALID_ACK_IDS, Delivery
from worker.local.pubsub.ids import AckId
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.names import not_found
from worker.local.pubsub.rules import Rules, rules_of

_MOST_MESSAGES = 1000
_WAIT_SECONDS = 10.0  # of the machine's time, for a first message
_LONGEST_DEADLINE = 600
# As the service says it.
_PUSHED = "This method is not supported for push subscriptions."


class LateAckIds(ApiError):
    """With exactly-once delivery, leases that had ended; the other ack ids of the request count.

    Source: cloud.google.com/pubsub/docs/exactly-once-delivery, and what the client libraries read.
    """

    def __init__(self, ack_ids: list[str]) -> None:
        super().__init__(Code.FAILED_PRECONDITION, INVALID_ACK_IDS)
        self._info = error_details_pb2.ErrorInfo(
            reason="FAILED_PRECONDITION",
            domain="pubsub.googleapis.com",
            metadata=dict.fromkeys(ack_ids, "PERMANENT_FAILURE_INVALID_ACK_ID"),
        )

    @property
    def status_details(self) -> bytes:
        """A serialized google.rpc.Status, which names the ack ids."""
        status = status_pb2.Status(code=self.code.number, message=str(self))
        status.details.add().Pack(self._info)
        serialized: bytes = status.SerializeToString()
        return serialized


class PullCalls(Delivery):
    """Each takes and returns a protobuf message of the call's name. Raises ApiError."""

    def pull(self, request: Any) -> Any:
        """Messages as soon as there are any; none after a while, or at once if asked for that."""
        rules, seconds = self.pull_rules(request.subscription)
        if request.max_messages <= 0:
            raise _invalid("max_messages")
        most = min(request.max_messages, _MOST_MESSAGES)
        end = time.monotonic() + (0.0 if request.return_immediately else _WAIT_SECONDS)
        leased = self._lease_by(end, rules.name, most, seconds)
        return protos.PullResponse(received_messages=[received(one, rules) for one in leased])

    def acknowledge(self, request: Any) -> Any:
        """They are not delivered again."""
        rules = self._owner(request)
        if late := self.settle(rules.name, request.ack_ids):
            raise LateAckIds(late)
        return protos.Empty()

    def modify_ack_deadline(self, request: Any) -> Any:
        """So many seconds from now; 0 is a nack."""
        rules = self._owner(request)
        check_deadline(request.ack_deadline_seconds)
        late = self.modify(rules.name, list(request.ack_ids), request.ack_deadline_seconds)
        if late and rules.exactly_once:
            raise LateAckIds(late)
        return protos.Empty()

    def modify(self, subscription: str, ack_ids: list[str], seconds: int) -> list[str]:
        """Extend the leases, or nack with 0; the ack ids that came too late are returned."""
        return (
            self._nack(subscription, ack_ids)
            if seconds == 0
            else self._extend(subscription, ack_ids, seconds)
        )

    def pull_rules(self, subscription: str) -> tuple[Rules, int]:
        """The rules of a subscription that can be pulled, and its ack deadline in seconds."""
        with self._database.read() as connection:
            rules = rules_of(connection, subscription)
            if rules is None:
                raise not_found(subscription)
            row = connection.execute(
                "SELECT body FROM subscriptions WHERE id = ?", (rules.id,)
            ).fetchone()
        if rules.detached:
            raise ApiError(Code.FAILED_PRECONDITION, "The subscription is detached from its topic.")
        settings = protos.Subscription.FromString(row["body"])
        if settings.push_config.push_endpoint:
            raise ApiError(Code.FAILED_PRECONDITION, _PUSHED)
        return rules, settings.ack_deadline_seconds

    def _lease_by(self, end: float, subscription: str, most: int, seconds: float) -> list[Leased]:
        """Wait for messages until `end` of the machine's monotonic time."""
        with self.changed:
            while not (leased := self.lease(subscription, most, seconds)):
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    return []
                next_time = self.next_time(subscription)
                ready = left if next_time is None else next_time - self.clock.now()
                self.clock.wait(self.changed, min(left, ready))
        return leased

    def _owner(self, request: Any) -> Rules:
        """The rules of the subscription whose ack ids these are."""
        with self._database.read() as connection:
            rules = rules_of(connection, request.subscription)
        if rules is None:
            raise not_found(request.subscription)
        if not request.ack_ids:
            raise _invalid("ack_ids")
        try:
            own = all(AckId.parse(one).subscription == rules.id for one in request.ack_ids)
        except ValueError:
            raise ApiError(Code.INVALID_ARGUMENT, INVALID_ACK_IDS) from None
        if not own:
            raise ApiError(
                Code.INVALID_ARGUMENT,
                "You have passed a subscription that does not belong to the given ack ID"
                f" (resource={rules.name}).",
            )
        return rules


def received(leased: Leased, rules: Rules) -> Any:
    """A leased message as it is pulled; it tells its attempt with a dead-letter policy only."""
    message = protos.PubsubMessage(
        data=leased.data,
        attributes=leased.attributes,
        message_id=leased.message_id,
        publish_time=protos.timestamp(leased.publish_time),
        ordering_key=leased.ordering_key,
    )
    attempt = leased.attempt if rules.dead_letter_topic else 0
    return protos.ReceivedMessage(ack_id=leased.ack_id, message=message, delivery_attempt=attempt)


def check_deadline(seconds: int) -> None:
    """Raises ApiError for an ack deadline that a message cannot have."""
    if not 0 <= seconds <= _LONGEST_DEADLINE:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"Invalid ack deadline given (ack_deadline_seconds={seconds})."
            f" The value must be between 0 and {_LONGEST_DEADLINE} seconds.",
        )


def _invalid(argument: str) -> ApiError:
    return ApiError(
        Code.INVALID_ARGUMENT,
        f"You have passed an invalid argument to the service (argument={argument}).",
    )
