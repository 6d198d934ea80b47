"""Mistakes planted in cloudbuild.yaml: each is caught by something that `make check` runs."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cloudbuild.stage import CONFIG
from tests.support.tools import tool
from worker.doctor.cloudbuild import form, gcloud, order, substitutions
from worker.doctor.cloudbuild.reading import read_build
from worker.doctor.folder import Unreadable

SCHEMA = "schema"  # check-jsonschema --builtin-schema vendor.cloudbuild
UNREADABLE = "unreadable"

# What becomes of the text, and which of the checks say so. Names are those of docs/doctor.md.
PLANTED: dict[str, tuple[str, str, set[str]]] = {
    "a key of a step that is none": (
        "args: [scan", "argz: [scan",
        {SCHEMA, "cloudbuild-malformed"},
    ),
    "a timeout without its unit": (
        "timeout: 3600s", "timeout: 3600", {SCHEMA, "cloudbuild-malformed"},
    ),
    "a step that waits for nobody's id": (
        "waitFor: [canary]", "waitFor: [canry]", {"step-waits-for-unknown"},
    ),
    "a substitution whose name is misspelt": (
        "--region=${_REGION} --filter", "--region=${_REGON} --filter", {"substitution-unknown"},
    ),
    "an account and no place for the log": (
        "  logging: CLOUD_LOGGING_ONLY", "  # no logging:", {"build-logs-nowhere"},
    ),
    "a flag that gcloud does not have": (
        "--max-instances=", "--max-instance-count=", {"gcloud-command-wrong"},
    ),
    "a substitution without its underscore": (
        '  _SMOKE_WAIT: "120"', '  _SMOKE_WAIT: "120"\n  WAIT: "1"',
        {"substitution-name"},
    ),
    "a word that no option takes": (
        "CLOUD_LOGGING_ONLY", "CLOUD_LOGING_ONLY", {SCHEMA, "build-logs-nowhere"},
    ),
    "step for steps": ("\nsteps:\n", "\nstep:\n", {SCHEMA, "cloudbuild-malformed"}),
    "an indentation that is no YAML": (
        "    waitFor: [push]", "   waitFor: [push]", {SCHEMA, UNREADABLE},
    ),
    "a substitution that nothing uses": (
        "  _TOPIC: features", "  _TOPIC: features\n  _SPARE: x", {"substitution-unused"},
    ),
    "a variable of the shell that Cloud Build replaces": (
        "        build=$BUILD_ID\n", "        NAME=x\n        build=$NAME\n",
        {"shell-variable-unescaped"},
    ),
    "a deployment that takes the traffic at once": (
        "new=(--no-traffic --tag", "new=(--tag", {"deploy-takes-traffic"},
    ),
    "an image that is pushed after it was deployed": (
        "        docker push --quiet ${_IMAGE}:${_TAG}\n", "", {"image-not-pushed"},
    ),
    "two steps of one name": ("- id: verdict", "- id: smoke", {"step-id-twice"}),
    "an image that is named by a commit that is not there": (
        "_TAG: $BUILD_ID", "_TAG: $SHORT_SHA", {"substitution-empty"},
    ),
    "substitutions that refer to others and may not": (
        "  dynamicSubstitutions: true", "  dynamicSubstitutions: false",
        {"substitution-not-dynamic"},
    ),
}  # fmt: skip


def _planted(name: str) -> str:
    before, after, _ = PLANTED[name]
    text = CONFIG.read_text()
    assert before in text, f"{name}: nothing to plant it in"
    return text.replace(before, after, 1)


@pytest.fixture(scope="module")
def by_schema(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What the schema refuses, of all that is planted and of the file as it is: one call."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copy(CONFIG, folder / "unchanged.yaml")
    names = {f"{number}.yaml": name for number, name in enumerate(PLANTED)}
    for file, name in names.items():
        (folder / file).write_text(_planted(name))
    program = Path(sys.executable).with_name("check-jsonschema")
    words = ["--builtin-schema", "vendor.cloudbuild", "--output-format", "json"]
    done = subprocess.run(
        [program, *words, *sorted(folder.glob("*.yaml"))],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = json.loads(done.stdout)
    refused = {Path(one["filename"]).name for one in said["errors"]}
    refused |= {Path(one["filename"]).name for one in said["parse_errors"]}
    return {names.get(file, file) for file in refused}


def _by_doctor(text: str) -> set[str]:
    """The findings that need no other program."""
    try:
        build = read_build(text)
    except Unreadable:
        return {UNREADABLE}
    findings = (form.examine(build), substitutions.examine(build), order.examine(build))
    return {finding.check for finding in itertools.chain(*findings)}


def test_the_file_as_it_is_has_none(by_schema: set[str]) -> None:
    assert "unchanged.yaml" not in by_schema
    assert _by_doctor(CONFIG.read_text()) == set()


@pytest.mark.parametrize("name", [name for name in PLANTED if "gcloud" not in name])
def test_a_planted_mistake_is_caught(by_schema: set[str], name: str) -> None:
    caught = _by_doctor(_planted(name)) | ({SCHEMA} if name in by_schema else set())
    assert caught == PLANTED[name][2]


@pytest.mark.emulator
def test_a_flag_that_gcloud_does_not_have_is_caught() -> None:
    tool("gcloud")
    build = read_build(_planted("a flag that gcloud does not have"))
    (finding,) = gcloud.examine(build, os.environ)
    assert finding.check == "gcloud-command-wrong"
    assert "--max-instance-count" in finding.what
