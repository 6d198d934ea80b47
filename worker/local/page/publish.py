"""The Publish page: a form for each feature, every way to deliver, and the fault switches."""

from dataclasses import dataclass

import flask

from worker.client.gcloud import publish_command
from worker.local.errors import ApiError
from worker.local.page import draft as drafts
from worker.local.page import faultpanel
from worker.local.page.catalog import Catalog, Listed
from worker.local.page.draft import TOPIC, Draft
from worker.local.page.formfield import MISSING
from worker.local.page.presets import PRESETS
from worker.local.page.processes import CommandFailed, Commands
from worker.local.page.rendering import render
from worker.local.page.sending import FINAL, Batches, push
from worker.local.page.site import Site
from worker.local.pubsub.push.faults import FaultSettings
from worker.message import Form

_MOST_BYTES = 32 * 1024 * 1024  # of a form: a message of 10 MB in Base64, and what its text adds
_UNPROCESSABLE = 422


def register(blueprint: flask.Blueprint, site: Site) -> None:
    """Add its routes."""
    page = _Page(site, Catalog(site.environment), Batches(site), Commands(site.environment))
    blueprint.add_url_rule("/publish", "publish", page.show)
    blueprint.add_url_rule("/publish", "publish_send", page.send, methods=["POST"])
    blueprint.add_url_rule("/publish/preview", "publish_preview", page.preview, methods=["POST"])
    blueprint.add_url_rule("/publish/sent/<int:number>", "publish_sent", page.sent)
    blueprint.add_url_rule("/publish/faults", "publish_faults", page.faults, methods=["POST"])


@dataclass(frozen=True, slots=True)
class _Page:
    site: Site
    catalog: Catalog
    batches: Batches
    commands: Commands

    def show(self) -> flask.Response:
        """The form of `feature`, or the free one for none; `example` or `preset` fills it in."""
        features, trouble = self._features()
        name = flask.request.args.get("feature", features[0].name if features else "")
        feature = _named(features, name)
        if name and feature is None and not trouble:
            trouble = f"no feature is called {name}: choose another"
        draft = drafts.opened(feature, _example(feature))
        if feature is None:
            draft = drafts.read(None, {**draft.values, **_preset()})
        return self._page(draft, trouble=trouble)

    def send(self) -> flask.Response:
        """Send what the form says, unless something is wrong with it."""
        draft, trouble = self._draft()
        if not trouble and draft.feature and not draft.problems and not _anyway():
            trouble = self._check(draft)
        if trouble or draft.problems or draft.reason:
            return self._page(draft, _UNPROCESSABLE, trouble=trouble)
        if draft.via != TOPIC:
            answered = push(self.site, Form(draft.via), draft.content, draft.count)
            return self._page(draft, direct=answered)
        try:
            batch = self.batches.publish(draft.content, draft.count)
        except ApiError as error:
            return self._page(draft, error.code.status, trouble=f"not published: {error}")
        return self._page(draft, progress=self.batches.progress(batch.number))

    def preview(self) -> flask.Response:
        """The message as it would be sent now, and the command that publishes it."""
        draft, _ = self._draft()
        return render("_publish_preview.html", draft=draft, command=self._command(draft))

    def sent(self, number: int) -> flask.Response:
        """What has become of a batch by now."""
        progress = self.batches.progress(number)
        if progress is None:
            return flask.Response("", 404, mimetype="text/html")
        return render("_publish_sent.html", progress=progress, final=FINAL)

    def faults(self) -> flask.Response:
        """Set the switches, or all of them off."""
        settings, problems = faultpanel.settings_of(flask.request.form)
        if "off" in flask.request.form:
            settings, problems = FaultSettings(), {}
        if not problems:
            self.site.faults.set(settings)
            back = flask.request.form.get("feature", "")
            return flask.Response(
                "", 303, {"Location": flask.url_for("page.publish", feature=back) + "#faults"}
            )
        features, trouble = self._features()
        feature = _named(features, flask.request.form.get("feature", ""))
        wrong = {"faults": dict(flask.request.form), "fault_problems": problems}
        return self._page(drafts.opened(feature), _UNPROCESSABLE, trouble=trouble, **wrong)

    def _features(self) -> tuple[list[Listed], str]:
        """All of them, or why they cannot be had."""
        try:
            return self.catalog.all(), ""
        except CommandFailed as failed:
            return [], f"the handlers cannot be loaded: {failed}"

    def _draft(self) -> tuple[Draft, str]:
        flask.request.max_form_memory_size = _MOST_BYTES
        values = flask.request.form.to_dict()
        features, trouble = self._features()
        name = values.get("feature", "")
        feature = _named(features, name)
        if name and feature is None:
            trouble = trouble or f"no feature is called {name} any more"
        return drafts.read(feature, values), trouble if name else ""

    def _check(self, draft: Draft) -> str:
        """Put to the draft what the worker says of it. Gives why it cannot be asked, else ""."""
        try:
            drafts.check(draft, self.commands)
        except CommandFailed as failed:
            return f"the worker's models cannot be asked: {failed}"
        return ""

    def _command(self, draft: Draft) -> str:
        return publish_command(self.site.topic, draft.content)

    def _page(self, draft: Draft, status: int = 200, **more: object) -> flask.Response:
        features, _ = self._features()
        about = {
            "active": "Publish",
            "draft": draft,
            "features": features,
            "command": self._command(draft),
            "forms_of_delivery": list(Form),
            "presets": PRESETS,
            "switches": faultpanel.SWITCHES,
            "faults": faultpanel.texts_of(self.site.faults.get()),
            "fault_problems": {},
            "final": FINAL,
            "oidc": self.site.environment.get("PUSH_AUTH") == "oidc",
        }
        return render("publish.html", status, **(about | more))


def _named(features: list[Listed], name: str) -> Listed | None:
    return next((one for one in features if one.name == name), None)


def _anyway() -> bool:
    return "anyway" in flask.request.form


def _example(feature: Listed | None) -> object:
    """The example that the address asks for."""
    examples = feature.examples if feature else []
    number = flask.request.args.get("example", type=int)
    return examples[number] if number is not None and 0 <= number < len(examples) else MISSING


def _preset() -> dict[str, str]:
    chosen = [one for one in PRESETS if one.name == flask.request.args.get("preset")]
    return {"payload": chosen[0].payload, "encoding": chosen[0].encoding} if chosen else {}
