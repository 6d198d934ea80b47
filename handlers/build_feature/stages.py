"""The stages of one build, each a log entry under the operation id of the message."""

from typing import Any, Literal

from worker import Context

Stage = Literal["processing", "generating", "verifying", "complete"]


class Stages:
    """Writes an entry when a stage begins, and one when the build fails in it."""

    def __init__(self, context: Context, building: str) -> None:
        self._log = context.log.bind(building=building)
        self._building = building
        self._now: Stage = "processing"

    def enter(self, stage: Stage, **fields: Any) -> None:
        """The stage begins; `complete` is the end."""
        self._now = stage
        self._log.info(
            f"build_feature.{stage}", f"{self._building}: {stage}", stage=stage, **fields
        )

    def failed(self, reason: str) -> None:
        """The build ends in the stage that it has come to."""
        self._log.warning(
            "build_feature.failed",
            f"{self._building}: failed: {reason}",
            stage="failed",
            failed_stage=self._now,
            reason=reason,
        )
