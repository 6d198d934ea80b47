"""Looks at everything that the rungs judge. What cannot be asked is Unknown, and never an error."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from worker.client.logs import CLOCK_SKEW, logs_query
from worker.outcome import REFUSED
from worker.project.project import Project
from worker.rest import CallFailed
from worker.smoke.evidence import Evidence, Json, Unknown
from worker.smoke.measured import backlog_of, responses_of
from worker.smoke.peek import dead_letter
from worker.smoke.probe import probe
from worker.smoke.processed import Processed, processed_of
from worker.smoke.question import Question, Sent
from worker.smoke.watch import Reader

_SLACK = timedelta(seconds=10)  # between clocks, for what cannot be told by the message's id
_MOST_ENTRIES = 50
_MOST_ERRORS = 5
_MINUTES = 10  # of metrics
_METRIC = "pubsub.googleapis.com/subscription"

T = TypeVar("T")


def gather(question: Question, sent: Sent, project: Project, reader: Reader) -> Evidence:
    """One look at each: four reads of the log, and as many calls as there are other facts."""
    look = _Look(question, sent, project, reader)
    its = question.deployment
    service = known(lambda: project.service(its.service_name))
    evidence = Evidence(
        question, sent,
        processed=look.processed(),
        refused=look.refused(),
        requests=known(look.requests),
        errors=look.errors(),
        service=service,
        revision=known(lambda: look.revision(service)),
        service_policy=known(lambda: project.service_policy(its.service_name)),
        project_policy=known(project.policy),
        sinks=known(lambda: tuple(project.sinks())),
    )  # fmt: skip
    return evidence if question.url else look.at_subscription(evidence)


def known(ask: Callable[[], T]) -> T | Unknown:
    """What is answered, or why nothing is."""
    try:
        return ask()
    except CallFailed as failed:
        return Unknown(str(failed))


@dataclass(frozen=True, slots=True)
class _Look:
    """What is asked, of whom."""

    question: Question
    sent: Sent
    project: Project
    reader: Reader

    def processed(self) -> tuple[Processed, ...]:
        """The canonical entries of the message, whoever wrote them."""
        if not self.sent.message_id:
            return ()
        since = f"{self.sent.began - CLOCK_SKEW:%Y-%m-%dT%H:%M:%SZ}"
        message_id = json.dumps(self.sent.message_id)
        query = f'jsonPayload.message_id={message_id}\ntimestamp>="{since}"'
        return tuple(processed_of(self._entries(query), self.sent.nonce))

    def refused(self) -> tuple[Processed, ...]:
        """The canonical entries of pushes that the worker refused meanwhile."""
        entries = self._entries(self._of_service({"outcome": REFUSED.name}))
        found = [one for one in map(Processed.of, entries) if one is not None]
        return tuple(one for one in found if one.time >= self._since)

    def requests(self) -> tuple[Json, ...]:
        """What Cloud Run logged of the requests to the service. Raises CallFailed."""
        log = f"projects/{self.project.id}/logs/run.googleapis.com%2Frequests"
        query = f'{self._of_service({})}\nlogName="{log}"\nhttpRequest.requestMethod="POST"'
        found = [one.get("httpRequest") for one in self.reader.find(query, _MOST_ENTRIES)]
        return tuple(one for one in found if isinstance(one, Mapping))

    def errors(self) -> tuple[str, ...]:
        """What else the service logged as an error: one line each, newest first."""
        entries = self._entries(f"{self._of_service({})}\nseverity>=ERROR", _MOST_ERRORS)
        lines = [_line(one) for one in entries]
        return tuple(one for one in lines if one)

    def revision(self, service: Json | Unknown | None) -> Json | Unknown | None:
        """The revision that was asked for, else the newest. Raises CallFailed."""
        its = self.question.deployment
        if self.question.revision:
            name = f"{its.service_name}/revisions/{self.question.revision}"
            return self.project.revision(name)
        newest = service.get("latestCreatedRevision") if isinstance(service, Mapping) else None
        return self.project.revision(_full(str(newest), its.service_name)) if newest else Unknown()

    def at_subscription(self, evidence: Evidence) -> Evidence:
        """With all that is known of it, where its pushes go, and what became of its messages."""
        found = replace(
            evidence,
            subscription=known(lambda: self.project.subscription(self.question.subscription)),
        )
        return replace(
            found,
            reached=probe(found.endpoint) if found.endpoint else Unknown("there is no endpoint"),
            responses=known(lambda: responses_of(self._series("push_request_count"), self._since)),
            backlog=known(
                lambda: backlog_of(
                    self._series("num_undelivered_messages"),
                    self._series("oldest_unacked_message_age"),
                )
            ),
            dead=known(lambda: dead_letter(self.question, self.sent.nonce)),
        )

    @property
    def _since(self) -> datetime:
        return self.sent.began - _SLACK

    def _of_service(self, fields: Mapping[str, str]) -> str:
        return logs_query(self.question.deployment.service, fields, self._since)

    def _entries(self, query: str, most: int = _MOST_ENTRIES) -> list[dict[str, Any]]:
        """None where the log cannot be read just now: it was readable before."""
        found = known(lambda: self.reader.find(query, most))
        return [] if isinstance(found, Unknown) else found

    def _series(self, name: str) -> list[dict[str, Any]]:
        subscription = self.question.deployment.subscription
        return self.project.series(f"{_METRIC}/{name}", _MINUTES, subscription_id=subscription)


def _full(revision: str, service: str) -> str:
    return revision if "/" in revision else f"{service}/revisions/{revision}"


def _line(entry: Json) -> str:
    """What an entry says, on one line."""
    payload = entry.get("jsonPayload")
    said = payload.get("message") if isinstance(payload, Mapping) else entry.get("textPayload")
    return " ".join(str(said or "").split())
