"""The step that puts the list of what is in the image beside it, with the real gcloud."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cloudbuild.config import BUILD_ID
from tests.cloudbuild.stage import REGISTRY, our_build
from tests.support.google import FakeGoogle
from tests.support.standin import Call, Reply, StandIn
from tests.support.tools import tool

_REPOSITORY = "projects/demo-project/locations/europe-west1/repositories/feature-worker"
_VERSION = f"{_REPOSITORY}/packages/feature-worker/versions/sha256:{'a' * 64}"
_FILE = f"{_REPOSITORY}/files/sha256:{'b' * 64}"
_OPERATION = "projects/demo-project/locations/europe-west1/operations"


def _done(operation: str, response: dict[str, Any]) -> dict[str, Any]:
    return {"name": f"{_OPERATION}/{operation}", "done": True, "response": response}


# Source: artifactregistry v1: tags, files, attachments, operations.
_ANSWERS = {
    f"/v1/{_REPOSITORY}/packages/feature-worker/tags/{BUILD_ID}": {"name": "", "version": _VERSION},
    f"/upload/v1/{_REPOSITORY}/files:upload": {"operation": _done("upload", {"name": _FILE})},
    f"/v1/{_OPERATION}/upload": _done("upload", {"name": _FILE}),
    f"/v1/{_FILE}": {"name": _FILE},
    f"/v1/{_REPOSITORY}/attachments": _done("create", {}),
    f"/v1/{_OPERATION}/create": _done("create", {}),
    f"/v1/{_REPOSITORY}/attachments/sbom-{BUILD_ID}": {},
}


def _repository(call: Call) -> Reply:
    found = _ANSWERS.get(call.path.partition("?")[0])
    return Reply.error(404, "not there") if found is None else Reply.json(found)


@pytest.mark.emulator
def test_the_sbom_is_attached_to_the_image_that_was_pushed(tmp_path: Path) -> None:
    (tmp_path / "sbom.spdx.json").write_text('{"spdxVersion": "SPDX-2.3"}')
    words = [one.replace("/workspace", str(tmp_path)) for one in our_build().step("attach").args]
    with FakeGoogle() as google, StandIn(_repository) as repository:
        variables = {k: v for k, v in google.environment.items() if "_PROXY_" not in k}
        variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY"] = f"{repository.url}/"
        done = subprocess.run(
            [tool("gcloud"), *words],
            env={**os.environ, **variables},
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (uploaded,) = [call for call in repository.calls if call.path.startswith("/upload/")]
    assert b'{"spdxVersion": "SPDX-2.3"}' in uploaded.body
    created = next(call for call in repository.calls if "/attachments" in call.path)
    assert created.path.endswith(f"attachmentId=sbom-{BUILD_ID}")
    assert created.json() == {"files": [_FILE], "target": _VERSION, "type": "application/spdx+json"}


def test_the_sbom_is_that_of_the_image_that_is_pushed() -> None:
    build = our_build()
    step = build.step("sbom")
    assert f"docker:{REGISTRY}:{BUILD_ID}" in step.args
    written = next(one for one in step.args if one.startswith("--output="))
    attached = next(one for one in build.step("attach").args if one.startswith("--files="))
    assert written.rpartition("=")[2] == attached.rpartition("=")[2]
