"""worker.testing: one message through a handler, and what can be seen of it."""

import pytest
from pydantic import BaseModel, Field

from worker import Context, Reject, Requirements, Retry, feature
from worker.testing import deliver


class Weigh(Requirements):
    kg: float = Field(gt=0)


class Weighed(BaseModel):
    kg: float


@feature("weigh")
def weigh(want: Weigh, context: Context) -> Weighed:
    context.log.info("weigh.done", why=context.description)
    context.artifacts.keep("weights/1", {"kg.txt": str(want.kg).encode()})
    return Weighed(kg=want.kg)


@feature("lazy")
def lazy(context: Context) -> None:
    raise Retry("tomorrow") if context.description else Reject("never")


@feature("late")
def late(context: Context) -> None:
    context.deadline.check()


def test_a_good_message_is_done_with_its_result_its_entries_and_its_artifacts() -> None:
    delivered = deliver(weigh, {"kg": 4.5}, "because")
    assert (delivered.outcome, delivered.status) == ("done", 200)
    assert delivered.result == {"kg": 4.5}
    assert delivered.event("weigh.done")["why"] == "because"
    assert delivered.entries[-1]["artifacts"] == ["memory:weights/1"]
    assert delivered.artifacts["memory:weights/1"]["kg.txt"] == b"4.5"


def test_a_bad_message_is_rejected_with_the_reason() -> None:
    delivered = deliver(weigh, {"kg": 0})
    assert (delivered.outcome, delivered.result) == ("rejected", None)
    assert "requirements.kg" in delivered.reason


@pytest.mark.parametrize(("description", "outcome"), [("", "rejected"), ("x", "retry")])
def test_what_a_handler_raises_is_the_outcome(description: str, outcome: str) -> None:
    assert deliver(lazy, description=description).outcome == outcome


def test_parts_of_the_worker_can_be_replaced() -> None:
    assert deliver(late).outcome == "done"
    assert deliver(late, budget_seconds=0).outcome == "timed_out"


def test_an_event_that_was_not_logged_is_an_error() -> None:
    with pytest.raises(ValueError, match="not enough values"):
        deliver(late).event("late.done")
