"""A filter of time series -> the conditions in it. Source: Cloud Monitoring, monitoring filters."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, NoReturn

from worker.local.errors import ApiError, Code

_LONGEST = 2048  # characters
_CONDITION = re.compile(
    r"""\s*
    (?: (?P<field> project | (?:metric|resource)\.type )
      | (?P<kind> metric | resource ) \. labels? \. (?P<label> [A-Za-z_]\w* | "[A-Za-z_]\w*" )
    )
    \s* (?P<operator> !?= ) \s*
    (?: "(?P<double> (?:[^"\\]|\\.)* )" | '(?P<single> (?:[^'\\]|\\.)* )' )
    """,
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_AND = re.compile(r"\s+AND(?=\s|$)|(?=\s)")


class _Condition(NamedTuple):
    field: str  # metric.type, resource.type, project, metric.labels.NAME, resource.labels.NAME
    equal: bool
    value: str


@dataclass(frozen=True, slots=True)
class SeriesFilter:
    """`metric` is the type that is asked for; `matches` says whether a series is meant."""

    metric: str
    conditions: tuple[_Condition, ...]

    def matches(self, fields: Mapping[str, str]) -> bool:
        """`fields` has those of a series by name, as in "resource.labels.subscription_id"."""
        return all((fields.get(one.field) == one.value) is one.equal for one in self.conditions)


def parse(text: str) -> SeriesFilter:
    """Conditions with = and !=, joined by AND. Raises ApiError for anything else."""
    conditions = tuple(_conditions(text[: _LONGEST + 1]))
    metrics = {one.value for one in conditions if one.field == "metric.type" and one.equal}
    if len(metrics) != 1:
        _refuse('it must name one metric: metric.type="pubsub.googleapis.com/..."')
    return SeriesFilter(metrics.pop(), conditions)


def _conditions(text: str) -> Iterator[_Condition]:
    if len(text) > _LONGEST:
        _refuse(f"it is longer than {_LONGEST} characters")
    place, end = 0, len(text.rstrip())
    while True:
        found = _CONDITION.match(text, place)
        if found is None:
            _refuse(
                f"at column {place + 1}: want metric.type, metric.labels.NAME, resource.type,"
                ' resource.labels.NAME or project, then = or !=, then "VALUE"'
            )
        yield _condition(found)
        if found.end() >= end:
            return
        joint = _AND.match(text, found.end())
        if joint is None:
            _refuse(f"at column {found.end() + 1}: want AND between two conditions")
        place = joint.end()


def _condition(found: re.Match[str]) -> _Condition:
    label = (found["label"] or "").strip('"')
    field = found["field"] or f"{found['kind']}.labels.{label}"
    value = found["double"] if found["double"] is not None else found["single"]
    return _Condition(
        field, found["operator"] == "=", re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    )


def _refuse(why: str) -> NoReturn:
    raise ApiError(Code.INVALID_ARGUMENT, f"Field filter had an invalid value: {why}")
