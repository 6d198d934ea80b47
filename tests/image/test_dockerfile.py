"""What the Dockerfile says, without building it."""

import importlib.util
import re
from importlib.metadata import Distribution
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.server import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("drop_grpc", ROOT / "scripts/drop_grpc.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Installed(Distribution):
    """A package by its name and what it requires."""

    def __init__(self, name: str, *requires: str) -> None:
        lines = [f"Name: {name}", *(f"Requires-Dist: {one}" for one in requires)]
        self._text = "\n".join(lines)

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: object) -> object:  # type: ignore[override]
        raise NotImplementedError


LOGGING = Installed("google-cloud-logging", "google-api-core[grpc]>=2", "protobuf>=5")


def test_the_base_is_pinned_by_its_digest() -> None:
    pinned = re.findall(r"^ARG PYTHON_IMAGE=(.+)$", DOCKERFILE, re.MULTILINE)
    assert len(pinned) == 1
    assert re.fullmatch(r"python:3\.13-slim@sha256:[0-9a-f]{64}", pinned[0])
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}


REQUIREMENTS = ["requirements.txt", "requirements-build.txt"]


def test_everything_that_is_copied_is_sent_to_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for name in [*REQUIREMENTS, *" ".join(copied).split()]:
        if name != "${REQUIREMENTS}":
            assert f"!{name}" in ignored
            assert (ROOT / name).exists()


def test_without_a_word_it_has_what_production_needs_and_no_more() -> None:
    assert re.findall(r"^ARG REQUIREMENTS=(.+)$", DOCKERFILE, re.MULTILINE) == REQUIREMENTS[:1]


@pytest.mark.parametrize(
    ("requirement", "wanted"),
    [
        ("grpcio<2,>=1.33", True),
        ("grpcio-status>=1.33", True),
        ("grpc-google-iam-v1<1,>=0.12.4", True),
        ("Grpc_Google.IAM-v1", True),
        ("google-api-core[grpc]!=2.0.*,>=1.34", True),
        ("google-api-core[async_rest, grpc] >=2", True),
        ("google-api-core>=2", False),
        ('grpcio<2; extra == "grpc"', False),
        ("protobuf>=5", False),
        ("grpcurl", False),
    ],
)
def test_who_needs_grpc_is_read_from_the_metadata(
    script: ModuleType, requirement: str, *, wanted: bool
) -> None:
    assert script.wants_grpc([requirement]) is wanted


def test_grpc_goes_if_only_the_logging_client_brings_it(script: ModuleType) -> None:
    core = Installed("google-api-core", 'grpcio<2; extra == "grpc"')
    assert script.users_of_grpc([LOGGING, core, Installed("grpcio"), Installed("flask")]) == set()


def test_grpc_stays_for_whoever_else_needs_it(script: ModuleType) -> None:
    pubsub = Installed("google_cloud.pubsub", "google-api-core[grpc]>=2")
    assert script.users_of_grpc([LOGGING, pubsub]) == {"google-cloud-pubsub"}


def test_with_grpc_goes_what_cannot_be_imported_without_it(
    script: ModuleType, tmp_path: Path
) -> None:
    """The halves that speak it, whether a release has them as a module or as a package."""
    rest = tmp_path / "google/cloud/storage/client.py"
    for half in script.HALVES[:-1]:  # the last is one that this release does not have
        path = tmp_path / half
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix:
            path.touch()
        else:
            path.mkdir()
            (path / "__init__.py").touch()
    rest.touch()
    script.drop_halves(tmp_path)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [rest]


def test_a_client_that_cannot_do_without_them_stops_the_build_with_one_line(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script, "_PROOF", "import pathlib, no_such_half")
    with pytest.raises(SystemExit) as stopped:
        script._prove()
    assert str(stopped.value) == (
        "a client of Google's does not work without gRPC "
        "(ModuleNotFoundError: No module named 'no_such_half'): mend HALVES"
    )


@pytest.mark.parametrize("requirements", REQUIREMENTS)
def test_what_is_pinned_needs_no_grpc(script: ModuleType, requirements: str) -> None:
    """`# via` in the lock: nobody but those that come with google-cloud-logging."""
    lock = (ROOT / requirements).read_text()
    (block,) = re.findall(r"^grpcio==(?:.|\n)*?(?=^\S)", lock, re.MULTILINE)
    via = set(re.findall(r"^    #(?: via)?  +(?:via )?(\S+)$", block, re.MULTILINE))
    assert via - {"via"} <= script.WITH_LOGGING | {"google-api-core", "googleapis-common-protos"}
