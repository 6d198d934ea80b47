"""The table of outcomes, and the exceptions that choose one of its rows."""

import logging
from typing import Any

import pytest

from worker import outcome
from worker.log import severity_of
from worker.outcome import OUTCOMES, Outcome, Refused, Reject, Stop

TABLE = {
    "done": ((200,), "INFO"),
    "duplicate": ((200,), "INFO"),
    "rejected": ((200, 500), "WARNING"),
    "retry": ((503,), "WARNING"),
    "busy": ((503,), "NOTICE"),
    "timed_out": ((504,), "ERROR"),
    "crashed": ((500,), "ERROR"),
    "refused": ((401, 403, 413), "WARNING"),
    "overloaded": ((429,), "WARNING"),
    "draining": ((503,), "NOTICE"),
}


def test_the_table_has_exactly_these_outcomes_statuses_and_severities() -> None:
    rows = {row.name: (row.statuses, severity_of(row.level)) for row in OUTCOMES}
    assert rows == TABLE


@pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
def test_an_outcome_says_what_happens_to_the_message_and_what_to_do(row: Outcome) -> None:
    assert row.status == row.statuses[0]
    assert row.message.endswith(".")
    assert row.operator.endswith(".")


@pytest.mark.parametrize("row", OUTCOMES, ids=lambda row: row.name)
def test_only_200_acks_and_the_table_says_acked_where_it_is_sent(row: Outcome) -> None:
    acks = {status for status in row.statuses if status in (102, 200, 201, 202, 204)}
    assert acks <= {200}
    assert bool(acks) == ("acked" in row.message.lower().replace("nacked", ""))


@pytest.mark.parametrize(
    ("name", "ends_as"),
    [
        ("Reject", "rejected"),
        ("BadEnvelope", "rejected"),
        ("BadPayload", "rejected"),
        ("UnknownFeature", "rejected"),
        ("Retry", "retry"),
        ("Duplicate", "duplicate"),
        ("Busy", "busy"),
        ("TimedOut", "timed_out"),
        ("Refused", "refused"),
        ("Overloaded", "overloaded"),
        ("Draining", "draining"),
        ("Stop", "crashed"),
    ],
)
def test_an_exception_chooses_its_outcome_and_carries_the_reason(name: str, ends_as: str) -> None:
    stop: Stop = getattr(outcome, name)("because")
    assert stop.outcome.name == ends_as
    assert stop.status == stop.outcome.status
    assert stop.reason == "because"
    assert str(stop) == "because"


def test_every_exception_is_drawn_in_the_docstring_of_the_module() -> None:
    def family(kind: type[Stop]) -> set[str]:
        return {kind.__name__}.union(*(family(child) for child in kind.__subclasses__()))

    ours = {name for name in family(Stop) if hasattr(outcome, name)}
    assert len(ours) == 12
    assert all(name in (outcome.__doc__ or "") for name in ours)


def test_what_can_never_succeed_is_a_reject_so_that_one_except_quarantines_it() -> None:
    for kind in (outcome.BadEnvelope, outcome.BadPayload, outcome.UnknownFeature):
        assert issubclass(kind, Reject)


@pytest.mark.parametrize("status", [401, 403, 413])
def test_a_refusal_has_the_status_it_was_given(status: int) -> None:
    assert Refused("why", status).status == status
    assert status in Refused.outcome.statuses


def test_a_reason_that_is_no_text_becomes_text() -> None:
    reason: Any = 42
    assert Reject(reason).reason == "42"


def test_a_handlers_own_exception_that_skips_our_init_still_has_a_reason() -> None:
    class Later(outcome.Retry):
        def __init__(self) -> None:
            Exception.__init__(self)

    assert (Later().outcome.name, Later().reason) == ("retry", "no reason was given")


def test_a_reject_without_a_reason_is_still_a_reject() -> None:
    assert Reject().reason == "no reason was given"


def test_notice_lies_between_info_and_warning() -> None:
    assert logging.INFO < outcome.NOTICE < logging.WARNING
