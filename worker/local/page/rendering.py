"""Templates -> answers that a browser may show beside hostile payloads."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import flask
from jinja2 import Environment
from markupsafe import Markup, escape

from worker.local.page import look, text
from worker.local.page.icons import ICONS

if TYPE_CHECKING:
    from worker.local.page.site import Site

# Everything comes from here, and nothing runs that did not come in a file of its own.
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Under no-referrer a posted form says the Origin "null" (Fetch, 3.2), and the guard refuses it.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def prepare(environment: Environment) -> None:
    """Make every string that a template shows visible, and teach it our filters.

    Autoescape is Flask's and stays: this adds what escaping leaves alone.
    """
    environment.finalize = _finalize
    environment.filters.update(
        clock_minute=text.clock_minute,
        clock_second=text.clock_second,
        clock_time=text.clock_time,
        cut=text.cut,
        duration=text.duration,
        iso=text.iso,
        json_tree=look.json_tree,
        outcome_tone=look.outcome_tone,
        raw=_raw,
        severity_tone=look.severity_tone,
        size=text.size,
        words=_words,
    )


def render(template: str, status: int = 200, **context: Any) -> flask.Response:
    """The page. Text that is no UTF-8 (a lone surrogate) is shown as a question mark."""
    return flask.Response(body(template, **context), status, mimetype="text/html")


def body(template: str, **context: Any) -> bytes:
    """The bytes of a page or of a part of one."""
    return flask.render_template(template, **context).encode("utf-8", "replace")


def see_other(address: str) -> flask.Response:
    """Where to look after a POST, or instead of an address that is none."""
    return flask.Response(status=303, headers={"Location": address})


def guard(response: flask.Response) -> flask.Response:
    """Say what a browser may do with it. A page is never kept: it is out of date at once."""
    response.headers.extend(_HEADERS)
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


def context_of(site: "Site") -> dict[str, Any]:
    """What every template may use."""
    return {
        "site": site,
        "navigation": look.NAVIGATION,
        "icons": ICONS,
        "worker_url": site.worker_url(),
        "faults_on": faults_on(site),
    }


def faults_on(site: "Site") -> list[str]:
    """The fault switches that are on, in words."""
    faults = site.faults.get()
    switches = {
        "paused": faults.paused,
        f"{faults.duplicate:.0%} duplicated": faults.duplicate,
        "reordered": faults.reorder,
        f"delayed by {text.duration(faults.delay_seconds)}": faults.delay_seconds,
        f"{faults.drop_answer:.0%} of answers dropped": faults.drop_answer,
        f"bursts of {faults.burst}": faults.burst,
    }
    return [words for words, on in switches.items() if on]


def _finalize(value: Any) -> Any:
    return text.visible(value) if type(value) is str else value


def _raw(value: str) -> Markup:
    """Escaped only: for what goes into a form or the clipboard and must come back unchanged."""
    return escape(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
