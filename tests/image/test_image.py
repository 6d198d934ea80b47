"""What is in the image, and what it says of itself."""

import json
import re
from pathlib import Path

import click
import pytest

from tests.image.builds import CREATED, REVISION, SOURCE, VERSION, Images
from tests.image.container import ask_from, run_once
from tests.image.podman import PodmanFailed
from tests.support.server import ROOT
from tests.support.storage import BUCKET, storage_emulator
from worker.cli import main

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]

MOST_BYTES = 80_000_000  # on top of the base
_FIND = """
import json, pathlib, sysconfig
left_out = {"test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip",
            "dist-packages", "site-packages", "pydoc_data"}
found = {}
for top in (sysconfig.get_path("stdlib"), "/opt/venv/lib", "/app"):
    sources = [one for one in pathlib.Path(top).rglob("*.py")
               if top == "/opt/venv/lib" or not left_out & set(one.relative_to(top).parts)]
    bare = [str(one) for one in sources
            if not list((one.parent / "__pycache__").glob(one.stem + ".cpython-*.pyc"))]
    found[top] = [len(sources), bare]
print(json.dumps(found))
"""
_HEADER = """
import pathlib, sysconfig
for top in (sysconfig.get_path("stdlib"), "/opt/venv/lib", "/app"):
    for one in pathlib.Path(top).rglob("*.pyc"):
        flags = int.from_bytes(one.read_bytes()[4:8], "little")
        if flags != 1:
            print(one)
"""
_KEEP = f"""
import importlib.util as u
print(u.find_spec('google.cloud._storage_v2'), u.find_spec('google.cloud.logging_v2.services'))
from worker.artifacts.storage import StorageArtifacts
place = StorageArtifacts('gs://{BUCKET}/image')
print(place.keep('one', {{'a.txt': b'a'}}), place.find('one'), place.find('two'))
"""
_COMMANDS = """
import sys
from worker.cli import main
for name in sys.argv[1:]:
    try:
        main([name, "--help"])
    except SystemExit as end:
        assert end.code == 0, name
"""


def in_image(built: Images, *command: str) -> str:
    return run_once(built.podman, built.worker, *command)


def test_it_is_small(built: Images) -> None:
    assert built.added < MOST_BYTES


def test_it_runs_as_nobody_and_python_gets_the_signals(built: Images) -> None:
    config = json.loads(built.podman.inspect(built.worker, "{{json .Config}}"))
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == ["python", "-m", "worker", "serve"]
    assert "Entrypoint" not in config


def test_its_labels_say_what_was_built(built: Images) -> None:
    labels = json.loads(built.podman.inspect(built.worker, "{{json .Labels}}"))
    ours = {key.rpartition("image.")[2]: value for key, value in labels.items() if "opencon" in key}
    described = re.search(
        r'^description = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE
    )
    assert described is not None
    assert ours == {
        "title": "feature-worker",
        "description": described[1],
        "version": VERSION,
        "revision": REVISION,
        "source": SOURCE,
        "created": CREATED,
        "base.name": built.base,
    }


def test_everything_is_compiled(built: Images) -> None:
    """uid 10001 could not write what is missing, and each cold start would compile it again."""
    found = json.loads(in_image(built, "python", "-c", _FIND))
    assert {top: bare for top, (_, bare) in found.items() if bare} == {}
    assert all(number > 10 for number, _ in found.values())


def test_no_pyc_is_compared_with_its_source(built: Images) -> None:
    assert in_image(built, "python", "-c", _HEADER) == ""


def test_nothing_in_it_can_install_anything(built: Images) -> None:
    script = (
        "import importlib.util as u; print([n for n in ('pip', 'setuptools') if u.find_spec(n)])"
    )
    assert in_image(built, "python", "-c", script).strip() == "[]"


def test_grpc_is_not_in_it_and_the_logging_client_works(built: Images) -> None:
    script = (
        "import importlib.util as u; print(u.find_spec('grpc'));"
        "from google.cloud import logging; print(logging.DESCENDING);"
        "import worker.project.entries, worker.api_sink"
    )
    assert in_image(built, "python", "-c", script).split() == ["None", "timestamp", "desc"]


def test_with_grpc_went_what_only_speaks_it_and_files_are_kept_in_a_bucket_over_rest(
    built: Images, tmp_path: Path
) -> None:
    """By the worker's own code, with the client as it is in the image."""
    with storage_emulator(tmp_path) as address:
        environment = {"STORAGE_EMULATOR_HOST": address, "PYTHONPATH": "/app"}
        said = ask_from(built.podman, built.worker, environment, "python", "-c", _KEEP)
    assert said.split() == [
        "None", "None", f"gs://{BUCKET}/image/one", f"gs://{BUCKET}/image/one", "None",
    ]  # fmt: skip


def test_of_this_machine_nothing_is_in_it(built: Images) -> None:
    script = "import os; print(os.listdir('/mnt'), os.listdir('/app'))"
    mounted, app = in_image(built, "python", "-c", script).strip().split("] [")
    assert mounted == "["
    assert "handlers" in app
    assert "worker" in app


def test_every_command_is_there(built: Images) -> None:
    names = main.list_commands(click.Context(main))
    said = in_image(built, "python", "-c", _COMMANDS, *names)
    assert [name for name in names if f"worker {name}" not in said] == []


@pytest.mark.parametrize("command", ["dev", "dev --env", "faults"])
def test_the_laptop_cloud_is_not_there_and_that_is_said_in_one_line(
    built: Images, command: str
) -> None:
    with pytest.raises(PodmanFailed, match="the laptop cloud is not in the image") as raised:
        in_image(built, "python", "-m", "worker", *command.split())
    assert str(raised.value).count("\n") == 1
