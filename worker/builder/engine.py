"""Order -> draft -> verified: what `build_feature` and `python -m worker new` have in common."""

import time
from collections.abc import Collection, Mapping, Sequence

from worker.builder.checks import python_files, run_checks
from worker.builder.draft import Check, Draft
from worker.builder.models import models_of
from worker.builder.naming import check_name, class_name
from worker.builder.order import BuildFailed, Order, OrderRefused, Target
from worker.builder.sandbox import Sandbox, sandbox
from worker.builder.targets import RECIPES
from worker.builder.tools import need_tools
from worker.builder.wanted import read_wanted

_GENERATING = "generating"
_VERIFYING = "verifying"
_DESCRIPTION = 32 * 1024  # characters
_TAG = 200

# What the data of an order breaks, such as a long example or a default that looks like a password.
_DATA_RULES = "--select=E501,S104,S105,S106,S108"
_EXEMPTED = "--add-noqa=- the order has it so"


def generate(order: Order, taken: Collection[str], seconds: float = 60) -> Draft:
    """Write the files. The same order gives the same bytes.

    `taken` are the names of the features that there are. Raises OrderRefused, and BuildFailed
    (stage "generating").
    """
    end = time.monotonic() + seconds
    need_tools(order.target)
    check_name(order.feature, taken, order.target)
    _check_lengths(order)
    wanted = read_wanted(order.requirements)
    recipe = RECIPES[order.target]
    models = models_of(
        wanted,
        name=class_name(order.feature),
        base=recipe.base,
        about=f"What {order.feature} requires.",
        seconds=seconds,
    )
    written = recipe.files(order, wanted, models)
    files = _finished(order, written, end - time.monotonic())
    return Draft(order, wanted, files, recipe.integration(order))


def _check_lengths(order: Order) -> None:
    for name, text, most in (
        ("description", order.description, _DESCRIPTION),
        ("tag", order.tag or "", _TAG),
    ):
        if len(text) > most:
            raise OrderRefused(f"{name}: {len(text)} characters are too many (want {most} at most)")


def verify(draft: Draft, seconds: float = 60) -> tuple[Check, ...]:
    """Check the files in a sandbox: format, lint, types, import, their own tests.

    Raises BuildFailed (stage "verifying") at the first check that is not passed.
    """
    recipe = RECIPES[draft.order.target]
    files = {**recipe.scaffold(draft.order), **draft.files}
    with_worker = draft.order.target is Target.WORKER
    with sandbox(files, _VERIFYING, seconds, with_worker=with_worker) as box:
        return run_checks(draft, box)


def _finished(order: Order, written: Mapping[str, str], seconds: float) -> dict[str, str]:
    """The files as the formatter leaves them, and with the generated part of the page."""
    recipe = RECIPES[order.target]
    files = {**recipe.scaffold(order), **written}
    with_worker = order.target is Target.WORKER
    with sandbox(files, _GENERATING, seconds, with_worker=with_worker) as box:
        format_files(box, python_files(written))
        if recipe.completes_docs:
            _run(box, "-m", "worker", "features", "docs", "--dir", "docs/features")
        return box.read(written)


def format_files(box: Sandbox, sources: Sequence[str]) -> None:
    """Sort the imports, format, and exempt what only the data of the order is to blame for."""
    _run(box, "-m", "ruff", "check", "--no-cache", "--select=I", "--fix", *sources)
    _run(box, "-m", "ruff", "format", "--no-cache", *sources)
    _run(box, "-m", "ruff", "check", "--no-cache", _DATA_RULES, _EXEMPTED, *sources)


def _run(box: Sandbox, *words: str) -> None:
    ran = box.run(*words)
    if ran.code != 0:
        raise BuildFailed(box.stage, f"{' '.join(words[1:3])} failed")
