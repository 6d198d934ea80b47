"""The Quarantine page: what is held, whether it would pass now; replay it, drop it."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import flask

from worker.local.page.desk import Desk, Done, Spot
from worker.local.page.processes import CommandFailed
from worker.local.page.rendering import render
from worker.local.page.site import Site
from worker.local.page.text import ago

_UNPROCESSABLE = 422


def register(blueprint: flask.Blueprint, site: Site) -> None:
    """Add its routes."""
    page = _Page(site, Desk(site))
    blueprint.add_url_rule("/quarantine", "quarantine", page.show)
    blueprint.add_url_rule("/quarantine", "quarantine_act", page.act, methods=["POST"])
    blueprint.add_url_rule("/quarantine/<held_id>", "held", page.one)


@dataclass(frozen=True, slots=True)
class _Page:
    site: Site
    desk: Desk

    def show(self) -> flask.Response:
        """What is held at `from`: the worker's quarantine, or the dead letters."""
        return self._list(self._spot())

    def act(self) -> flask.Response:
        """Do what the button says with the messages that are chosen."""
        spot, ids = self._spot(), flask.request.form.getlist("id")
        steps: Mapping[str, Callable[[], Done]] = {
            "replay": lambda: self.desk.replay(spot, ids, flask.request.form.get("to", "")),
            "replay_all": lambda: self.desk.replay(spot, [], flask.request.form.get("to", "")),
            "drop": lambda: self.desk.drop(spot, ids),
        }
        step = flask.request.form.get("step", "")
        if step not in steps:
            return self._list(spot, 400, trouble="there is no such step: go back, and choose one")
        if step != "replay_all" and not ids:
            return self._list(
                spot, _UNPROCESSABLE, trouble="no message is chosen: tick one or more"
            )
        if step == "drop" and "sure" not in flask.request.form:
            about = {"spot": spot, "ids": ids, "active": "Quarantine"}
            return render("quarantine_drop.html", 200, **about)
        try:
            return self._list(spot, done=steps[step](), step=step)
        except CommandFailed as failed:
            return self._list(spot, _UNPROCESSABLE, trouble=str(failed))

    def one(self, held_id: str) -> flask.Response:
        """Everything about one message."""
        spot = self._spot()
        try:
            found = self.desk.show(spot, held_id)
        except CommandFailed as failed:
            return self._list(spot, 404, trouble=str(failed))
        data = base64.b64decode(found["data"])
        about = {
            "active": "Quarantine",
            "spot": spot,
            "held": found,
            "facts": _facts(found),
            "size": len(data),
            "text": data.decode("utf-8", "backslashreplace"),
            "targets": self.desk.targets(),
        }
        return render("held.html", 200, **about)

    def _spot(self) -> Spot:
        spots = {spot.which: spot for spot in self.desk.spots()}
        wanted = flask.request.values.get("from", "folder")
        return spots["dead"] if wanted == "dead" else spots["folder"]

    def _list(self, spot: Spot, status: int = 200, **more: Any) -> flask.Response:
        found: Mapping[str, Any] = {"messages": [], "cut": False, "trouble": ""}
        unread = spot.lack
        if not unread:
            try:
                found = self.desk.held(spot)
            except CommandFailed as failed:
                unread = str(failed)
        about = {
            "active": "Quarantine",
            "spot": spot,
            "spots": self.desk.spots(),
            "targets": self.desk.targets(),
            "found": found,
            "passing": sum(one["verdict"] == "" for one in found["messages"]),
            "unread": unread,
            "ago": ago,
            "now": time.time(),  # the worker writes the machine's time
        }
        return render("quarantine.html", status, **(about | more))


def _facts(held: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is known of a message, without what is not."""
    names = {
        "kind": "rejected as",
        "problem": "now",
        "feature": "feature",
        "message_id": "message id",
        "subscription": "subscription",
        "ordering_key": "ordering key",
        "publish_time": "published",
        "time": "quarantined",
        "attempts": "attempts",
        "replays": "replays",
    }
    return [(title, str(held[name])) for name, title in names.items() if held.get(name)]
