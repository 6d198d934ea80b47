"""Log entries and the store for them, as the tests of Cloud Logging use them."""

from pathlib import Path
from typing import Any

import flask
from flask.testing import FlaskClient

from worker.local.logs.rest import blueprint
from worker.local.logs.store import Logs, Retention
from worker.local.logs.times import written

PROJECT = "demo"
NOW = 1_795_000_000  # seconds since the epoch, 2026-11-18T11:06:40Z
LOG = f"projects/{PROJECT}/logs/test"


class Time:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.seconds = float(NOW)

    def __call__(self) -> float:
        return self.seconds


def open_logs(folder: Path, retention: Retention | None = None, now: Any = None) -> Logs:
    return Logs(folder, PROJECT, now=now or Time(), retention=retention)


def app_of(logs: Logs) -> flask.Flask:
    """Only the REST routes of Cloud Logging."""
    app = flask.Flask("test")
    app.register_blueprint(blueprint(logs))
    return app


def client_of(logs: Logs) -> FlaskClient:
    return app_of(logs).test_client()


def entry(number: int = 0, **fields: Any) -> dict[str, Any]:
    """An entry `number` seconds before now; `fields` replace or add to its own."""
    made = {
        "logName": LOG,
        "resource": {"type": "global"},
        "timestamp": written((NOW - number) * 1_000_000_000),
        "insertId": f"id-{number:06d}",
        "jsonPayload": {"n": number},
    }
    return made | fields
