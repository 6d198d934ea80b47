"""What is asked for, and the two ways in which it cannot be had."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class Target(StrEnum):
    """For which program the feature is written."""

    WORKER = "worker"
    FASTAPI = "fastapi"


@dataclass(frozen=True, slots=True)
class Order:
    """The feature that somebody wants: its name, what it is for, what it requires.

    `tag` is the heading of its route in the API's documentation, for the target fastapi.
    """

    feature: str
    description: str = ""
    requirements: JsonValue = None
    target: Target = Target.WORKER
    tag: str | None = None


class OrderRefused(Exception):
    """One sentence without values: this order can never be built."""


class BuildFailed(Exception):
    """The order may be fine, yet nothing was built: `reason` is one line without values.

    `stage` is "generating" or "verifying". `again`: another try may succeed (a time limit).
    """

    def __init__(self, stage: str, reason: str, *, again: bool = False) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason
        self.again = again
