"""The Features page: what can be asked for, with its schema, its docs and how it went lately."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask

from worker.example import NoExample, example_of
from worker.local.lql import parse
from worker.local.page import text
from worker.local.page.catalog import Catalog, Listed
from worker.local.page.formfield import flat
from worker.local.page.markdown import html_of
from worker.local.page.processes import CommandFailed
from worker.local.page.rendering import render
from worker.local.page.site import Site

_DOCS = Path("docs/features")
_CANONICAL = 'jsonPayload.event="message.processed"'  # the one entry of each push
_OUTCOME = "jsonPayload.outcome"
_DAY_SECONDS = 24 * 3600.0
_RECENT = 8  # pushes that are shown one by one


def register(blueprint: flask.Blueprint, site: Site) -> None:
    """Add its routes."""
    page = _Page(site, Catalog(site.environment))
    blueprint.add_url_rule("/features", "features", page.all)
    blueprint.add_url_rule("/features/<name>", "feature", page.one)


@dataclass(frozen=True, slots=True)
class _Page:
    site: Site
    catalog: Catalog

    def all(self) -> flask.Response:
        """Every feature, with its outcomes so far."""
        found, trouble = self._features()
        rows = [(one, self._outcomes(one.name)) for one in found]
        about = {"rows": rows, "trouble": trouble, "package": self.catalog.package}
        return render("features.html", 200, active="Features", **about)

    def one(self, name: str) -> flask.Response:
        """Everything about a feature."""
        found, trouble = self._features()
        feature = next((one for one in found if one.name == name), None)
        if feature is None:
            trouble = trouble or f"no feature is called {name}: these are the ones that are"
            rows = [(one, self._outcomes(one.name)) for one in found]
            about: dict[str, Any] = {"rows": rows, "package": self.catalog.package}
            return render("features.html", 404, active="Features", trouble=trouble, **about)
        query = query_of(name)
        about = {
            "feature": feature,
            "fields": [one for one in flat(feature.form) if one.kind != "group"],
            "schema": json.dumps(feature.schema, indent=2, ensure_ascii=False),
            "example": _example(feature),
            "file": self.catalog.file_of(feature.handler),
            "docs": _docs(name),
            "docs_file": (_DOCS / f"{name}.md").as_posix(),
            "outcomes": self._outcomes(name),
            "recent": self.site.logs.search(parse(query), limit=_RECENT).entries,
            "query": query,
        }
        return render("feature.html", 200, active="Features", **about)

    def _features(self) -> tuple[list[Listed], str]:
        try:
            return self.catalog.all(), ""
        except CommandFailed as failed:
            return [], f"the handlers cannot be loaded: {failed}"

    def _outcomes(self, name: str) -> Sequence[tuple[str, int]]:
        """How often its messages ended how within a day, the most frequent first."""
        since = text.iso(self.site.clock.now() - _DAY_SECONDS)
        query = f'{query_of(name)}\ntimestamp>="{since}"'
        return self.site.logs.facets(parse(query)).get(_OUTCOME, [])


def query_of(name: str) -> str:
    """The query for the ends of its messages."""
    return f"{_CANONICAL}\njsonPayload.feature={json.dumps(name)}"


def _example(feature: Listed) -> str:
    """A whole payload, as its author gives one, or as its schema asks for."""
    payload: dict[str, Any] = {"feature": feature.name, "description": "an example"}
    if feature.schema is not None:
        with suppress(NoExample):  # the author gives none, and none can be made up
            payload["requirements"] = example_of(feature.schema)
    return json.dumps(payload, indent=2, ensure_ascii=False)


def _docs(name: str) -> Any:
    """Its page in docs/features, None where it has none."""
    try:  # the name is that of a feature, so it leads to no other folder
        page = (_DOCS / f"{name}.md").read_text("utf-8", "replace")
    except OSError:
        return None
    return html_of(page.removeprefix(f"# {name}\n"))  # the page says it already
