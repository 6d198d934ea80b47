"""The checks that a bundle passes before it is called complete, in their order."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from worker.builder.draft import Check, Draft
from worker.builder.order import BuildFailed
from worker.builder.sandbox import Ran, Sandbox
from worker.builder.targets import RECIPES

# What may be told of a tool's output: names of its rules and counts. The rest may repeat the input.
_TOLD = {
    "lint": re.compile(r": ([A-Z]{1,4}\d{3,4}) "),
    "types": re.compile(r"\[([a-z]+(?:-[a-z]+)*)\]$", re.MULTILINE),
    "tests": re.compile(r"(\d+ (?:failed|errors?)\b)"),
}


@dataclass(frozen=True, slots=True)
class _Step:
    """A check: its words for Python, without those that only the sandbox needs."""

    name: str
    words: tuple[str, ...]
    extra: tuple[str, ...] = ()

    @property
    def check(self) -> Check:
        shown = [f'"{word}"' if " " in word else word for word in self.words]
        return Check(self.name, " ".join(("python", *shown)))


def run_checks(draft: Draft, box: Sandbox) -> tuple[Check, ...]:
    """Run them all. Raises BuildFailed at the first that is not passed."""
    steps = tuple(_steps(draft))
    for step in steps:
        ran = box.run(*step.words, *step.extra)
        if ran.code != 0:
            raise BuildFailed(box.stage, _reason(step, ran))
    return tuple(step.check for step in steps)


def _steps(draft: Draft) -> Iterator[_Step]:
    sources = python_files(draft.files)
    tests = [name for name in sources if name.startswith("tests/")]
    yield _Step("format", ("-m", "ruff", "format", "--check", *sources), ("--no-cache",))
    yield _Step(
        "lint", ("-m", "ruff", "check", *sources), ("--no-cache", "--output-format=concise")
    )
    yield _Step(
        "types",
        ("-m", "mypy", "--follow-imports=silent", *sources),
        ("--no-color-output", f"--cache-dir={os.devnull}"),
    )
    yield _Step("import", ("-c", RECIPES[draft.order.target].proof(draft.order)))
    yield _Step("tests", ("-m", "pytest", "-q", *tests), ("-p", "no:cacheprovider"))


def python_files(names: Iterable[str]) -> list[str]:
    """Those that are Python, in order."""
    return sorted(name for name in names if name.endswith(".py"))


def _reason(step: _Step, ran: Ran) -> str:
    """Which check failed, and of its output what repeats nothing of the input."""
    found = _TOLD[step.name].findall(ran.output) if step.name in _TOLD else []
    told = f" ({', '.join(sorted(set(found)))})" if found else ""
    return f"the check {step.name!r} was not passed{told}"
