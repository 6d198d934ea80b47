"""The Cloud Run tutorial's endpoint with pydantic and google-cloud-logging's structured log."""
# mypy: ignore-errors

import base64
import logging
import sys
import time

from flask import Flask, request
from google.cloud.logging.handlers import StructuredLogHandler, setup_logging
from pydantic import BaseModel, ValidationError

setup_logging(StructuredLogHandler(stream=sys.stdout, project_id="demo"))
logger = logging.getLogger(__name__)
app = Flask(__name__)


class Message(BaseModel):
    """A Pub/Sub message."""

    data: str
    messageId: str  # noqa: N815 - Pub/Sub's name


class Envelope(BaseModel):
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


@app.route("/", methods=["POST"])
def index() -> tuple[str, int]:
    """Take one push."""
    try:
        message = Envelope.model_validate_json(request.get_data()).message
        payload = Payload.model_validate_json(base64.b64decode(message.data))
    except ValidationError:
        return "Bad Request: invalid Pub/Sub message format", 400
    if payload.feature == "sleep_20ms":
        time.sleep(0.02)
    fields = {"message_id": message.messageId, "lines": len(payload.requirements.lines)}
    logger.info("%s: done", payload.feature, extra={"json_fields": fields})
    return "", 204
