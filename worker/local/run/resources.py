"""The service and its revisions in the JSON form of version 2 of Cloud Run's API.

Sources: google.cloud.run.v2.Service, Revision, Condition.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from worker.local.run.place import Place
from worker.local.run.revisions import Revision, State

Json = dict[str, Any]

# Nothing cuts a request but the ack deadline of its push: the longest timeout that Cloud Run has.
_TIMEOUT = "3600s"
_STATES = {
    State.STARTING: "CONDITION_RECONCILING",
    State.READY: "CONDITION_SUCCEEDED",
    State.FAILED: "CONDITION_FAILED",
    State.RETIRED: "CONDITION_FAILED",
}
_REASONS = {
    State.STARTING: {"reason": "WAITING_FOR_OPERATION"},
    State.READY: {},
    State.FAILED: {"revisionReason": "HEALTH_CHECK_CONTAINER_ERROR"},
    State.RETIRED: {"revisionReason": "RETIRED"},
}


def service_json(
    place: Place, revisions: Sequence[Revision], url: str, audiences: Sequence[str]
) -> Json:
    """The service of these revisions, newest first, which must not be none."""
    newest, oldest = revisions[0], revisions[-1]
    ready = serving(revisions)
    target = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    status = {**target, "revision": ready} if ready else target
    return {
        "name": place.name,
        "uid": _uid(place.name),
        "generation": str(len(revisions)),
        "observedGeneration": str(len(revisions)),
        "createTime": _time(oldest.created),
        "updateTime": _time(newest.created),
        "launchStage": "GA",
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": _template(newest),
        "traffic": [target],
        "trafficStatuses": [status],
        "customAudiences": list(audiences),
        "terminalCondition": _condition("Ready", newest),
        "conditions": [
            _condition("RoutesReady", newest),
            _condition("ConfigurationsReady", newest),
        ],
        "latestCreatedRevision": place.revision(newest.name),
        "latestReadyRevision": place.revision(ready),
        **({"uri": url, "urls": [url]} if url else {}),
        "reconciling": newest.state is State.STARTING,
        "etag": f'"{_uid(newest.name)}{newest.state.value}"',
    }


def revision_json(place: Place, revision: Revision) -> Json:
    """One of them."""
    return {
        "name": place.revision(revision.name),
        "uid": _uid(revision.name),
        "generation": "1",
        "observedGeneration": "1",
        "createTime": _time(revision.created),
        "updateTime": _time(revision.changed),
        "launchStage": "GA",
        "service": place.service,
        **_template(revision),
        "conditions": [
            _condition("Ready", revision),
            _condition("ContainerHealthy", revision),
        ],
        "reconciling": revision.state is State.STARTING,
        "etag": f'"{_uid(revision.name)}{revision.state.value}"',
    }


def serving(revisions: Sequence[Revision]) -> str:
    """The short name of the newest one that served and did not fail; "" for none."""
    served = (State.READY, State.RETIRED)
    return next((one.name for one in revisions if one.state in served), "")


def _template(revision: Revision) -> Json:
    """What a revision runs. There is no image here: it is the worker of this checkout."""
    container = {
        "name": "worker",
        "command": ["python", "-m", "worker", "serve"],
        "env": [{"name": name, "value": value} for name, value in revision.environment.items()],
    }
    concurrency = {"maxInstanceRequestConcurrency": revision.concurrency}
    return {
        "containers": [container],
        "timeout": _TIMEOUT,
        "scaling": {"maxInstanceCount": 1},
        **(concurrency if revision.concurrency else {}),
    }


def _condition(kind: str, revision: Revision) -> Json:
    said = {"message": revision.message} if revision.message else {}
    severity = {"severity": "ERROR"} if revision.state is State.FAILED else {}
    return {
        "type": kind,
        "state": _STATES[revision.state],
        "lastTransitionTime": _time(revision.changed),
        **said,
        **severity,
        **_REASONS[revision.state],
    }


def _time(seconds: float) -> str:
    written = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    return written.removesuffix("+00:00") + "Z"


def _uid(name: str) -> str:
    """The same for the same name, in the form of a UUID."""
    digits = f"{crc32(name.encode()):08x}"
    return f"{digits}-0000-4000-8000-{digits:0>12}"
