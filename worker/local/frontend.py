"""Cloud Run's side of the laptop cloud, put together: API, IAM at the door, and the request log."""

import time
from collections.abc import Callable
from pathlib import Path

from flask import Blueprint

from worker.local.broker import AUDIENCE
from worker.local.logs.run import CloudRun, RequestSeen
from worker.local.pubsub.push.front import SERVER
from worker.local.pubsub.push.records import Attempt
from worker.local.run.gate import Gate, origin
from worker.local.run.place import Place
from worker.local.run.policy import ServicePolicy
from worker.local.run.rest import blueprint
from worker.local.run.revisions import Revisions


class FrontEnd:
    """Of one service, whose entries go to `run`. `url` is where its worker is ready, or "".

    Raises StateUnusable.
    """

    def __init__(self, folder: Path, run: CloudRun, url: Callable[[], str]) -> None:
        self._run = run
        self._url = url
        self._place = Place(run.project, run.location, run.service)
        self._policy = ServicePolicy(folder, self._place.name)
        self.revisions = Revisions(time.time)
        self.gate = Gate(self._policy, url, [AUDIENCE])

    def routes(self) -> Blueprint:
        """Version 2 of the Admin API."""
        return blueprint(self._place, self.revisions, self._policy, [AUDIENCE])

    def close(self) -> None:
        """Close the file of the policy."""
        self._policy.close()

    def saw(self, attempt: Attempt) -> None:
        """Write into the request log what came to the service; what reached nobody is left out."""
        if origin(attempt.endpoint) != origin(self._url()) or not attempt.status:
            return
        refused = attempt.response_headers.get("server") == SERVER
        self._run.request(
            RequestSeen(
                url=attempt.endpoint,
                status=attempt.status,
                started=attempt.started,
                seconds=attempt.seconds,
                request_size=attempt.request_size,
                response_size=attempt.response_size,
                user_agent=attempt.request_headers.get("user-agent", ""),
                trace=attempt.trace,
                span=attempt.span,
                text=attempt.reason if refused else "",
            )
        )
