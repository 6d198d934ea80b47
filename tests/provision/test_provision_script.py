"""--as-script: run by bash with the real gcloud, it sends what provision itself sends."""

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest

from tests.provision.conftest import Provision
from tests.provision.support import clear
from tests.support.cli import run
from tests.support.emulator import Emulator
from tests.support.gcloud_commands import in_texts, lint, out_of_range
from tests.support.google import Call, FakeGoogle
from tests.support.tools import tool
from worker.deployment import Deployment
from worker.provision.script import as_script

# What gcloud says of its own accord, where we leave it to the API: all of it is the default.
GCLOUDS_DEFAULTS = {
    "databaseEdition": "STANDARD",
    "deleteProtectionState": "DELETE_PROTECTION_DISABLED",
    "cmekConfig": {},
}
FULL = Deployment(
    project="demo", claims="firestore:claims", artifacts="gs://demo-artifacts/a/b",
    alert_emails=("you+me@example.com",),
)  # fmt: skip
ODD = [
    Deployment(project="demo"),
    FULL,
    Deployment(project="example.com:my-project", claims="memory", topic="a~b%c+d"),
    Deployment(project="demo", claims="redis://:pa'ss@host/0", min_retry_seconds=0),
]  # fmt: skip

Requests = dict[tuple[str, str, str], list[Any]]


def requests_of(calls: Iterable[Call]) -> Requests:
    """What was asked for, by method, API and path. Left out is what differs by nature.

    That is: gcloud's alt=json, validateOnly=False and what it wants to hear of a bucket; etags
    and the version of policies; the version in a path of Cloud Run (gcloud calls its first API); a
    name in the body that the path says; and defaults.
    """
    found: Requests = defaultdict(list)
    for call in calls:
        if call.api == "storage" and call.method == "PATCH":  # gcloud makes buckets without labels
            ((_, made),) = found["POST", "storage", "/storage/v1/b"]
            made["labels"] = call.body["labels"]
            continue
        path = re.sub(r"^/v[12]/", "/", call.path) if call.api == "run" else call.path
        query = {name: value for name, value in call.query.items() if name not in _QUERY}
        found[call.method, call.api, path].append((query, _plain(call.body, path)))
    return dict(found)


_QUERY = {"alt", "validateOnly", "projection", "enableObjectRetention"}


def _plain(body: Any, path: str) -> Any:
    if isinstance(body, list):
        return [_plain(one, path) for one in body]
    if not isinstance(body, dict):
        return body
    return {
        name: _plain(value, path)
        for name, value in body.items()
        if name not in ("etag", "version")
        and not (name == "name" and path.endswith("/repositories"))
        and not (isinstance(value, str) and value.endswith("_UNSPECIFIED"))
        and GCLOUDS_DEFAULTS.get(name) != value
    }


@pytest.mark.emulator
@pytest.mark.timeout(600)  # some sixty gcloud commands, of more than a second each
def test_the_script_sends_what_provision_sends(
    emulator: Emulator, emulated: FakeGoogle, provision: Provision
) -> None:
    emulated.enable("run")
    emulated.service()
    assert provision(emulated, "--yes").exit_code == 0
    ours = requests_of(emulated.mutations())
    clear(emulator.host, emulated.project)

    with FakeGoogle(pubsub=emulator.host) as other:
        other.apis_must_be_enabled = True
        other.enable("run")
        other.service()
        script = provision(other, "--as-script").stdout
        assert other.calls == []
        done = subprocess.run(
            ["bash", "-c", script],
            env={**os.environ, **other.environment},
            capture_output=True,
            text=True,
            timeout=570,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        gclouds = requests_of(other.mutations())

    assert sorted(gclouds) == sorted(ours)
    for key, requests in ours.items():
        assert gclouds[key] == requests, key


@pytest.mark.emulator
def test_gcloud_knows_every_command_and_flag_of_the_script() -> None:
    commands = in_texts([as_script(FULL).replace("retry gcloud", "gcloud")])
    assert len(commands) > 60
    assert lint(commands) == []
    assert out_of_range(commands) == []


@pytest.mark.parametrize("deployment", ODD, ids=["defaults", "all", "no-claims", "redis"])
def test_shellcheck_finds_nothing(deployment: Deployment) -> None:
    done = subprocess.run(
        [tool("shellcheck"), "--shell=bash", "-"],
        input=as_script(deployment), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_script_is_printed_without_a_network_and_without_credentials() -> None:
    result = run("provision", "--as-script", "--project", "demo")
    assert result.exit_code == 0
    assert result.stdout.startswith("#!/usr/bin/env bash\n")
    assert result.stdout == as_script(Deployment(project="demo"))


def test_what_is_switched_off_is_not_in_the_script() -> None:
    script = as_script(Deployment(project="demo", claims="memory"))
    assert "firestore" not in script
    assert "datastore" not in script
    assert "monitoring channels" not in script
    assert "gcloud storage" not in script


def test_a_script_holds_no_password() -> None:
    assert "pa'ss" not in as_script(ODD[-1])
