"""build_feature: make the module of a new feature from its description, verified, and keep it."""

from typing import TYPE_CHECKING, Literal

from pydantic import AliasChoices, BaseModel, Field, JsonValue

from handlers.build_feature.stages import Stages
from worker import Context, Reject, Requirements, Retry, feature

if TYPE_CHECKING:
    from worker.builder import BuildFailed, Draft

REPORT = "REPORT.md"
LONGEST = 10_000  # characters of a description; a megabyte of it would take until the time limit


class BuildFeature(Requirements):
    """What to build."""

    feature: str = Field(
        validation_alias=AliasChoices("feature", "name"),
        pattern=r"^[a-z][a-z0-9_]{0,63}$",
        description="name of the feature to build; taken under the key name, too",
        examples=["vet_visit"],
    )
    description: str = Field(
        "",
        description="what it does, in short in its first line; without it the message's",
        examples=["Plan a visit to the vet."],
    )
    requirements: JsonValue = Field(
        None,
        description='what it requires: "none", a sentence, a map of fields, or a JSON Schema',
        examples=[{"pet_id": "uuid", "weight_kg": "float > 0", "notes": "string?"}],
    )
    target: Literal["worker", "fastapi"] = Field(
        "worker", description="a handler of this worker, or a router of a FastAPI application"
    )
    tag: str | None = Field(
        None, min_length=1, max_length=64, description="tag of the routes, with the target fastapi"
    )


class Built(BaseModel):
    """Where the bundle is, and what is in it."""

    feature: str
    target: str
    status: str = "complete"
    address: str
    files: list[str]
    digest: str = Field(description="sha256 of the files, hexadecimal")


@feature("build_feature", concurrency=2)
def build_feature(want: BuildFeature, context: Context) -> Built:
    """Build a feature from its description, verify it, and keep it as an artefact.

    Each stage is a log entry: processing, generating, verifying, complete; or failed, with the
    stage and the reason. The same order gives the same bundle, at the same address.
    """
    stages = Stages(context, want.feature)
    stages.enter("processing", target=want.target)
    try:
        draft = _generated(want, context, stages)
        address = _kept(draft, context, stages)
    except (Reject, Retry) as error:
        stages.failed(error.reason)
        raise
    stages.enter("complete", address=address, digest=draft.digest)
    return Built(
        feature=want.feature,
        target=want.target,
        address=address,
        files=sorted([*draft.files, REPORT]),
        digest=draft.digest,
    )


def _generated(want: BuildFeature, context: Context, stages: Stages) -> "Draft":
    """The files of the feature, not yet verified."""
    from worker import builder  # noqa: PLC0415 - no other feature's start has to wait for it

    description = want.description or context.description
    if len(description) > LONGEST:
        raise Reject(f"description: too long (at most {LONGEST} characters)")
    stages.enter("generating")
    order = builder.Order(
        feature=want.feature,
        description=description,
        requirements=want.requirements,
        target=builder.Target(want.target),
        tag=want.tag,
    )
    try:
        return builder.generate(order, context.features)
    except builder.OrderRefused as error:
        raise Reject(str(error)) from error
    except builder.BuildFailed as error:
        raise _end_of(error) from error


def _kept(draft: "Draft", context: Context, stages: Stages) -> str:
    """Verify the files and keep them with the report, unless they are kept already: the address.

    A build may take longer than the push is given: the push is answered 504, the build goes on and
    its end counts. So nobody looks at the deadline here: giving up would only have the next
    delivery begin again. A delivery that comes after the end is a duplicate.
    """
    from worker import builder  # noqa: PLC0415 - as above

    name = f"features/{draft.order.feature}/{draft.order.target}-{draft.digest[:16]}"
    if address := context.artifacts.find(name):
        return address
    stages.enter("verifying")
    try:
        checks = builder.verify(draft)
    except builder.BuildFailed as error:
        raise _end_of(error) from error
    message = context.message
    report = builder.report(draft, checks, message.publish_time, message.id or None)
    files = {**draft.files, REPORT: report}
    return context.artifacts.keep(name, {path: text.encode() for path, text in files.items()})


def _end_of(error: "BuildFailed") -> Reject | Retry:
    """What a failure means for the message: only a lack of time passes."""
    return (Retry if error.again else Reject)(str(error))
