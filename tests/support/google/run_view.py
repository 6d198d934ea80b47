"""A Knative service and its revisions as version 2 of Cloud Run's API shows them."""

import json
from typing import Any

from tests.support.google.knative import Place
from tests.support.google.request import Json
from tests.support.google.state import etag_of

_INGRESS = {
    "all": "INGRESS_TRAFFIC_ALL",
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
_STATES = {"True": "CONDITION_SUCCEEDED", "False": "CONDITION_FAILED"}
_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_BY_NAME = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
_OURS = ("run.googleapis.com/", "serving.knative.dev/", "autoscaling.knative.dev/",
         "client.knative.dev/", "cloud.googleapis.com/")  # fmt: skip


def service_of(place: Place, knative: Json) -> Json:
    """Source: google.cloud.run.v2.Service. What is false, 0 or "" is left out, as Google does."""
    metadata, status, spec = knative["metadata"], knative["status"], knative["spec"]
    annotations = metadata["annotations"]
    of = "run.googleapis.com/"
    audiences = annotations.get(f"{of}custom-audiences")
    return _filled({
        "name": place.name,
        "uid": metadata["uid"],
        "generation": str(metadata["generation"]),
        "observedGeneration": str(status["observedGeneration"]),
        "labels": _theirs(metadata.get("labels", {})),
        "annotations": _theirs(annotations),
        "createTime": metadata["creationTimestamp"],
        "ingress": _INGRESS[annotations[f"{of}ingress"]],
        "launchStage": annotations.get(f"{of}launch-stage", "GA"),
        "invokerIamDisabled": annotations.get(f"{of}invoker-iam-disabled") == "true",
        "customAudiences": json.loads(audiences) if audiences else [],
        "template": template_of(spec["template"]["metadata"], spec["template"]["spec"]),
        "traffic": [_target(one) for one in spec["traffic"]],
        "trafficStatuses": [_traffic_status(one) for one in status["traffic"]],
        "uri": status["url"],
        "urls": [status["url"]],
        "latestReadyRevision": _full(place, status.get("latestReadyRevisionName")),
        "latestCreatedRevision": _full(place, status.get("latestCreatedRevisionName")),
        "terminalCondition": _condition(status["conditions"][0]),
        "conditions": [_condition(one) for one in status["conditions"][1:]],
        "etag": etag_of(knative),
    })  # fmt: skip


def revision_of(place: Place, knative: Json) -> Json:
    """Source: google.cloud.run.v2.Revision."""
    metadata = knative["metadata"]
    template = template_of(metadata, knative["spec"])
    template.pop("revision", None)
    return _filled({
        **template,
        "name": place.revision(metadata["name"]),
        "uid": metadata["uid"],
        "generation": str(metadata["generation"]),
        "observedGeneration": str(knative["status"]["observedGeneration"]),
        "createTime": metadata["creationTimestamp"],
        "launchStage": "GA",
        "service": place.service,
        "conditions": [_condition(one) for one in knative["status"]["conditions"]],
        "etag": etag_of(knative),
    })  # fmt: skip


def template_of(metadata: Json, spec: Json) -> Json:
    """Source: google.cloud.run.v2.RevisionTemplate."""
    annotations = metadata.get("annotations", {})
    idle = annotations.get("run.googleapis.com/cpu-throttling", "true") != "false"
    boost = annotations.get("run.googleapis.com/startup-cpu-boost") == "true"
    return _filled({
        "revision": metadata.get("name", ""),
        "labels": _theirs(metadata.get("labels", {})),
        "annotations": _theirs(annotations),
        "scaling": _filled({
            "minInstanceCount": int(annotations.get("autoscaling.knative.dev/minScale", 0)),
            "maxInstanceCount": int(annotations.get("autoscaling.knative.dev/maxScale", 100)),
        }),
        "timeout": f"{spec['timeoutSeconds']}s",
        "serviceAccount": spec.get("serviceAccountName", ""),
        "containers": [_container(one, idle=idle, boost=boost) for one in spec["containers"]],
        "executionEnvironment": annotations.get("run.googleapis.com/execution-environment", ""),
        "maxInstanceRequestConcurrency": spec["containerConcurrency"],
        "sessionAffinity": annotations.get("run.googleapis.com/sessionAffinity") == "true",
    })  # fmt: skip


def _container(one: Json, *, idle: bool, boost: bool) -> Json:
    limits = {"cpu": "1000m", "memory": "512Mi", **one.get("resources", {}).get("limits", {})}
    resources = _filled({"limits": limits, "cpuIdle": idle, "startupCpuBoost": boost})
    return _filled({
        "name": one.get("name", ""),
        "image": one.get("image", ""),
        "command": one.get("command", []),
        "args": one.get("args", []),
        "env": [_variable(variable) for variable in one.get("env", [])],
        "resources": resources,
        "ports": one.get("ports", [{"name": "http1", "containerPort": 8080}]),
        "startupProbe": one.get("startupProbe", {}),
        "livenessProbe": one.get("livenessProbe", {}),
    })  # fmt: skip


def _variable(variable: Json) -> Json:
    secret = variable.get("valueFrom", {}).get("secretKeyRef")
    if secret is None:
        return {"name": variable["name"], "value": variable.get("value", "")}
    reference = {"secret": secret["name"], "version": secret["key"]}
    return {"name": variable["name"], "valueSource": {"secretKeyRef": reference}}


def _target(target: Json) -> Json:
    latest = target.get("latestRevision")
    named = {"type": _LATEST} if latest else {"type": _BY_NAME, "revision": target["revisionName"]}
    return _filled({**named, "percent": target.get("percent"), "tag": target.get("tag")})


def _traffic_status(target: Json) -> Json:
    kind = _LATEST if target.get("latestRevision") else _BY_NAME
    named = {"type": kind, "revision": target["revisionName"], "uri": target.get("url")}
    return _filled({**named, "percent": target.get("percent"), "tag": target.get("tag")})


def _condition(condition: Json) -> Json:
    state = _STATES.get(condition["status"], "CONDITION_RECONCILING")
    return _filled({
        "type": condition["type"],
        "state": state,
        "message": condition.get("message"),
        "lastTransitionTime": condition["lastTransitionTime"],
        "reason": condition.get("reason"),
    })  # fmt: skip


def _theirs(labels: Json) -> Json:
    """Labels and annotations without the system's own, which version 2 has fields for."""
    return {name: value for name, value in labels.items() if not name.startswith(_OURS)}


def _full(place: Place, revision: Any) -> str:
    return place.revision(revision) if revision else ""


def _filled(fields: Json) -> Json:
    return {
        name: value for name, value in fields.items() if value not in (None, "", False, 0, [], {})
    }
