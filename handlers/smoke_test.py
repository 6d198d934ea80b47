"""smoke_test: verify the service and its logging from end to end. The handler to copy from."""

from pydantic import BaseModel, Field

from worker import Context, Requirements, feature


class SmokeTest(Requirements):
    """What a smoke test may ask for."""

    nonce: str | None = Field(
        None, max_length=200, description="text to find in the log, so that you know it is this run"
    )


class SmokeTestResult(BaseModel):
    """What a smoke test answers."""

    status: str = "ok"
    message: str = "Smoke test successful. Log generated."


@feature("smoke_test")
def smoke_test(want: SmokeTest, context: Context) -> SmokeTestResult:
    """Write one log entry and change nothing."""
    found = {} if want.nonce is None else {"nonce": want.nonce}
    context.log.info(
        "smoke_test.passed",
        "Smoke test passed: this entry is the proof",
        description=context.description,
        **found,
    )
    return SmokeTestResult()
