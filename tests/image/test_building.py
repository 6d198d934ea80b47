"""A worker in the lean image is asked to build a feature. with_tools.py asks the other image."""

import http.client
import json
from typing import Any

import pytest

from tests.image.builds import Images
from tests.image.container import CLOUD_RUN, Container
from tests.support.pushes import wrapped

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]

_SECONDS = 150.0  # for a build on a machine that has other things to do
ENVIRONMENT = {
    **CLOUD_RUN,
    "ACK_DEADLINE_SECONDS": "160",
    "ARTIFACTS": "folder:/tmp/artifacts",
    "UNKNOWN_FEATURE": "build",
}
ORDER = {
    "feature": "vet_visit",
    "description": "Plan a visit to the vet.",
    "requirements": {"pet_id": "uuid", "weight_kg": "float > 0", "notes": "string?"},
}


def push(container: Container, body: Any) -> tuple[int, str]:
    """Status and outcome of one that may take its time."""
    connection = http.client.HTTPConnection("127.0.0.1", container.port, timeout=_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.load(answer)["outcome"]
    finally:
        connection.close()


def test_without_them_it_says_in_one_line_what_is_missing(built: Images) -> None:
    with Container(built.podman, built.worker, ENVIRONMENT) as container:
        container.wait_until_ready()
        assert push(container, wrapped(ORDER)) == (200, "rejected")
        (entry,) = container.canonical()
    assert "not installed: " in entry["reason"]
    assert "requirements-build.txt" in entry["reason"]
    assert "\n" not in entry["reason"]
