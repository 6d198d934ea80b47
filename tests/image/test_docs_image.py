"""docs/image.md's docker commands are run, by podman, which takes the same words."""

import pytest

from tests.faults.waiting import wait_until
from tests.image.builds import REQUIREMENTS, Images, build_with
from tests.image.container import NEEDED_HERE, is_ready, push
from tests.image.page import PAGE
from tests.support.markdown import name_of, shell_commands
from tests.support.pushes import wrapped
from tests.support.server import ROOT

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]

NAME = "feature-worker"


def commands() -> list[list[str]]:
    """The docker commands of the page, in its order."""
    page = f"{name_of(PAGE)}:"
    ours = [c.words for c in shell_commands() if c.place.startswith(page)]
    return [list(words[1:]) for words in ours if words[0] == "docker"]


def test_the_commands_of_the_page_build_run_and_stop_a_worker(built: Images) -> None:
    build, with_tools, start, *rest = commands()
    assert (build[0], start[0]) == ("build", "run")
    assert with_tools[-3:] == ["--build-arg", REQUIREMENTS.removeprefix("--build-arg="), "."]
    build_with(built.podman, built.base, *build[1:-1], str(ROOT))
    try:
        built.podman.run(
            "run", *NEEDED_HERE, *("::8080".join(w.split(":8080:8080")) for w in start[1:])
        )
        port = built.podman.port_of(NAME)
        wait_until(lambda: is_ready(port), "the worker is ready")
        assert push(port, wrapped()).status == 200
        logs, _, exit_code, _ = [built.podman.run(*words) for words in rest]
    finally:
        built.podman.run("rm", "--force", "--ignore", "--time=0", NAME)
    assert '"outcome":"done"' in logs
    assert exit_code == "0\n"
