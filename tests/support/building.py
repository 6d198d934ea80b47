"""An engine that builds at once, in place of the real one, for tests of what is in front of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from worker import builder
from worker.builder import Check, Draft, Order
from worker.builder.wanted import Wanted


@dataclass
class Engine:
    """Remembers what it was asked for; raises what a test puts into `refuses` and `fails`."""

    orders: list[Order] = field(default_factory=list)
    taken: list[frozenset[str]] = field(default_factory=list)
    verified: list[Draft] = field(default_factory=list)
    reports: list[tuple[datetime | None, str | None]] = field(default_factory=list)
    refuses: Exception | None = None  # of generate
    fails: Exception | None = None  # of verify

    def generate(self, order: Order, taken: Collection[str], seconds: float = 60) -> Draft:
        self.orders.append(order)
        self.taken.append(frozenset(taken))
        if self.refuses is not None:
            raise self.refuses
        name = order.feature
        files = {
            f"handlers/{name}.py": f'"""{name}."""\n',
            f"tests/handlers/test_{name}.py": f'"""Tests of {name}: {order.requirements}."""\n',
            f"docs/features/{name}.md": f"# {name}\n\n{order.description}\n",
        }
        return Draft(order, Wanted("none", example={}), files, (f"include {name}",))

    def verify(self, draft: Draft, seconds: float = 60) -> tuple[Check, ...]:
        self.verified.append(draft)
        if self.fails is not None:
            raise self.fails
        return (Check("format", "ruff format --check"), Check("tests", "pytest"))

    def report(
        self,
        draft: Draft,
        checks: Sequence[Check],
        requested: datetime | None,
        message_id: str | None,
    ) -> str:
        self.reports.append((requested, message_id))
        return f"# {draft.order.feature}\n"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """In place of worker.builder's functions."""
    stand_in = Engine()
    for name in ("generate", "verify", "report"):
        monkeypatch.setattr(builder, name, getattr(stand_in, name))
    return stand_in
