"""The first page: what was pushed, as it happens, and what came of it."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import flask

from worker.local.page import payload, plots
from worker.local.page.look import OUTCOME_TONES
from worker.local.page.rendering import body, render
from worker.local.page.stream import differences

if TYPE_CHECKING:
    from worker.local.page.site import Site
    from worker.local.pubsub.push.deliveries import Delivery

ROWS = 50
_BUCKETS = 60
_PLOT_SECONDS = 1.0  # between two drawings, however much happens
RANGES = {"5m": 300.0, "15m": 900.0, "1h": 3600.0, "6h": 21600.0, "24h": 86400.0}  # seconds
_MOST_ID = 2**63 - 1  # what SQLite takes for an integer


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    text: str = ""
    outcome: str = ""
    range: str = "15m"
    before: int = 0

    @classmethod
    def of_request(cls) -> "Wanted":
        """From the query of the address; what cannot be is left out."""
        asked = flask.request.args
        before = asked.get("before", "")
        chosen = asked.get("range", "")
        return cls(
            text=asked.get("q", "").strip(),
            outcome=asked.get("outcome", ""),
            range=chosen if chosen in RANGES else "15m",
            before=min(int(before), _MOST_ID) if before.isascii() and before.isdigit() else 0,
        )

    def query(self, **changed: str | int) -> str:
        """The query of the address that asks for this with changes, "?" included."""
        fields: dict[str, str | int] = {
            "q": self.text, "outcome": self.outcome, "range": self.range, "before": self.before,
        }  # fmt: skip
        usual = {"q": "", "outcome": "", "range": "15m", "before": 0}
        asked = {k: v for k, v in {**fields, **changed}.items() if v != usual[k]}
        return f"?{urlencode(asked)}" if asked else ""


def register(blueprint: flask.Blueprint, site: "Site") -> None:
    """The list, and its news."""

    @blueprint.get("/")
    @blueprint.get("/deliveries")
    def deliveries() -> flask.Response:
        return _page(site, Wanted.of_request())

    @blueprint.get("/deliveries/events")
    def deliveries_events() -> flask.Response:
        wanted = Wanted.of_request()
        return differences(site.deliveries.listen, _News(site, wanted).look, beat_seconds=2.0)


def _page(site: "Site", wanted: Wanted) -> flask.Response:
    rows = _rows(site, wanted)
    older = wanted.query(before=rows[-1].id) if len(rows) == ROWS else ""
    return render(
        "deliveries.html",
        active="Deliveries", wanted=wanted, rows=rows, ranges=RANGES, outcomes=list(OUTCOME_TONES),
        newest=f"/{wanted.query(before=0)}" if wanted.before else "",
        older=f"/{older}" if older else "",
        publish_command=publish_example(site), **_plot(site, wanted), **_row_context(),
    )  # fmt: skip


def publish_example(site: "Site") -> str:
    """The command that makes the first delivery."""
    return (
        f"python -m worker publish --topic {site.topic.rpartition('/')[2]} "
        "--feature smoke_test --description 'Hello'"
    )


def _rows(site: "Site", wanted: Wanted) -> "list[Delivery]":
    return site.deliveries.recent(
        limit=ROWS, before=wanted.before, text=wanted.text, outcome=wanted.outcome
    )


class _News:
    """The rows, oldest first as each is put on top, and the drawing, which may be a bit behind."""

    def __init__(self, site: "Site", wanted: Wanted) -> None:
        self._site = site
        self._wanted = wanted
        self._rows: dict[tuple[object, ...], str] = {}
        self._plot = ""
        self._plot_due = 0.0  # of the machine's monotonic clock

    def look(self) -> dict[str, str]:
        rows = list(reversed(_rows(self._site, self._wanted)))
        states = [(row.id, row.attempts, row.outcome, row.last_time) for row in rows]
        self._rows = {
            state: self._rows.get(state) or self._row(row)
            for state, row in zip(states, rows, strict=True)
        }
        if time.monotonic() >= self._plot_due:
            plot = _plot(self._site, self._wanted)
            self._plot = body("_delivery_plot.html", wanted=self._wanted, **plot).decode()
            self._plot_due = time.monotonic() + _PLOT_SECONDS
        drawn = {f"delivery-{state[0]}": html for state, html in self._rows.items()}
        return {**drawn, "plot": self._plot}

    def _row(self, row: "Delivery") -> str:
        return body("_delivery_row.html", row=row, **_row_context()).decode()


def _row_context() -> dict[str, Any]:
    return {"read": payload.read, "preview": payload.preview}


def _plot(site: "Site", wanted: Wanted) -> dict[str, Any]:
    seconds = RANGES[wanted.range]
    step = seconds / _BUCKETS
    until = (site.clock.now() // step + 1) * step  # so that bars do not creep
    buckets = site.deliveries.timeline(until - seconds, until, _BUCKETS)
    ended = [bool(each.p99) for each in buckets]
    slowest = plots.nice(max((each.p99 for each in buckets), default=0.0))
    return {
        "bars": plots.stack(buckets, OUTCOME_TONES),
        "buckets": [each for each in buckets if each.counts],
        "slowest": slowest if any(ended) else 0.0,
        "p50": plots.line([each.p50 if each.p99 else None for each in buckets], slowest),
        "p99": plots.line([each.p99 or None for each in buckets], slowest),
        "plot_start": until - seconds, "plot_end": until,
        "waiting": site.backlog().get(site.subscription, 0),
    }  # fmt: skip
