"""What Cloud Run makes of a Knative service: revisions, traffic, tags, URLs, conditions."""

import copy
from dataclasses import dataclass

from tests.support.google.request import Json, Refused
from tests.support.google.state import NUMBER, PROJECT, State, now

_API = "serving.knative.dev/v1"
_ALL = 100  # percent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service is."""

    region: str
    service: str

    @property
    def collection(self) -> str:
        return f"projects/{PROJECT}/locations/{self.region}/services"

    @property
    def name(self) -> str:
        return f"{self.collection}/{self.service}"

    def revision(self, revision: str) -> str:
        return f"{self.name}/revisions/{revision}"


def apply(state: State, place: Place, given: Json) -> Json:
    """The service as it is after this was sent. Raises Refused for traffic that cannot be."""
    old = state.resources.get(("run", place.name))
    service = copy.deepcopy(given)
    _stamp(state, place, service, old)
    created = _created(state, place, service, old)
    ready = _latest_ready(state, place, created, old)
    service["spec"].setdefault("traffic", [{"latestRevision": True, "percent": _ALL}])
    service["status"] = {
        "observedGeneration": service["metadata"]["generation"],
        "conditions": _conditions(state.resources["run", place.revision(created)]),
        "latestCreatedRevisionName": created,
        "url": url_of(state, place),
        "address": {"url": url_of(state, place)},
    }
    if ready:
        service["status"]["latestReadyRevisionName"] = ready
    service["status"]["traffic"] = _traffic(state, place, service["spec"]["traffic"], ready)
    state.resources["run", place.name] = service
    return service


def _stamp(state: State, place: Place, service: Json, old: Json | None) -> None:
    """What the server says about the service. Raises Refused where somebody was quicker."""
    metadata, before = service["metadata"], (old or {}).get("metadata", {})
    sent = metadata.get("resourceVersion", "")
    if old and sent and sent != before["resourceVersion"]:
        message = f"Conflict for resource '{place.service}': version '{sent}' was specified"
        raise Refused(409, message, "ABORTED")
    metadata.setdefault("labels", {})["cloud.googleapis.com/location"] = place.region
    annotations = metadata.setdefault("annotations", {})
    annotations.setdefault("run.googleapis.com/ingress", "all")
    annotations["run.googleapis.com/ingress-status"] = annotations["run.googleapis.com/ingress"]
    metadata |= {
        "namespace": NUMBER,
        "uid": before.get("uid") or f"service-{state.number()}",
        "creationTimestamp": before.get("creationTimestamp") or now(),
        "generation": before.get("generation", 0) + 1,
        "resourceVersion": f"AAA{state.number():06d}",
        "selfLink": f"/apis/{_API}/namespaces/{NUMBER}/services/{place.service}",
    }


def _created(state: State, place: Place, service: Json, old: Json | None) -> str:
    """The name of its template's revision: a new one, if the template is not the last one's."""
    template = service["spec"]["template"]
    template["spec"].setdefault("timeoutSeconds", 300)
    template["spec"].setdefault("containerConcurrency", 80)
    if old is not None and template == old["spec"]["template"]:
        return str(old["status"]["latestCreatedRevisionName"])
    metadata = template.setdefault("metadata", {})
    letters = "".join(chr(ord("a") + state.number() % 26) for _ in range(3))
    number = service["metadata"]["generation"]
    name = metadata.get("name") or f"{place.service}-{number:05d}-{letters}"
    labels = {
        **metadata.get("labels", {}),
        "serving.knative.dev/service": place.service,
        "cloud.googleapis.com/location": place.region,
    }
    failed, state.revision_fails = state.revision_fails, ""
    revision = {
        "apiVersion": _API,
        "kind": "Revision",
        "metadata": {
            "name": name, "namespace": NUMBER, "labels": labels, "generation": 1,
            "uid": f"revision-{state.number()}", "creationTimestamp": now(),
            "annotations": metadata.get("annotations", {}), "resourceVersion": "AAA",
        },
        "spec": copy.deepcopy(template["spec"]),
        "status": {"observedGeneration": 1, "conditions": [_condition("Ready", failed)]},
    }  # fmt: skip
    state.add("run", place.revision(name), revision)
    return name


def _latest_ready(state: State, place: Place, created: str, old: Json | None) -> str:
    if is_ready(state.resources["run", place.revision(created)]):
        return created
    return str((old or {}).get("status", {}).get("latestReadyRevisionName", ""))


def is_ready(resource: Json) -> bool:
    """Whether its condition Ready is true."""
    conditions = resource["status"]["conditions"]
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _condition(kind: str, failed: str, reason: str = "HealthCheckContainerError") -> Json:
    condition: Json = {"type": kind, "status": "True", "lastTransitionTime": now()}
    if failed:
        condition |= {"status": "False", "reason": reason, "message": failed}
    return condition


def _conditions(revision: Json) -> list[Json]:
    """Of a service whose newest revision that is."""
    failed = ""
    if not is_ready(revision):
        name, said = revision["metadata"]["name"], revision["status"]["conditions"][0]["message"]
        failed = f"Revision '{name}' is not ready and cannot serve traffic. {said}"
    kinds = ("Ready", "ConfigurationsReady", "RoutesReady")
    return [_condition(kind, failed, "RevisionFailed") for kind in kinds]


def _traffic(state: State, place: Place, targets: list[Json], ready: str) -> list[Json]:
    """Source: run v1 TrafficTarget. Raises Refused."""
    if sum(target.get("percent") or 0 for target in targets) != _ALL:
        raise Refused(400, "spec.traffic: the percentages must sum to 100.")
    tags = [target["tag"] for target in targets if target.get("tag")]
    if len(tags) != len(set(tags)):
        raise Refused(400, "spec.traffic: a tag can be given to one revision only.")
    return [
        _target(state, place, target, ready)
        for target in targets
        if ready or not target.get("latestRevision")
    ]


def _target(state: State, place: Place, target: Json, ready: str) -> Json:
    name = ready if target.get("latestRevision") else target.get("revisionName", "")
    if ("run", place.revision(name)) not in state.resources:
        raise Refused(400, f"spec.traffic: Revision '{name}' is not there.")
    shown = {**target, "revisionName": name}
    if target.get("tag"):
        shown["url"] = url_of(state, place, target["tag"])
    return shown


def url_of(state: State, place: Place, tag: str = "") -> str:
    """Of the service or of its tag: where the test says it listens, else as Google names it."""
    host = f"{place.service}-abcdefghij-ew.a.run.app"
    return state.run_urls.get(tag) or f"https://{tag}---{host}" if tag else _main(state, host)


def _main(state: State, host: str) -> str:
    return state.run_urls.get("") or f"https://{host}"
