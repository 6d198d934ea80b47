"""Refusals that a test plants."""

import re
from dataclasses import dataclass

from tests.support.google.request import Refused, Request


@dataclass(slots=True)
class Fault:
    """Refuses calls that match, `left` times; None: until it is taken away."""

    api: str
    method: str  # "" stands for all, as with the API
    pattern: re.Pattern[str]
    refusal: Refused
    left: int | None

    def check(self, request: Request) -> None:
        """Raises Refused where it hits."""
        if not self._fits(request) or self.left == 0:
            return
        if self.left is not None:
            self.left -= 1
        raise self.refusal

    def _fits(self, request: Request) -> bool:
        return (
            self.api in ("", request.api)
            and self.method in ("", request.method)
            and self.pattern.search(request.path) is not None
        )
