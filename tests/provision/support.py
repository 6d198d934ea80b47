"""What several tests of provision read: plans, policies, and an emulator that is emptied."""

import json
from typing import Any
from urllib.request import Request, urlopen

from tests.support.google import FakeGoogle

EMAIL = "{}@demo-project.iam.gserviceaccount.com"
SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker"
TOPIC = "projects/demo-project/topics/features"
REPOSITORY = "projects/demo-project/locations/europe-west1/repositories/feature-worker"
AGENT = "serviceAccount:service-123456789@gcp-sa-pubsub.iam.gserviceaccount.com"


def lines_with(mark: str, output: str) -> list[str]:
    """What follows the mark in the lines that have it, each once."""
    found = (line.removeprefix("  ") for line in output.splitlines() if line.startswith("  "))
    return list(dict.fromkeys(line[2:] for line in found if line.startswith(f"{mark} ")))


def members(google: FakeGoogle, api: str, name: str, role: str) -> list[str]:
    """Who has the role on a resource."""
    bindings = google.policies.get((api, name), {}).get("bindings", [])
    return [
        member
        for binding in bindings
        if binding["role"] == f"roles/{role}"
        for member in binding["members"]
    ]


def call(host: str, method: str, path: str, body: Any = None) -> Any:
    """One call to Pub/Sub."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = Request(f"http://{host}/v1/{path}", data, headers, method=method)
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def clear(host: str, project: str) -> None:
    """Delete every subscription and every topic."""
    for kind in ("subscriptions", "topics"):
        for one in call(host, "GET", f"projects/{project}/{kind}").get(kind, []):
            call(host, "DELETE", one["name"])
