"""Programs that a test needs and a machine may lack."""

import os
import shutil

import pytest


def tool(name: str) -> str:
    """Its path; without it the test is skipped, but in CI that is a failure."""
    path = shutil.which(name)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI must not skip its test", pytrace=False)
    return path or pytest.skip(f"{name} is not installed")
