"""note takes text, heartbeat takes nothing, smoke_test is the engine's own."""

from pydantic import Field

from worker import Context, Requirements, feature


class SmokeTest(Requirements):
    """What a smoke test may ask for."""

    nonce: str | None = Field(
        None, max_length=200, description="text to find in the log, so that you know it is this run"
    )


@feature("smoke_test")
def smoke_test(want: SmokeTest, context: Context) -> None:
    """Write one log entry and change nothing."""


@feature("note")
def note(want: str, context: Context) -> None:
    """Keep a note."""


@feature("heartbeat")
def heartbeat(context: Context) -> None:
    """Say that somebody is there."""
