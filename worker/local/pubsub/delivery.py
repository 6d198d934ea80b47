"""How messages leave: push and pull work with leases, acks and nacks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from worker.local.errors import ApiError, Code
from worker.local.pubsub.backlog import acknowledge, take
from worker.local.pubsub.failing import Failed, fail
from worker.local.pubsub.ids import AckId
from worker.local.pubsub.leases import Leased, PushTarget
from worker.local.pubsub.protos import Subscription
from worker.local.pubsub.rules import Rules, rules_of
from worker.local.pubsub.schema import Transaction
from worker.local.pubsub.state import State
from worker.local.pubsub.upkeep import lapse, retire

INVALID_ACK_IDS = (
    "Some acknowledgement ids in the request were invalid. This could be because the"
    " acknowledgement ids have expired or the acknowledgement ids were malformed."
)


class Delivery(State):
    """The subscription may be gone or detached at any time: then there is nothing to do.

    Ack ids that are none raise ApiError; those of leases that have ended are ignored, an ack
    excepted: it counts unless the subscription has exactly-once delivery.
    """

    def lease(self, subscription: str, most: int, seconds: float) -> list[Leased]:
        """Up to `most` messages that may be delivered now, for `seconds` of the clock's time.

        Ordering keys, backoff and retention are respected. A lease that ends without an answer
        counts as a nack.
        """
        with self._change() as tx:
            failed = lapse(tx)
            rules = rules_of(tx.connection, subscription)
            leased: list[Leased] = []
            if rules is not None:
                retire(tx, rules)
                leased = take(tx, rules, most, seconds)
                if not leased:
                    retire(tx, rules, thoroughly=_has_due(tx, rules))
        if failed:
            self._tell()
        return leased

    def ack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """They are never delivered again, unless by a seek."""
        self.settle(subscription, ack_ids)

    def nack(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Deliver them again after the backoff; dead-letter those that were tried often enough."""
        self._nack(subscription, ack_ids)

    def release(self, subscription: str, ack_ids: Sequence[str]) -> None:
        """Give leases back that nobody used: no attempt is counted."""

        def back(tx: Transaction, rules: Rules, row: Mapping[str, Any]) -> None:
            tx.connection.execute(
                "UPDATE states SET lease = NULL, due = ? WHERE subscription = ? AND message = ?",
                (tx.now, rules.id, row["message"]),
            )

        self._each_lease(subscription, ack_ids, back)

    def extend(self, subscription: str, ack_ids: Sequence[str], seconds: float) -> None:
        """Their leases end so many seconds from now."""
        self._extend(subscription, ack_ids, seconds)

    def leased(self, subscription: str, ack_ids: Sequence[str]) -> list[str]:
        """Those of the ack ids whose leases have not ended."""
        with self._database.read() as connection:
            rules = rules_of(connection, subscription)
            return [
                text
                for text, ack_id in _parsed(ack_ids)
                if rules is not None
                and connection.execute(
                    "SELECT 1 FROM states WHERE subscription = ? AND message = ? AND lease = ?"
                    " AND subscription = ? AND due > ?",
                    (*ack_id, rules.id, self.clock.now()),
                ).fetchone()
            ]

    def next_time(self, subscription: str) -> float | None:
        """When `lease` may have something, in seconds since the epoch; None: after a change."""
        with self._database.read() as connection:
            rules = rules_of(connection, subscription)
            if rules is None:
                return None
            (ready,) = connection.execute(
                "SELECT min(due) FROM states"
                " WHERE subscription = ? AND lease IS NULL AND acked = 0 AND head = 1",
                (rules.id,),
            ).fetchone()
            (leased,) = connection.execute(
                "SELECT min(due) FROM states WHERE subscription = ? AND lease IS NOT NULL",
                (rules.id,),
            ).fetchone()
        times = [time for time in (ready, leased) if time is not None]
        return min(times, default=None)

    def push_targets(self) -> list[PushTarget]:
        """The subscriptions that have a push endpoint, by name."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT body FROM subscriptions ORDER BY name").fetchall()
        settings = [Subscription.FromString(row["body"]) for row in rows]
        return [
            PushTarget(
                subscription=one.name,
                endpoint=one.push_config.push_endpoint,
                ack_deadline_seconds=one.ack_deadline_seconds,
                unwrapped=one.push_config.HasField("no_wrapper"),
                write_metadata=one.push_config.no_wrapper.write_metadata,
                service_account=one.push_config.oidc_token.service_account_email,
                audience=one.push_config.oidc_token.audience,
                dead_letter=one.HasField("dead_letter_policy"),
                ordered=one.enable_message_ordering,
            )
            for one in settings
            if one.push_config.push_endpoint and not one.detached
        ]

    def settle(self, subscription: str, ack_ids: Sequence[str]) -> list[str]:
        """Acknowledge; the ack ids are returned that came too late for exactly-once delivery."""
        with self._change() as tx:
            lapse(tx)
            rules = rules_of(tx.connection, subscription)
            if rules is None:
                return []
            late = [text for text, ack_id in _parsed(ack_ids) if not acknowledge(tx, rules, ack_id)]
        self._tell()
        return late

    def _nack(self, subscription: str, ack_ids: Sequence[str]) -> list[str]:
        def again(tx: Transaction, rules: Rules, row: Mapping[str, Any]) -> None:
            failed = Failed(row["message"], row["ordering_key"], row["failures"] + 1, tx.now)
            fail(tx, rules, failed)

        return self._each_lease(subscription, ack_ids, again)

    def _extend(self, subscription: str, ack_ids: Sequence[str], seconds: float) -> list[str]:
        def later(tx: Transaction, rules: Rules, row: Mapping[str, Any]) -> None:
            tx.connection.execute(
                "UPDATE states SET due = ? WHERE subscription = ? AND message = ?",
                (tx.now + seconds, rules.id, row["message"]),
            )

        return self._each_lease(subscription, ack_ids, later)

    def _each_lease(
        self,
        subscription: str,
        ack_ids: Sequence[str],
        act: Callable[[Transaction, Rules, Mapping[str, Any]], None],
    ) -> list[str]:
        """Do it for each lease that has not ended; the ack ids of the others are returned."""
        late = []
        with self._change() as tx:
            lapse(tx)
            rules = rules_of(tx.connection, subscription)
            if rules is None:
                return []
            for text, ack_id in _parsed(ack_ids):
                row = tx.connection.execute(
                    "SELECT message, ordering_key, failures FROM states"
                    " WHERE subscription = ? AND message = ? AND lease = ? AND subscription = ?",
                    (*ack_id, rules.id),
                ).fetchone()
                if row is None:
                    late.append(text)
                else:
                    act(tx, rules, row)
        self._tell()
        return late


def _has_due(tx: Transaction, rules: Rules) -> bool:
    found = tx.connection.execute(
        "SELECT 1 FROM states WHERE subscription = ? AND lease IS NULL AND acked = 0 AND head = 1"
        " AND due <= ? LIMIT 1",
        (rules.id, tx.now),
    )
    return found.fetchone() is not None


def _parsed(ack_ids: Iterable[str]) -> list[tuple[str, AckId]]:
    try:
        return [(text, AckId.parse(text)) for text in ack_ids]
    except ValueError:
        raise ApiError(Code.INVALID_ARGUMENT, INVALID_ACK_IDS) from None
