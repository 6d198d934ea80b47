"""Programs that a test needs and a machine may lack."""

import os
import shutil
from typing import NoReturn

import pytest


def tool(name: str) -> str:
    """Its path; without it the test is skipped, but in CI that is a failure."""
    return shutil.which(name) or missing(f"{name} is not installed")


def missing(what: str) -> NoReturn:
    """Skip the test that needs it, with the reason; in CI that is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and CI must not skip its test", pytrace=False)
    pytest.skip(what)
