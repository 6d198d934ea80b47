"""Removes grpcio from the environment that runs this, if only google-cloud-logging wants it.

The worker talks to Google's APIs over REST, so grpcio's 19 MB would lie in the image for nothing.
google-cloud-logging requires it all the same, and does without where GOOGLE_CLOUD_DISABLE_GRPC is
set. Once a handler needs a client that speaks gRPC, requirements.txt has it and grpcio stays.
"""  # noqa: INP001 - a script, run by its path

import re
import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions

GRPC = "grpcio"
_SPEAKS_IT = {GRPC, "grpcio-status", "grpc-google-iam-v1"}
# What comes with google-cloud-logging and is only used by the half of it that speaks gRPC.
WITH_LOGGING = {
    "google-cloud-logging",
    "google-cloud-appengine-logging",
    "grpc-google-iam-v1",
    "grpcio-status",
}
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


def _remove(one: Distribution) -> None:
    """Whole folders: one that were left empty could still be imported."""
    for top in {file.parts[0] for file in one.files or ()}:
        shutil.rmtree(str(one.locate_file(top)))
    print(f"{GRPC} removed: only google-cloud-logging came with it")  # noqa: T201 - same


if __name__ == "__main__":
    main()
