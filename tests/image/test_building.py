"""A worker is asked for a feature that it does not have: with the tools to build it, or not."""

import http.client
import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.image.builds import Images, building
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
_LIST = (
    "import pathlib, sys; print(*(o for o in pathlib.Path(sys.argv[1]).rglob('*') if o.is_file()))"
)


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


def test_with_the_tools_it_builds_the_feature_and_keeps_it_verified(built: Images) -> None:
    """Nobody's user, nothing to write to but /tmp, 512 MiB, no network that leads anywhere."""
    with Container(built.podman, building(built), ENVIRONMENT) as container:
        container.wait_until_ready()
        assert push(container, wrapped(ORDER)) == (200, "done"), container.lines()
        (entry,) = container.canonical()
        assert (entry["feature"], entry["reason"]) == ("vet_visit", "handled by build_feature")
        (address,) = entry["artifacts"]
        listed = container.execute("python", "-c", _LIST, address).split()
        assert {str(PurePosixPath(one).relative_to(address)) for one in listed} == {
            "REPORT.md", "manifest.json", "docs/features/vet_visit.md", "handlers/vet_visit.py",
            "tests/handlers/test_vet_visit.py",
        }  # fmt: skip
        assert container.complaints() == ""


def test_without_them_it_says_in_one_line_what_is_missing(built: Images) -> None:
    with Container(built.podman, built.worker, ENVIRONMENT) as container:
        container.wait_until_ready()
        assert push(container, wrapped(ORDER)) == (200, "rejected")
        (entry,) = container.canonical()
    assert "not installed: " in entry["reason"]
    assert "requirements-build.txt" in entry["reason"]
    assert "\n" not in entry["reason"]
