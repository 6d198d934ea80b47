"""Which function answers which call."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tests.support.google.request import Json, Refused, Request
from tests.support.google.state import State

Answer = Callable[[State, Request], Json | None]  # None: without content

_PART = re.compile(r"\{(\w+)(=\*\*)?\}")


@dataclass(frozen=True, slots=True)
class Route:
    """`api` is "*" for what all have; in the path {name} is a segment, {name=**} any number."""

    api: str
    method: str
    pattern: re.Pattern[str]
    answer: Answer


def route(api: str, method: str, path: str, answer: Answer) -> Route:
    """A route from a template such as "/v1/projects/{project}/topics/{topic}"."""
    pattern, end = "", 0
    for part in _PART.finditer(path):
        inside = ".+?" if part[2] else "[^/]+?"
        pattern += re.escape(path[end : part.start()]) + f"(?P<{part[1]}>{inside})"
        end = part.end()
    return Route(api, method, re.compile(pattern + re.escape(path[end:])), answer)


class Routes:
    """The first that fits answers; a call that none fits is refused."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = tuple(routes)

    def answer(self, state: State, request: Request) -> Json | None:
        """What the API answers, None for nothing. Raises Refused."""
        for one in self._routes:
            if one.api not in (request.api, "*") or one.method != request.method:
                continue
            if found := one.pattern.fullmatch(request.path):
                return one.answer(state, replace(request, names=found.groupdict()))
        # Not 501, which gcloud asks again for half a minute.
        message = f"the fake Google was not taught {request.api} {request.method} {request.path}"
        raise Refused(400, message, "UNIMPLEMENTED")
