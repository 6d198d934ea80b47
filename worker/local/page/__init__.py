"""The page of the laptop cloud: deliveries, logs, a form to publish, the quarantine."""

from typing import TYPE_CHECKING

import flask

from worker.local.page import (
    assets,
    deliveries,
    delivery,
    features,
    logs,
    publish,
    quarantine,
    rendering,
)

if TYPE_CHECKING:
    from worker.local.page.site import Site

_PAGES = (deliveries, delivery, logs, publish, quarantine, features)


def create_blueprint(site: "Site") -> flask.Blueprint:
    """All of its routes. Whoever serves it checks Host and Origin before."""
    blueprint = flask.Blueprint("page", __name__, template_folder="templates")
    blueprint.add_url_rule("/page/static/<path:filename>", "static", assets.serve)
    blueprint.record_once(lambda state: rendering.prepare(state.app.jinja_env))
    blueprint.context_processor(lambda: rendering.context_of(site))
    blueprint.after_request(rendering.guard)
    blueprint.add_url_rule("/page/head", "head", lambda: rendering.render("_head_state.html"))
    for page in _PAGES:
        page.register(blueprint, site)
    return blueprint
