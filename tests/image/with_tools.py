"""The image with the tools of build_feature builds one. `make tools-image`: CI has no time for it.

Not collected with the tests: it installs 150 MB into an image of its own, for one message.
"""

from pathlib import PurePosixPath

import pytest

from tests.image.builds import Images, building
from tests.image.container import Container
from tests.image.test_building import ENVIRONMENT, ORDER, push
from tests.support.pushes import wrapped

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]

_LIST = (
    "import pathlib, sys; print(*(o for o in pathlib.Path(sys.argv[1]).rglob('*') if o.is_file()))"
)


def test_with_the_tools_it_builds_the_feature_and_keeps_it_verified(built: Images) -> None:
    """Nobody's user, nothing to write to but /tmp, 512 MiB, no network that leads anywhere."""
    with Container(built.podman, building(built), ENVIRONMENT) as container:
        container.wait_until_ready()
        assert push(container, wrapped(ORDER)) == (200, "done"), container.lines()
        (entry,) = container.canonical()
        assert (entry["feature"], entry["reason"]) == ("vet_visit", "handled by build_feature")
        (address,) = entry["artifacts"]
        listed = container.execute("python", "-c", _LIST, address).split()
        assert {str(PurePosixPath(one).relative_to(address)) for one in listed} == {
            "REPORT.md", "manifest.json", "docs/features/vet_visit.md", "handlers/vet_visit.py",
            "tests/handlers/test_vet_visit.py",
        }  # fmt: skip
        assert container.complaints() == ""
