"""A quarter of an hour in the life of a worker, for pages to show: deliveries and their entries."""

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from worker.local.logs.run import CloudRun, RequestSeen
from worker.local.page.text import iso
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.push.deliveries import Attempt, Deliveries

PROJECT = "demo"
TOPIC = f"projects/{PROJECT}/topics/features"
SUBSCRIPTION = f"projects/{PROJECT}/subscriptions/feature-worker"
ENDPOINT = "http://127.0.0.1:8080/"
AGENT = "CloudPubSub-Google"

_SPREAD_SECONDS = 840.0
_FIRST_ID = 1040
_SPECIAL = "logging.googleapis.com/"
# outcome -> status, severity of the canonical entry, reason
_ENDINGS = {
    "done": (200, "INFO", "handled by {feature}"),
    "duplicate": (200, "INFO", "an earlier delivery of it was done"),
    "rejected": (200, "WARNING", "requirements.width: Input should be greater than 0"),
    "retry": (503, "WARNING", "the printer is out of paper"),
    "crashed": (500, "ERROR", "ConnectionResetError in {feature}"),
    "timed_out": (504, "ERROR", "no answer within 9.0 s"),
}
_REQUIREMENTS: Mapping[str, Mapping[str, Any]] = {
    "smoke_test": {},
    "resize_image": {"source": "gs://uploads/harbour.jpg", "width": 1280, "formats": ["webp"]},
    "send_invoice": {
        "customer": "C-20417",
        "total": {"amount": "129.90", "currency": "EUR"},
        "lines": [{"sku": "KB-87", "quantity": 1}, {"sku": "MS-12", "quantity": 2}],
    },
    "sync_contact": {"id": 7731, "name": "Zoë Ångström", "newsletter": True, "phone": None},
}


def payload(feature: str) -> bytes:
    """What a publisher sends for it."""
    said = {"feature": feature, "description": "From the shop"}
    content = {**said, "requirements": _REQUIREMENTS[feature]}
    return json.dumps(content, ensure_ascii=False).encode()


@dataclass(frozen=True)
class Told:
    """A message of the sample, and how its attempts end: "pending" and "unreachable" as well."""

    data: bytes
    outcomes: tuple[str, ...] = ("done",)
    attributes: Mapping[str, str] = field(default_factory=dict)
    feature: str = "smoke_test"
    ordering_key: str = ""
    ago: float = 1.0  # seconds
    seconds: float = 0.004  # of each attempt
    reason: str = ""  # instead of the usual one
    message_id: str = ""  # the same
    answered: Mapping[str, str] = field(default_factory=dict)  # headers of the answers


