"""The executor runs steps as Cloud Build does: one folder for all, until one fails that may not."""

import os
from pathlib import Path

import pytest

from tests.cloudbuild.config import Build, Step
from tests.cloudbuild.executor import Executor, Image


def _bash(name: str, script: str, *, may_fail: bool = False) -> Step:
    return Step(name, "bash", "bash", ("-euc", script), may_fail=may_fail)


@pytest.fixture
def executor(tmp_path: Path) -> Executor:
    (tmp_path / "app").mkdir()
    images = {"bash": Image((), folders={"/app": tmp_path / "app"}), "env": Image((), "printenv")}
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    return Executor(workspace, {"TOLD": "yes"}, images.get)


def test_what_a_step_writes_the_next_one_reads_by_either_name(executor: Executor) -> None:
    writes, reads = _bash("writes", "echo hello > file"), _bash("reads", "cat /workspace/file")
    assert executor.run(Build((writes, reads))).steps["reads"].output == "hello\n"


def test_the_first_step_that_fails_ends_the_build(executor: Executor) -> None:
    steps = (_bash("fails", "echo no >&2; exit 3"), _bash("never", "true"))
    result = executor.run(Build(steps, images=("image",)))
    assert not result.succeeded
    assert set(result.steps) == {"fails"}
    assert (result.steps["fails"].code, result.steps["fails"].output) == (3, "no\n")
    assert result.pushed == ()


def test_a_step_that_may_fail_ends_nothing(executor: Executor) -> None:
    steps = (_bash("fails", "exit 3", may_fail=True), _bash("next", "echo here"))
    result = executor.run(Build(steps, images=("image",)))
    assert result.succeeded
    assert result.steps["fails"].code == 3
    assert result.pushed == ("image",)
    assert result.output == "--- fails\n--- next\nhere\n"


def test_a_step_runs_in_a_folder_of_its_image(executor: Executor, tmp_path: Path) -> None:
    step = Step("app", "bash", "bash", ("-c", "pwd -P"), folder="/app")
    said = executor.run(Build((step,))).steps["app"].output
    assert said == f"{os.path.realpath(tmp_path / 'app')}\n"


def test_an_image_without_an_entrypoint_of_the_step_runs_its_own(executor: Executor) -> None:
    assert executor.run(Build((Step("x", "env", args=("TOLD",)),))).output.endswith("yes\n")


def test_an_image_that_nobody_has_ends_the_build(executor: Executor) -> None:
    result = executor.run(Build((Step("x", "elsewhere"),)))
    assert not result.succeeded
    assert result.output.endswith("pull access denied for elsewhere\n")
