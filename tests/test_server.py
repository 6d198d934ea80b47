"""Starting up: what cannot be served stops it with one line that says what to do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.inprocess import ListSink
from tests.support.server import ROOT
from worker.config import read_settings
from worker.log import Log
from worker.server import announce

pytestmark = pytest.mark.server

Failed = Callable[..., str]


@pytest.fixture
def fails(tmp_path: Path) -> Failed:
    """Run `serve`, expect it to stop by itself with an error, return its one line on stderr."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")

    def run(modules: dict[str, str] | None = None, **environment: str) -> str:
        for name, source in (modules or {}).items():
            (tmp_path / "handlers" / f"{name}.py").write_text(source)
        # Nobody listens on port 1: the metadata server of a cloud machine is not asked.
        known = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GCE_METADATA_HOST": "[::1]:1"}
        done = subprocess.run(
            [sys.executable, "-m", "worker", "serve"],
            env={**known, "PYTHONPATH": str(ROOT), "PORT": "0", **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode > 0
        assert "Traceback" not in done.stdout + done.stderr
        (line,) = done.stderr.splitlines()
        return line

    return run


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "import no_such_module",
            (
                "error: cannot import handlers.added: ModuleNotFoundError: "
                "No module named 'no_such_module'"
            ),
        ),
        (
            "def broken(:",
            "error: cannot import handlers.added: SyntaxError: invalid syntax (added.py, line 1)",
        ),
        (
            "raise SystemExit(0)",
            "error: cannot import handlers.added: SystemExit: 0",
        ),
        (
            (
                "from worker import Context, feature\n"
                "@feature('smoke_test')\n"
                "def again(context: Context) -> None: ...\n"
            ),
            (
                "error: two handlers are named 'smoke_test': handlers.added.again and "
                "handlers.smoke_test.smoke_test; rename one"
            ),
        ),
        (
            (
                "from worker import Context, feature\n"
                "@feature('Not-A-Name')\n"
                "def named(context: Context) -> None: ...\n"
            ),
            (
                "error: handlers.added.named: 'Not-A-Name' is no feature name "
                "(want a-z, then a-z, 0-9 and _, at most 64)"
            ),
        ),
    ],
    ids=["missing module", "syntax", "exit", "clash of names", "bad name"],
)
def test_a_handler_that_cannot_be_served_stops_the_start(
    fails: Failed, source: str, line: str
) -> None:
    assert fails({"added": source}) == line


def test_a_package_of_handlers_that_does_not_exist_stops_the_start(fails: Failed) -> None:
    line = fails(HANDLERS="no_such_package")

    assert line.startswith("error: cannot import no_such_package: ModuleNotFoundError")


def test_a_port_that_is_taken_stops_the_start(fails: Failed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = fails(PORT=str(port))

    assert line.startswith(f"error: cannot listen on 127.0.0.1:{port}: Address already in use")


def test_on_cloud_run_the_start_stops_without_push_auth(fails: Failed) -> None:
    line = fails(K_SERVICE="worker")

    assert line == "error: PUSH_AUTH is not set (want oidc, cloud-run-iam or none)"


def test_every_problem_of_the_settings_is_in_the_one_line(fails: Failed) -> None:
    line = fails(PUSH_AUTH="oidc", PORT="http", WORKERS="0")

    for variable in ("PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "PORT", "WORKERS"):
        assert variable in line


def test_the_logging_api_without_credentials_stops_the_start(fails: Failed) -> None:
    line = fails(
        LOG_SINK="api",
        GOOGLE_CLOUD_PROJECT="demo-project",
        GOOGLE_APPLICATION_CREDENTIALS="no/such/file.json",
    )

    assert line == (
        "error: LOG_SINK=api finds no credentials (run `gcloud auth application-default login`)"
    )


def test_several_processes_that_cannot_load_a_handler_say_it_once(fails: Failed) -> None:
    line = fails({"added": "import no_such_module"}, WORKERS="3")
    assert line.startswith("error: cannot import handlers.added: ModuleNotFoundError")


@pytest.mark.parametrize(
    ("environment", "host", "warned"),
    [
        ({}, "127.0.0.1", []),
        ({}, "::1", []),
        ({}, "192.0.2.1", ["auth.none"]),
        ({"WORKERS": "2"}, "127.0.0.1", ["claims.not_shared"]),
        ({"QUARANTINE": "none"}, "127.0.0.1", ["quarantine.none"]),
        (
            {"K_SERVICE": "s", "PUSH_AUTH": "oidc", "PUSH_AUDIENCE": "a"}
            | {"PUSH_SERVICE_ACCOUNT": "push@demo", "QUARANTINE": "folder:q"},
            "192.0.2.1",
            ["claims.not_shared"],
        ),
        (
            {"K_SERVICE": "s", "K_REVISION": "s-1", "PUSH_AUTH": "cloud-run-iam"},
            "192.0.2.1",
            ["quarantine.none", "claims.not_shared"],
        ),
    ],
)
def test_a_start_that_trusts_or_forgets_more_than_one_may_think_says_so(
    environment: dict[str, str], host: str, warned: list[str]
) -> None:
    sink = ListSink()
    announce(Log(sink), read_settings(environment), host, 8080)
    said = [entry["event"] for entry in sink.entries if entry["severity"] == "WARNING"]
    assert said == warned