class Sample:
    """Fills the stores as the laptop cloud would."""

    def __init__(self, deliveries: Deliveries, run: CloudRun) -> None:
        self._deliveries = deliveries
        self._run = run
        self._random = random.Random(7)  # noqa: S311 - sample data
        self._count = 0

    def fill(self, messages: int = 160) -> None:
        """Many ordinary messages, some with trouble."""
        for number in range(messages):
            self.message(self._ordinary(_SPREAD_SECONDS * (1 - number / messages) + 12))

    def message(self, told: Told) -> int:
        """One message with its attempts and entries. Returns the id of its delivery."""
        self._count += 1
        published = time.time() - told.ago
        leased = Leased(
            ack_id=str(self._count), message_id=told.message_id or str(_FIRST_ID + self._count),
            data=told.data, attributes=told.attributes, ordering_key=told.ordering_key,
            publish_time=published, attempt=1, topic=TOPIC,
        )  # fmt: skip
        began = published + 0.003
        for number, outcome in enumerate(told.outcomes, 1):
            attempt = self._attempt(leased, number, began)
            begun = self._deliveries.begin(leased, attempt)
            self._end(begun, outcome, told)
            began += told.seconds + min(0.4 * 2**number, 6.0)
        return begun.delivery_id

    def finish(self, delivery_id: int, outcome: str, told: Told) -> None:
        """The pending attempt of a delivery ends."""
        self._end(self._deliveries.attempts(delivery_id)[-1], outcome, told)

    def _ordinary(self, ago: float) -> Told:
        roll = self._random.random()
        feature = self._random.choices(list(_REQUIREMENTS), (6, 4, 3, 2))[0]
        outcomes: tuple[str, ...] = ("done",)
        if roll > 0.95:
            outcomes, feature = ("crashed", "crashed", "done"), "send_invoice"
        elif roll > 0.9:
            outcomes, feature = ("rejected",), "resize_image"
        elif roll > 0.86:
            outcomes = ("retry", "done")
        elif roll > 0.83:
            outcomes = ("duplicate",)
        return Told(
            payload(feature), outcomes, feature=feature, ago=ago,
            attributes={"source": "shop", "tenant": f"t{self._random.randint(1, 9)}"},
            ordering_key="C-20417" if feature == "send_invoice" else "",
            seconds=self._random.lognormvariate(-4.6, 0.9),
        )  # fmt: skip

    def _attempt(self, leased: Leased, number: int, began: float) -> Attempt:
        trace = f"{self._random.getrandbits(128):032x}"
        span = f"{self._random.getrandbits(64):016x}"
        headers = {
            "Content-Type": "application/json", "Authorization": "Bearer …",
            "User-Agent": AGENT, "traceparent": f"00-{trace}-{span}-01", **leased.attributes,
        }  # fmt: skip
        return Attempt(
            id=0, delivery_id=0, subscription=SUBSCRIPTION, message_id=leased.message_id,
            attempt=number, endpoint=ENDPOINT, started=began, seconds=0.0, status=0,
            result="pending", request_size=len(leased.data) + 300, trace=trace, span=span,
            request_headers=headers,
        )  # fmt: skip

    def _end(self, begun: Attempt, outcome: str, told: Told) -> None:
        if outcome == "unreachable":
            self._deliveries.end(replace(begun, result="unreachable", seconds=0.001))
        if outcome not in _ENDINGS:
            return
        status, severity, reason = _ENDINGS[outcome]
        reason = told.reason or reason.format(feature=told.feature)
        answer = {"outcome": outcome, "reason": reason, "message_id": begun.message_id}
        text = json.dumps(answer)
        ended = replace(
            begun, seconds=told.seconds, status=status, result="ack" if status == 200 else "nack",
            outcome=outcome, reason=reason, response_body=text, response_size=len(text),
            response_headers={"Content-Type": "application/json", **told.answered},
        )  # fmt: skip
        self._log(ended, severity, told)
        self._deliveries.end(ended)

    def _log(self, ended: Attempt, severity: str, told: Told) -> None:
        """The entries of a push: one of the handler, the canonical one, that of the request."""
        known = {"feature": told.feature, "message_id": ended.message_id}
        if ended.outcome == "done" and told.feature != "smoke_test":
            event = f"{told.feature}.began"
            said = {**known, "message": f"{told.feature} began", "event": event}
            self._line(ended, "INFO", ended.started, said)
        took = f"{ended.outcome} in {told.seconds:.3f} s"
        canonical = {
            **known, "message": f"{told.feature}: {took} ({ended.reason})",
            "event": "message.processed", "outcome": ended.outcome, "status": ended.status,
            "reason": ended.reason, "subscription": SUBSCRIPTION, "form": "wrapped",
            "delivery_attempt": ended.attempt, "seconds": round(told.seconds, 6),
        }  # fmt: skip
        self._line(ended, severity, ended.started + told.seconds, canonical)
        self._run.request(
            RequestSeen(
                ENDPOINT, ended.status, ended.started, told.seconds, ended.request_size,
                ended.response_size, AGENT, ended.trace, ended.span,
            )
        )  # fmt: skip

    def _line(self, push: Attempt, severity: str, at: float, fields: Mapping[str, Any]) -> None:
        labels = {name: str(fields[name]) for name in ("feature", "outcome") if name in fields}
        special = {
            "severity": severity,
            "time": iso(at),
            f"{_SPECIAL}labels": labels,
            f"{_SPECIAL}operation": {"id": push.message_id, "producer": "feature-worker"},
            f"{_SPECIAL}trace": f"projects/{PROJECT}/traces/{push.trace}",
            f"{_SPECIAL}spanId": push.span,
        }
        self._run.line(json.dumps({**special, **fields}).encode(), "stdout")
