"""Cloud Run's part: a worker's process, its revisions, its lines into the log, the pushes to it."""

from collections.abc import Mapping

from worker.config import Settings, hide, read_settings
from worker.local.cloud import Cloud
from worker.local.process import Take, WorkerProcess


class Service:
    """The workers of one laptop cloud, one after the other.

    Pub/Sub pushes only while one is ready, as a revision that does not start gets no traffic on
    Cloud Run. What is published meanwhile waits.
    """

    def __init__(self, cloud: Cloud, environment: Mapping[str, str], take: Take) -> None:
        self._cloud = cloud
        self._environment = environment
        self._take = take
        self._process: WorkerProcess | None = None

    def spawn(self) -> None:
        """Begin a new revision."""
        name = self._cloud.run.begin()
        self._cloud.revisions.begin(name, self._shown())
        self._process = WorkerProcess(self._environment, self._line)
        self._cloud.revisions.watch(self._process.ended)

    def ready(self) -> tuple[str, int] | None:
        """The address and the number of features of a worker that is ready; None if it is not."""
        ready = self._process.ready() if self._process else None
        if ready is not None:
            self._cloud.push_to(ready[0], self._concurrency())
        return ready

    def ended(self) -> int | None:
        """The exit code of a worker that ended by itself, None while it runs or was stopped."""
        return self._process.ended() if self._process else None

    def stop(self) -> int | None:
        """Stop the pushes, then the worker; return its exit code, None if there was none."""
        if self._process is None:
            return None
        self._cloud.revisions.retire()
        if self._cloud.worker_url:
            self._cloud.broker.pause()
        code = self._process.stop()
        self._cloud.revisions.stopped(code)
        # Not before: a stop that was interrupted is done again.
        self._process, self._cloud.worker_url = None, ""
        return code

    def _shown(self) -> dict[str, str]:
        """The worker's settings as they are shown in the service, passwords hidden."""
        given = {name: self._environment.get(name, "") for name in Settings.variables()}
        return {name: hide(value) for name, value in given.items() if value and name != "PORT"}

    def _concurrency(self) -> int:
        """As docs/deploy.md deploys it: as many requests at once as the worker has threads."""
        settings = read_settings(
            {name: self._environment.get(name, "") for name in ("HANDLER_THREADS", "WORKERS")}
        )
        return settings.handler_threads * settings.workers

    def _line(self, line: bytes, stream: str) -> None:
        self._cloud.run.line(line, stream)
        self._take(line, stream)
