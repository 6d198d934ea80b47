"""A CloudEvent function for functions-framework, as its README and Google's samples have it."""
# mypy: ignore-errors

import base64
import json
import time

import functions_framework
from cloudevents.http import CloudEvent


@functions_framework.cloud_event
def subscribe(cloud_event: CloudEvent) -> None:
    """Take one push."""
    message = cloud_event.data["message"]
    payload = json.loads(base64.b64decode(message["data"]).decode("utf-8"))
    if payload["feature"] == "sleep_20ms":
        time.sleep(0.02)
    entry = {
        "severity": "INFO",
        "message": f"{payload['feature']}: done",
        "message_id": message["messageId"],
        "lines": len(payload["requirements"].get("lines", [])),
    }
    print(json.dumps(entry), flush=True)  # noqa: T201 - how Google's samples log
