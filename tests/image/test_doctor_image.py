"""doctor, asked about real images: from inside, and by their archives."""

from pathlib import Path

import pytest

from tests.image.builds import Images, variants
from tests.image.container import run_once
from worker.doctor.image.checks import examine_archive

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]


def findings(built: Images, image: str, folder: Path) -> set[str]:
    archive = folder / "image.tar"
    built.podman.save(image, archive)
    found = {finding.check for finding in examine_archive(archive).findings}
    archive.unlink()
    return found


def test_our_image_is_healthy(built: Images, tmp_path: Path) -> None:
    assert findings(built, built.worker, tmp_path) == set()


def test_it_is_healthy_from_inside(built: Images) -> None:
    said = run_once(built.podman, built.worker, "python", "-m", "worker", "doctor", "--offline")
    assert said.startswith("0 errors, 0 warnings")


def test_what_was_not_compiled_is_found(built: Images, tmp_path: Path) -> None:
    image = variants(built)["not-compiled"]
    assert findings(built, image, tmp_path) == {"image-bytecode-missing"}


def test_what_is_wrong_with_the_tutorials_image_is_found(built: Images, tmp_path: Path) -> None:
    found = findings(built, variants(built)["flask-only"], tmp_path)
    assert {"image-runs-as-root", "image-bytecode-missing", "image-without-labels"} <= found
