"""docs/deploy.md, done as it says: from an empty project to the proof, in one terminal.

`gcloud builds submit` runs the first deployment's steps of cloudbuild.yaml here; nobody can log in.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cloudbuild.stage import LocalWorker, Stage, local_worker, our_build
from tests.support.google import FakeGoogle
from tests.support.server import ROOT

pytestmark = [pytest.mark.emulator, pytest.mark.server, pytest.mark.timeout(300)]

_PAGE = ROOT / "docs" / "deploy.md"
_STEP = re.compile(r"^## (\d\. .+?)\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
_BASH = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECONDS = 120.0
_BUILD = "gcloud builds submit --config=cloudbuild.yaml"
_LOGIN = '#!/bin/sh\ncase "$1 $2" in "auth application-default") exit ;; esac\nexec {gcloud} "$@"\n'


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[LocalWorker]:
    """A laptop cloud as an empty project, and the worker that is going to be deployed."""
    folder = tmp_path / "cloud"
    folder.mkdir()
    with local_worker(folder) as running:
        made = running.cloud.names
        for name in (made.subscription, made.dead_letters, made.topic, made.dead_topic):
            requests.delete(f"{running.cloud.url}v1/{name}", timeout=30).raise_for_status()
        yield running


class Shell:
    """A terminal with a person who says yes; exports hold from block to block."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._state = folder / "exports"
        self._state.touch()
        programs = folder / "bin"
        programs.mkdir()
        gcloud = programs / "gcloud"
        gcloud.write_text(_LOGIN.format(gcloud=shutil.which("gcloud")))
        gcloud.chmod(0o755)
        self._environment = environment | {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder),
        }  # fmt: skip

    def run(self, block: str) -> str:
        """What the block prints. It must succeed."""
        text = block.replace("my-project", "demo-project").replace(
            ".venv/bin/python", sys.executable
        )
        keep = f". {self._state}; set -a; {text}\nexport -p > {self._state}"
        ours, terminal = pty.openpty()
        os.write(ours, b"y\n")
        out = self._state.with_name("out")
        with out.open("w") as file, os.fdopen(ours, "wb"), os.fdopen(terminal) as screen:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", keep],
                cwd=ROOT, env=self._environment, stdin=screen, stdout=file,
                stderr=subprocess.STDOUT, timeout=_SECONDS, check=False,
            )  # fmt: skip
        said = out.read_text()
        assert done.returncode == 0, f"{text}\n{said}"
        return said


def steps() -> dict[str, list[str]]:
    """Title of each numbered section -> its blocks."""
    return {
        title: [block.strip() for block in _BASH.findall(text)]
        for title, text in _STEP.findall(_PAGE.read_text())
    }


def test_a_stranger_gets_from_an_empty_project_to_the_proof(
    tmp_path: Path, worker: LocalWorker
) -> None:
    host = worker.cloud.address.host
    with FakeGoogle(pubsub=host, logging=host) as google:
        google.apis_must_be_enabled = True
        stage = Stage(tmp_path, google, worker)
        shell = Shell(tmp_path, google.environment)
        prepare, provision, build, again, (smoke, doctor) = steps().values()

        shell.run(*prepare)
        first = shell.run(*provision)
        assert "messages wait until the service is deployed" in first
        assert _BUILD in first.replace(" --project=demo-project", "")

        assert build == [_BUILD]
        result = stage.run(our_build().only("build", "serving", "deploy", "canary", "verdict"))
        assert result.succeeded, result.output

        second = shell.run(*again)
        assert "python -m worker smoke" in second
        assert "nothing to do" in shell.run(*again)

        assert "proved: feature-worker received, handled and logged it" in shell.run(smoke)
        assert "0 errors" in shell.run(doctor)
