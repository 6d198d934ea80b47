"""A small Logs Explorer: the same language, the filter in the address, facets, a tail."""

from typing import TYPE_CHECKING, Any

import flask

from worker.client.gcloud import logging_read
from worker.client.logs import logs_link
from worker.local import lql
from worker.local.page import entries, plots
from worker.local.page.explorer import RANGES, Asked, Mistake, clause_of, written
from worker.local.page.look import SEVERITY_TONES
from worker.local.page.rendering import body, render, see_other
from worker.local.page.stream import differences

if TYPE_CHECKING:
    from worker.local.logs.store import Found
    from worker.local.page.site import Site

_ROWS = 100
_BUCKETS = 60
_FACET_VALUES = 8
_LEAST_SECONDS = 0.06  # of a histogram: a millisecond for each bar
_EXAMPLES = (
    ("Problems", "severity>=WARNING"),
    ("How each push ended", 'jsonPayload.event="message.processed"'),
    ("Rejected messages", 'labels.outcome="rejected"'),
    ("Slow pushes", 'jsonPayload.event="message.processed"\njsonPayload.seconds>1'),
    ("Requests", 'log_id("run.googleapis.com/requests")'),
)


def register(blueprint: flask.Blueprint, site: "Site") -> None:
    """The page and its tail."""

    @blueprint.get("/logs")
    def logs() -> flask.Response:
        return _page(site, Asked.of(flask.request.args))

    @blueprint.get("/logs/tail")
    def logs_tail() -> flask.Response:
        asked = Asked.of(flask.request.args)
        try:
            query = lql.parse(asked.query)
        except lql.FilterError as error:
            return flask.Response(f"{error}\n", 400, mimetype="text/plain")
        return differences(site.logs.listen, _Tail(site, query).look)


def _page(site: "Site", asked: Asked) -> flask.Response:
    now = site.logs.now() / 1e9
    context: dict[str, Any] = {
        "active": "Logs", "asked": asked, "ranges": RANGES, "examples": _EXAMPLES, "mistake": None,
    }  # fmt: skip
    try:
        text = asked.whole(now)
        query = lql.parse(text)
        found = site.logs.search(query, limit=_ROWS, after=asked.cursor)
    except lql.FilterError as error:
        mistake = Mistake.of(asked.query, error)
        return render("logs.html", 400, **{**context, "mistake": mistake})
    except ValueError:  # a cursor that is none
        return see_other(asked.address())
    return render(
        "logs.html", **context, **_found(asked, found), **_commands(site, text, query),
        **_facets(site, asked, query), **_histogram(site, asked, query, now),
    )  # fmt: skip


def _found(asked: Asked, found: "Found") -> dict[str, Any]:
    return {
        "rows": [entries.view(each) for each in found.entries],
        "older": asked.address(cursor=found.next, live=False) if found.next else "",
        "newest": asked.address(cursor="") if asked.cursor else "",
        "tail": asked.address("/logs/tail") if asked.live and not asked.cursor else "",
    }


def _commands(site: "Site", text: str, query: lql.Query) -> dict[str, Any]:
    command = f"{logging_read(str(query), site.project)} --limit={_ROWS}"
    return {"command": command, "link": logs_link(text, site.project)}


def _facets(site: "Site", asked: Asked, query: lql.Query) -> dict[str, Any]:
    """Field -> rows of (value, count, address, whether the query has it), and if all were seen."""
    found = site.logs.facets(query)
    facets = {}
    for field, values in found.items():
        rows = [(value, count, clause_of(field, value)) for value, count in values]
        facets[field] = [
            (value, count, asked.toggled(clause), asked.has(clause))
            for value, count, clause in rows[:_FACET_VALUES]
        ]
    return {"facets": facets, "facets_complete": found.complete}


def _histogram(site: "Site", asked: Asked, query: lql.Query, now: float) -> dict[str, Any]:
    since, until = _span(site, asked, query, now)
    buckets = site.logs.histogram(query, since, until, _BUCKETS)
    return {
        "bars": plots.stack(buckets, SEVERITY_TONES),
        "bars_complete": buckets.complete,
        "plot_start": since,
        "plot_end": until,
        "narrowed": lambda bar: asked.address(
            since=written(bar.start), until=written(bar.end), live=False
        ),
    }


def _span(site: "Site", asked: Asked, query: lql.Query, now: float) -> tuple[float, float]:
    """What the histogram covers: the stretch that was asked for, else that of what was found."""
    own = lql.parse(asked.query).mentions("timestamp")
    since, until = (0.0, 0.0) if own else asked.span(now)
    if not since:
        oldest = site.logs.search(query, limit=1, newest_first=False).entries
        since = entries.view(oldest[0]).seconds if oldest else now - RANGES["1h"]
    if own:
        newest = site.logs.search(query, limit=1).entries
        until = entries.view(newest[0]).seconds + 0.001 if newest else now
    return since, max(until or now + 0.001, since + _LEAST_SECONDS)


class _Tail:
    """The newest entries, oldest first as each is put on top. An entry never changes."""

    def __init__(self, site: "Site", query: lql.Query) -> None:
        self._site = site
        self._query = query
        self._drawn: dict[str, str] = {}

    def look(self) -> dict[str, str]:
        found = self._site.logs.search(self._query, limit=_ROWS).entries
        views = [entries.view(each) for each in reversed(found)]
        self._drawn = {
            view.key: self._drawn.get(view.key) or body("_entry.html", entry=view).decode()
            for view in views
        }
        return self._drawn
