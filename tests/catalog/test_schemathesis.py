"""schemathesis tries what the OpenAPI document says on the real server, and finds nothing.

With all of its phases and checks. Stateful testing has nothing to do: no answer leads to another
operation. What POST / says of bodies and headers is that it takes any, so all of them are tried.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Serve
from tests.support.keyserver import ACCOUNT, AUDIENCE, KeyServer, token
from worker.catalog.described import describe
from worker.catalog.openapi import document
from worker.registry import load

SECONDS = 100
EXAMPLES = 60  # of each phase and operation

pytestmark = pytest.mark.server


def schemathesis(
    folder: Path, url: str, made: dict[str, Any], *options: str, examples: int = EXAMPLES
) -> tuple[int, str]:
    """Its exit code and what it says."""
    (folder / "openapi.json").write_text(json.dumps(made))
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", url,
            "--checks", "all", "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", str(examples), "--seed", "1", "--generation-database", "none",
            "--no-color", *options,
        ],
        cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def made() -> dict[str, Any]:
    """The document of our handlers."""
    return document([describe(one) for one in load("handlers").all()])


def test_schemathesis_finds_nothing(serve: Serve, tmp_path: Path, made: dict[str, Any]) -> None:
    server = serve(PUSH_AUTH="none", QUARANTINE="folder:quarantine")

    code, said = schemathesis(tmp_path, server.url, made)

    assert (code, "No issues found" in said) == (0, True), said
    for phase in ("Examples", "Coverage", "Fuzzing"):
        assert f"✅ {phase}" in said
    assert "Tested: 9" in said


def test_schemathesis_finds_nothing_where_tokens_are_checked(
    serve: Serve, tmp_path: Path, made: dict[str, Any]
) -> None:
    with KeyServer("one") as keys:
        server = serve(
            PUSH_AUTH="oidc", PUSH_AUDIENCE=AUDIENCE, PUSH_SERVICE_ACCOUNT=ACCOUNT,
            PUSH_CERTS_URL=f"{keys.url}/certs", QUARANTINE="folder:quarantine",
        )  # fmt: skip
        bearer = f"Authorization: Bearer {token()}"
        trusted = schemathesis(tmp_path, server.url, made, "--header", bearer, examples=10)
        stranger = schemathesis(tmp_path, server.url, made, "--include-path", "/", examples=10)

    assert (trusted[0], "No issues found" in trusted[1]) == (0, True), trusted[1]
    assert stranger[0] == 0, stranger[1]
    assert "401 Unauthorized (1 operation)" in stranger[1]


def test_schemathesis_would_find_what_is_not_so(
    serve: Serve, tmp_path: Path, made: dict[str, Any]
) -> None:
    server = serve(PUSH_AUTH="none", QUARANTINE="folder:quarantine")
    made["components"]["schemas"]["Health"]["required"].append("version")

    code, said = schemathesis(tmp_path, server.url, made, "--include-path", "/health/live")

    assert code == 1
    assert "Response violates schema" in said
