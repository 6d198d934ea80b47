"""What a test does with the laptop cloud: publish, await the outcome, read the log entries."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from worker.local.cloud import Cloud, Plan
from worker.local.lql import parse
from worker.local.outcomes import canonical_entries, wait_for_outcome
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.service import Service
from worker.message import PubsubMessage

_WAIT_SECONDS = 30.0  # for an outcome; a test that fails should not take longer to say so
_MOST = 1000  # entries that one call returns


class WorkerFailed(Exception):
    """The worker did not start. The text is what it wrote."""


class LocalCloud:
    """What a test does with the laptop cloud. Names are those of `python -m worker dev`."""

    def __init__(self, cloud: Cloud, worker_url: str) -> None:
        self._cloud = cloud
        self.worker_url = worker_url
        self.url = cloud.url  # of the page, Pub/Sub and Logging
        self.topic = cloud.names.topic
        self.subscription = cloud.names.subscription
        self.environment = cloud.address.variables()  # for gcloud and client libraries

    def publish(
        self,
        feature: str,
        requirements: Any = None,
        *,
        description: str = "",
        attributes: Mapping[str, str] | None = None,
        ordering_key: str = "",
    ) -> str:
        """Publish a feature payload; return the message id."""
        payload = {"feature": feature, "description": description, "requirements": requirements}
        data = json.dumps({name: value for name, value in payload.items() if value is not None})
        return self.publish_data(data.encode(), attributes=attributes, ordering_key=ordering_key)

    def publish_data(
        self, data: bytes, *, attributes: Mapping[str, str] | None = None, ordering_key: str = ""
    ) -> str:
        """Publish any bytes; return the message id."""
        message = PubsubMessage(data, attributes or {}, ordering_key)
        return self._cloud.broker.publish(self.topic, message)

    def outcome(
        self, message_id: str, wanted: str = "", *, seconds: float = _WAIT_SECONDS
    ) -> Mapping[str, Any]:
        """The fields of the message's canonical entry: `outcome`, `reason`, `feature`, `result`...

        Waits for the first delivery to end, or for the first that ends with the outcome `wanted`.
        Raises AssertionError when there is none after so many seconds.
        """
        found = wait_for_outcome(self._cloud.logs, message_id, wanted, seconds=seconds)
        if found is None:
            raise AssertionError(self._not_there(message_id, wanted, seconds))
        return found

    def entries(self, query: str = "", *, message_id: str = "") -> list[dict[str, Any]]:
        """The log entries that a query of the Logging query language finds, oldest first.

        `message_id` narrows it to the entries of one message. Raises FilterError.
        """
        mine = f'jsonPayload.message_id="{message_id}"' if message_id else ""
        asked = parse(f"({query}) {mine}" if query.strip() else mine)
        return self._cloud.logs.search(asked, limit=_MOST, newest_first=False).entries

    def faults(self, **switches: Any) -> None:
        """Set fault switches (docs/local.md): `faults(duplicate=1.0)`. Without any: all off."""
        self._cloud.faults.set(replace(FaultSettings(), **switches))

    def advance(self, seconds: float) -> None:
        """Move Pub/Sub's time forward: what waits for a retry comes now."""
        self._cloud.clock.advance(seconds)

    def _not_there(self, message_id: str, wanted: str, seconds: float) -> str:
        seen: Sequence[str] = [
            str(entry.get("outcome")) for entry in canonical_entries(self._cloud.logs, message_id)
        ]
        so_far = f"so far: {', '.join(seen)}" if seen else "no delivery has ended"
        return f"message {message_id} has no outcome {wanted} after {seconds:g} s ({so_far})"


@contextmanager
def running_cloud(folder: Path, settings: Mapping[str, str]) -> Iterator[LocalCloud]:
    """A laptop cloud in `folder` with a worker of these settings. Raises WorkerFailed."""
    environment = {
        **os.environ,
        "PORT": "0",
        "PUSH_AUTH": "none",
        "QUARANTINE": f"folder:{folder}/quarantine",
        **settings,
    }
    lines: list[bytes] = []
    with Cloud(Plan(folder, environment=environment)) as cloud:
        cloud.start()
        service = Service(cloud, environment, lambda line, _: lines.append(line))
        service.spawn()
        try:
            ready = service.ready()
            if ready is None:
                raise WorkerFailed(b"".join(lines).decode("utf-8", "replace"))
            yield LocalCloud(cloud, ready[0])
        finally:
            service.stop()
