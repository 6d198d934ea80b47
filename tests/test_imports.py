"""What a cold start has to import: the first push needs these packages, and waits for no other."""

import json
import subprocess
import sys

from tests.support.server import ROOT

# Beside the standard library. A new one has to be worth its place in every cold start.
ALWAYS = {
    "annotated_types",
    "click",
    "gunicorn",
    "handlers",
    "httptools",
    "orjson",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "worker",
}
OIDC = {"cryptography", "jwt"}
OPTIONAL = {
    "cython_runtime",
    "setproctitle",
}  # what compiled modules leave; gunicorn's, if installed
# Of the standard library, what is slow to import and nothing needs before a push asks for it.
LATE = {"asyncio", "concurrent", "difflib", "http.client", "sqlite3", "unittest", "urllib.request"}

_SCRIPT = """
import json, os, sys
import worker.cli.serve, worker.server
from worker.build import build
from worker.config import read_settings
from worker.edge import Edge
from worker.pipeline import process
from worker.message import Push
from worker.reactor import Reactor

worker = build(read_settings(os.environ))
Edge(worker, Reactor([]), 1)
if os.environ.get("PUSH_AUTH") != "oidc":
    data = b'{"feature": "smoke_test", "description": "", "requirements": "none"}'
    assert process(worker, Push((), data)).status == 200
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""


def loaded(**environment: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env={"PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(json.loads(done.stderr))


def foreign(modules: set[str]) -> set[str]:
    """The packages that do not come with Python."""
    roots = {name.partition(".")[0] for name in modules}
    found = roots - sys.stdlib_module_names - OPTIONAL
    return {root for root in found if not root.startswith("_")}  # made by compiled modules


def test_the_first_push_needs_no_other_package() -> None:
    modules = loaded()
    assert foreign(modules) == ALWAYS
    assert modules & LATE == set()


def test_checking_tokens_adds_what_it_needs() -> None:
    modules = loaded(
        PUSH_AUTH="oidc",
        PUSH_AUDIENCE="a",
        PUSH_SERVICE_ACCOUNT="push@demo.iam.gserviceaccount.com",
    )
    assert foreign(modules) == ALWAYS | OIDC


_EVERYTHING = """
import importlib, pkgutil
import handlers, worker

for package in (handlers, worker):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not found.name.endswith("__main__"):  # a program: it runs when it is imported
            importlib.import_module(found.name)
            print(found.name)
"""


def test_every_module_can_be_imported() -> None:
    """On this Python, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _EVERYTHING], env={"PYTHONPATH": str(ROOT)},
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert {"worker.local.cloud", "worker.builder.engine"} <= set(done.stdout.split())
