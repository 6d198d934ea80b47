"""A Pub/Sub push endpoint as Google's Cloud Run tutorial has it: Flask, get_json, base64, print."""
# mypy: ignore-errors

import base64
import json
import time

from flask import Flask, request

app = Flask(__name__)


@app.route("/", methods=["POST"])
def index() -> tuple[str, int]:
    """Take one push."""
    envelope = request.get_json()
    if not isinstance(envelope, dict) or "message" not in envelope:
        return "Bad Request: invalid Pub/Sub message format", 400
    message = envelope["message"]
    payload = json.loads(base64.b64decode(message["data"]).decode("utf-8"))
    if payload["feature"] == "sleep_20ms":
        time.sleep(0.02)
    entry = {
        "severity": "INFO",
        "message": f"{payload['feature']}: done",
        "message_id": message["messageId"],
        "lines": len(payload["requirements"].get("lines", [])),
    }
    print(json.dumps(entry), flush=True)  # noqa: T201 - how the tutorial logs
    return "", 204
