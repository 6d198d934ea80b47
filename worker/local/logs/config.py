"""The calls of Cloud Logging's ConfigServiceV2 about sinks: protobuf requests in, JSON out.

Both servers use it. Source: google/logging/v2/logging_config.proto.
"""

import re
from typing import Any, NoReturn

from google.protobuf import json_format

from worker.local.errors import ApiError, Code
from worker.local.logs.scope import parents
from worker.local.logs.sinks import DEFAULT, Sinks
from worker.local.lql import FilterError, parse

_NAME = re.compile(r"(.+)/sinks/([^/]+)")
_EXCLUSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", re.ASCII)
_MOST_EXCLUSIONS = 50
_CHANGEABLE = ("description", "disabled", "exclusions", "filter")


class ConfigService:
    """Each call by its name. They raise ApiError."""

    def __init__(self, sinks: Sinks, project: str) -> None:
        self._sinks = sinks
        self._project = project

    def list_sinks(self, request: Any) -> dict[str, Any]:
        """Both sinks of our project; another has none here."""
        (parent,) = parents([request.parent])
        return {"sinks": self._sinks.all() if parent == f"projects/{self._project}" else []}

    def get_sink(self, request: Any) -> dict[str, Any]:
        """One of them."""
        found = self._sinks.get(self._id(request.sink_name))
        if found is None:
            raise ApiError(Code.NOT_FOUND, f"Sink {request.sink_name[:300]} does not exist")
        return found

    def update_sink(self, request: Any) -> dict[str, Any]:
        """_Default with the fields changed that the mask names; its filter without a mask."""
        name = self.get_sink(request)["name"]
        if name != DEFAULT:
            raise ApiError(Code.FAILED_PRECONDITION, f"the sink {name} cannot be changed")
        paths = set(request.update_mask.paths) or {"destination", "filter"}
        if unknown := paths - {*_CHANGEABLE, "destination"}:
            _refuse(f"updateMask: {min(unknown)[:60]} cannot be changed here")
        self._check_destination(request.sink.destination if "destination" in paths else "")
        _check_filters(request.sink)
        sink = json_format.MessageToDict(request.sink)
        for one in sink.get("exclusions", []):
            one.pop("createTime", None)
            one.pop("updateTime", None)
        changes = {path: sink.get(path) for path in _CHANGEABLE if path in paths}
        return self._sinks.change_default(changes)

    def create_sink(self, _: Any) -> NoReturn:
        """Entries stay on this machine."""
        raise ApiError(
            Code.UNIMPLEMENTED, "the laptop cloud has the sinks _Default and _Required, no others"
        )

    def delete_sink(self, request: Any) -> NoReturn:
        """What is there cannot be deleted, as in Cloud Logging."""
        name = self.get_sink(request)["name"]
        raise ApiError(Code.FAILED_PRECONDITION, f"the sink {name} cannot be deleted: disable it")

    def _id(self, name: str) -> str:
        found = _NAME.fullmatch(name)
        (parent,) = parents([found[1]]) if found else ("",)
        if found is None:
            _refuse("the sink name is malformed: want projects/PROJECT/sinks/SINK_ID")
        return found[2] if parent == f"projects/{self._project}" else ""

    def _check_destination(self, wanted: str) -> None:
        there = (self._sinks.get(DEFAULT) or {})["destination"]
        if wanted not in ("", there):
            raise ApiError(
                Code.UNIMPLEMENTED, "sink.destination: entries stay on this machine, in _Default"
            )


def _check_filters(sink: Any) -> None:
    if len(sink.exclusions) > _MOST_EXCLUSIONS:
        _refuse("sink.exclusions: want 50 or fewer")
    if len({one.name for one in sink.exclusions}) < len(sink.exclusions):
        _refuse("sink.exclusions: two have the same name")
    _check_filter("sink.filter", sink.filter)
    for number, one in enumerate(sink.exclusions):
        place = f"sink.exclusions[{number}]"
        if _EXCLUSION.fullmatch(one.name) is None:
            _refuse(f"{place}.name: want 1 to 100 letters, digits and _.-, not _.- at the start")
        if not one.filter.strip():
            _refuse(f"{place}.filter is missing: an empty one would exclude everything")
        _check_filter(f"{place}.filter", one.filter)


def _check_filter(place: str, text: str) -> None:
    try:
        parse(text)
    except FilterError as error:
        _refuse(f"{place}: Unparseable filter: {error}")


def _refuse(why: str) -> NoReturn:
    raise ApiError(Code.INVALID_ARGUMENT, why)
