"""The dashboard. Charts that somebody added to it stay."""

import copy
import json
from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import MONITORING
from worker.project.google import Json
from worker.provision import mark
from worker.provision.apis import MONITORING_API
from worker.provision.cloud import Cloud
from worker.provision.compare import same
from worker.provision.step import State, Step, gone, stays

KIND = "dashboards"
_LAYOUT, _TILES = "mosaicLayout", "tiles"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The dashboard that `body` describes, found by its name."""

    deployment: Deployment
    body: Json
    apis: tuple[str, ...] = (MONITORING_API,)

    @property
    def _name(self) -> str:
        return str(self.body["displayName"])

    @property
    def title(self) -> str:
        """Its kind and name."""
        return "dashboard"

    @property
    def about(self) -> str:
        """Its name."""
        return self._name

    def _found(self, cloud: Cloud) -> Json | None:
        for dashboard in cloud.watching("v1", KIND):
            if dashboard.get("displayName") == self._name:
                return dashboard
        return None

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, with all of our charts as they should be."""
        found = self._found(cloud)
        parent = f"v1/projects/{self.deployment.project}/{KIND}"
        if found is None:
            make = lambda: cloud.google.call(MONITORING, "POST", parent, self.body)  # noqa: E731
            return Step(self.title, State.MAKE, self.about, make)
        if not _is_ours(found):
            return Step(self.title, State.CANNOT, "one of this name was made by somebody else")
        wrong = _wrong(self.body, found)
        if not wrong:
            return Step(self.title, State.THERE, self.about)
        change = lambda: cloud.google.call(  # noqa: E731
            MONITORING, "PATCH", f"v1/{found['name']}", _mended(found, wrong)
        )
        titles = ", ".join(tile["widget"]["title"] for tile in wrong)
        return Step(self.title, State.CHANGE, titles, change)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label."""
        found = self._found(cloud)
        if found is None:
            return gone(self.title)
        if not _is_ours(found):
            return stays(self.title, mark.NOT_OURS)
        remove = lambda: cloud.google.call(MONITORING, "DELETE", f"v1/{found['name']}")  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def script(self) -> str:
        """Made where it is not there. One that is there is left: it may have been added to."""
        query = quote(f'displayName="{self._name}"')
        return (
            f"cat >\"$FILES/dashboard.json\" <<'JSON'\n{json.dumps(self.body, indent=2)}\nJSON\n"
            f'if [[ -z "$(gcloud monitoring dashboards list --filter={query}'
            " --format='value(name)')\" ]]; then\n"
            '  gcloud monitoring dashboards create --config-from-file="$FILES/dashboard.json"\n'
            "fi"
        )


def _is_ours(found: Json) -> bool:
    return mark.NAME in found.get("labels", {})  # its labels have keys alone


def _tiles(dashboard: Json) -> list[Json]:
    tiles: list[Json] = dashboard.get(_LAYOUT, {}).get(_TILES, [])
    return tiles


def _title(tile: Json) -> str:
    return str(tile.get("widget", {}).get("title", ""))


def _wrong(wanted: Json, found: Json) -> list[Json]:
    """Our tiles that are missing, or show something else. Where they are is everybody's."""
    there = {_title(tile): tile["widget"] for tile in _tiles(found) if _title(tile)}
    return [tile for tile in _tiles(wanted) if not same(tile["widget"], there.get(_title(tile)))]


def _mended(found: Json, wrong: list[Json]) -> Json:
    """The dashboard with these tiles in place of those of the same title, or beneath all others."""
    mended = copy.deepcopy(found)
    tiles: list[Json] = mended.setdefault(_LAYOUT, {}).setdefault(_TILES, [])
    for tile in wrong:
        same_title = [one for one in tiles if _title(one) == _title(tile)]
        if same_title:
            same_title[0]["widget"] = tile["widget"]
        else:
            bottom = max((one.get("yPos", 0) + one.get("height", 0) for one in tiles), default=0)
            tiles.append(tile | {"xPos": 0, "yPos": bottom})
    return mended
