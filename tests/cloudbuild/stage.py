"""What a build of ours meets here: the real gcloud, our own commands, a fake Google, a real worker.

Docker, syft and pip are stand-ins that write down what they are asked: the image is built for real
by tests/image, and the test suite is what runs this.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cloudbuild.config import BUILD_ID, Build, read_build
from tests.cloudbuild.executor import Executor, Image, Result
from tests.support.google import Call, FakeGoogle
from tests.support.server import ROOT
from worker.local.broker import Names
from worker.local.cloud import Cloud, Plan
from worker.local.service import Service

CONFIG = ROOT / "cloudbuild.yaml"
SERVICE = "feature-worker"
REGISTRY = "europe-west1-docker.pkg.dev/demo-project/feature-worker/feature-worker"
TAG = f"b{BUILD_ID[:8]}"  # of the canary
REVISION = f"{SERVICE}-{TAG}"  # that the build deploys
OLD = f"{SERVICE}-00001-old"
_DEPLOY_TOML = 'project = "demo-project"\n'
# Writes one line for each call.
_RECORDS = '#!/bin/sh\nprintf "%s\\n" "$(basename "$0") $*" >> {log}\n'
# The fake has no attachments, and the step may fail. What it sends: test_sbom.py.
_GCLOUD = """#!/bin/sh
case "$1 $2" in "artifacts attachments") echo "no attachments here" >&2; exit 1 ;; esac
exec {gcloud} "$@"
"""


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """A worker, and a laptop cloud whose Pub/Sub pushes to it and whose Logging has its lines."""

    cloud: Cloud
    url: str

    def is_revision(self, name: str) -> None:
        """What it writes from now on is of that revision."""
        self.cloud.run.revision = name


@contextmanager
def local_worker(folder: Path, **settings: str) -> Iterator[LocalWorker]:
    """One with these settings; its project is that of the fake Google."""
    environment = {
        **os.environ, "PORT": "0", "PUSH_AUTH": "none", "QUARANTINE": f"folder:{folder}/quarantine",
        **settings,
    }  # fmt: skip
    names = Names(project="demo-project")
    with Cloud(Plan(folder, environment=environment, names=names)) as cloud:
        cloud.start()
        service = Service(cloud, environment, lambda _line, _stream: None)
        service.spawn()
        try:
            ready = service.ready()
            assert ready is not None
            yield LocalWorker(cloud, ready[0])
        finally:
            service.stop()


class Stage:
    """A workspace for one build. `google` answers it, `worker` stands for the new revision."""

    def __init__(self, folder: Path, google: FakeGoogle, worker: LocalWorker) -> None:
        self.google = google
        self.worker = worker
        self.workspace = folder / "workspace"
        self._log = folder / "asked.txt"
        self._programs = folder / "programs"
        self._app = folder / "app"
        for made in (self.workspace, self._programs, self._app):
            made.mkdir()
        for name in ("worker", "handlers"):
            (self._app / name).symlink_to(ROOT / name)
        google.run_urls[""] = google.run_urls[TAG] = worker.url
        worker.is_revision(REVISION)
        self._write_programs()

    def _write_programs(self) -> None:
        log = shlex.quote(str(self._log))
        for name in ("docker", "pip", "python", "syft"):
            self._program(name, _RECORDS.format(log=log))
        real = shutil.which("gcloud") or "gcloud"
        self._program("gcloud", _GCLOUD.format(gcloud=shlex.quote(real)))

    def _program(self, name: str, text: str) -> None:
        folder = self._programs / name
        folder.mkdir()
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    @property
    def asked(self) -> list[str]:
        """What docker, syft, pip and the test step's python were asked, a line each."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def serves(self, *revisions: str, traffic: tuple[Mapping[str, Any], ...] = ()) -> None:
        """The service is there, with these revisions: the last one has all traffic if not said."""
        for revision in revisions or (OLD,):
            env = {"PUSH_AUTH": "cloud-run-iam"}
            planted = self.google.service(revision=revision, traffic=traffic, env=env)
            # As gcloud sends it back; else the fake takes it for another template.
            planted.v1["spec"]["template"]["metadata"].setdefault("labels", {})
        self.google.clear()

    def serving(self) -> dict[str, int]:
        """Which revisions have traffic, in percent."""
        return {
            target["revisionName"]: target["percent"]
            for target in self.google.service().v1["status"]["traffic"]
            if target.get("percent")
        }

    def released(self, before: str = f"{OLD}=100") -> None:
        """As if the steps up to `deploy` had run: what they leave to the later ones."""
        self.run(our_build().only("build"))
        (self.workspace / "release").mkdir()
        kept = {"name": TAG, "serving": before, "url": self.worker.url, "deploy.toml": _DEPLOY_TOML}
        for name, text in kept.items():
            (self.workspace / "release" / name).write_text(text)

    def run(self, build: Build) -> Result:
        """Run its steps."""
        environment = {
            **self.google.environment, "HOME": str(self.workspace.parent), "LANG": "C.UTF-8",
        }  # fmt: skip
        return Executor(self.workspace, environment, self._image).run(build)

    def changes(self) -> list[Call]:
        """The calls that changed something in Cloud Run, in order."""
        return [call for call in self.google.mutations() if call.api == "run"]

    def _image(self, name: str) -> Image | None:
        programs = self._programs
        if "/google-cloud-cli:" in name:
            return Image((programs / "gcloud",), "gcloud")
        if name.endswith("cloud-builders/docker"):
            return Image((programs / "docker",), "docker")
        if name.startswith("anchore/syft:"):
            return Image((programs / "syft",), "syft")
        if name == "python:3.13-slim":
            return Image((programs / "python", programs / "pip"))
        built = any(line.startswith("docker build") and name in line for line in self.asked)
        ours = Image((Path(sys.executable).parent,), folders={"/app": self._app})
        return ours if built else None


def our_build(
    given: Mapping[str, str] | None = None, trigger: Mapping[str, str] | None = None
) -> Build:
    """Ours, whose smoke tests wait 10 seconds unless told otherwise."""
    return read_build(CONFIG.read_text(), {"_SMOKE_WAIT": "10", **(given or {})}, trigger)


def traffic_of(call: Call) -> list[tuple[str, int, str]]:
    """What a call says about the traffic: revision, percent and tag."""
    return [
        (target["revisionName"], target.get("percent", 0), target.get("tag", ""))
        for target in call.body["spec"]["traffic"]
    ]
