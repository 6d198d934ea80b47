"""The images: ours from the unmodified Dockerfile, and those it is compared with."""

from dataclasses import dataclass
from pathlib import Path

from tests.image.pipconfig import volumes
from tests.image.podman import Podman
from tests.image.standin import stand_in
from tests.support.server import ROOT

VERSION, REVISION = "1.2.3", "0123456789abcdef0123456789abcdef01234567"
SOURCE, CREATED = "https://example.com/feature-worker", "2026-11-22T09:00:00Z"
REQUIREMENTS = "--build-arg=REQUIREMENTS=requirements-build.txt"
_FILES = Path(__file__).parent
_FLASK_ONLY = _FILES / "flask_only.Dockerfile"
_OF_OURS = {
    "stdlib-not-compiled": _FILES / "stdlib.Dockerfile",
    "not-compiled": _FILES / "nothing.Dockerfile",
}
_TUTORIAL = ROOT / "tests/benchmarks/peers/tutorial"
_SECONDS = 480.0


@dataclass(frozen=True)
class Images:
    """Names in the store."""

    podman: Podman
    base: str
    worker: str

    @property
    def added(self) -> int:
        """The bytes that ours has on top of the base."""
        return self.podman.size(self.worker) - self.podman.size(self.base)


def images(podman: Podman) -> Images:
    """Ours and its base, built as far as the store lacks them."""
    given = {"VERSION": VERSION, "REVISION": REVISION, "SOURCE": SOURCE, "CREATED": CREATED}
    words = [f"--build-arg={name}={value}" for name, value in given.items()]
    with podman.alone():
        base = stand_in(podman)
        return Images(podman, base, _build(podman, "worker", base, *words, str(ROOT)))


def building(built: Images) -> str:
    """Ours with the tools of build_feature: its name."""
    with built.podman.alone():
        return _build(built.podman, "worker-that-builds", built.base, REQUIREMENTS, str(ROOT))


def variants(built: Images) -> dict[str, str]:
    """What a cold start is compared with: name -> image. See the Dockerfiles in this folder."""
    with built.podman.alone():
        flask_only = _build(
            built.podman, "flask-only", built.base, f"--file={_FLASK_ONLY}", str(_TUTORIAL)
        )
        return {"flask-only": flask_only} | {
            name: _build(built.podman, name, built.worker, f"--file={file}", str(_FILES))
            for name, file in _OF_OURS.items()
        }


def build_with(podman: Podman, base: str, *words: str) -> None:
    """`podman build` with these words, on this base, and with pip's ways to PyPI."""
    podman.run(
        "build", "--quiet", "--isolation=chroot", "--pull=never", "--network=host",
        *volumes(podman.folder / "pip"), f"--build-arg=PYTHON_IMAGE={base}", *words,
        seconds=_SECONDS,
    )  # fmt: skip


def _build(podman: Podman, name: str, base: str, *words: str) -> str:
    tag = f"localhost/{name}:test"
    build_with(podman, base, f"--tag={tag}", *words)
    return tag
