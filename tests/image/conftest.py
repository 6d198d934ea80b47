"""The image, built once for a session and kept for the next."""

import pytest

from tests.image.builds import Images, images
from tests.image.podman import Podman


@pytest.fixture(scope="session")
def built() -> Images:
    return images(Podman.usual())
