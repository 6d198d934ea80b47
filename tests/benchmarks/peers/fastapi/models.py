"""What a push looks like, for both FastAPI apps."""
# mypy: ignore-errors

import base64
import json

from pydantic import BaseModel


class Message(BaseModel):
    """A Pub/Sub message."""

    data: str
    messageId: str  # noqa: N815 - Pub/Sub's name


class Push(BaseModel):
    """The body of a push."""

    message: Message
    subscription: str


class Requirements(BaseModel):
    """What the feature wants."""

    lines: list[str] = []


class Payload(BaseModel):
    """What was published."""

    feature: str
    description: str = ""
    requirements: Requirements


def read(push: Push) -> Payload:
    """Validate what was published."""
    return Payload.model_validate_json(base64.b64decode(push.message.data))


def log(push: Push, payload: Payload) -> None:
    """One entry for Cloud Logging."""
    entry = {
        "severity": "INFO",
        "message": f"{payload.feature}: done",
        "message_id": push.message.messageId,
        "lines": len(payload.requirements.lines),
    }
    print(json.dumps(entry), flush=True)  # noqa: T201 - as on Cloud Run
