"""Removes grpcio from the environment that runs this, if only google-cloud-logging wants it.

The worker talks to Google's APIs over REST, so grpcio's 19 MB would lie in the image for nothing.
google-cloud-logging requires it all the same, and does without where GOOGLE_CLOUD_DISABLE_GRPC is
set. Once a handler needs a client that speaks gRPC, requirements.txt has it and grpcio stays.

With grpcio goes what cannot be imported without it: those halves of Google's clients that speak it.
"""  # noqa: INP001 - a script, run by its path

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path

GRPC = "grpcio"
_SPEAKS_IT = {GRPC, "grpcio-status", "grpc-google-iam-v1"}
# What comes with google-cloud-logging and is only used by the half of it that speaks gRPC.
WITH_LOGGING = {
    "google-cloud-logging",
    "google-cloud-appengine-logging",
    "grpc-google-iam-v1",
    "grpcio-status",
}
# The halves of google-cloud-logging and google-cloud-storage that speak gRPC: generated clients,
# and what is built on them. A release may have moved one; then it stays, and the image is larger.
HALVES = (
    "google/cloud/logging_v2/_gapic.py",
    "google/cloud/logging_v2/services",
    "google/cloud/_storage_v2",
    "google/cloud/storage/_experimental",
    "google/cloud/storage/_grpc_conversions.py",
    "google/cloud/storage/asyncio",
    "google/cloud/storage/grpc_client.py",
)
_PROOF = "import google.cloud.logging, google.cloud.storage"
_REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:\[([^\]]*)\])?")


def wants_grpc(requirements: Iterable[str]) -> bool:
    """Whether one of these, in the form of Requires-Dist, brings grpcio without being asked to."""
    return any(_brings_grpc(one) for one in requirements if "extra ==" not in one)


def _brings_grpc(requirement: str) -> bool:
    found = _REQUIREMENT.match(requirement)
    if found is None:
        return False
    name, extras = found.groups()
    return _normal(name) in _SPEAKS_IT or "grpc" in re.split(r"[\s,]+", extras or "")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def users_of_grpc(installed: Iterable[Distribution]) -> set[str]:
    """The names of those that need grpcio here."""
    wanting = {_normal(one.name) for one in installed if wants_grpc(one.requires or ())}
    return wanting - WITH_LOGGING


def main() -> None:
    """Remove it, or say who needs it."""
    installed = list(distributions())
    if users := users_of_grpc(installed):
        print(f"{GRPC} stays: {', '.join(sorted(users))}")  # noqa: T201 - for the build's log
        return
    for one in installed:
        if _normal(one.name) == GRPC:
            _remove(one)
            drop_halves(Path(str(one.locate_file(""))))
            _prove()


def _remove(one: Distribution) -> None:
    """Whole folders: one that were left empty could still be imported."""
    for top in {file.parts[0] for file in one.files or ()}:
        shutil.rmtree(str(one.locate_file(top)))
    print(f"{GRPC} removed: only google-cloud-logging came with it")  # noqa: T201 - same


def drop_halves(packages: Path) -> None:
    """Remove them from a folder of packages, where they are."""
    for half in HALVES:
        path = packages / half
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _prove() -> None:
    """A release whose other half needs them stops the build, not the worker.

    -B: or its .pyc would be of the kind that is compared with its source, and kept.
    """
    done = subprocess.run(  # noqa: S603 - this Python, and a constant
        [sys.executable, "-B", "-c", _PROOF], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        why = done.stderr.strip().rpartition("\n")[2]
        sys.exit(f"a client of Google's does not work without gRPC ({why}): mend HALVES")


if __name__ == "__main__":
    main()
