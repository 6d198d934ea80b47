"""From an order to a verified bundle, for both targets."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.builder.orders import NONE, PLAIN, RICH, SENTENCE
from tests.support.server import ROOT
from worker.builder import (
    BuildFailed,
    Draft,
    Order,
    OrderRefused,
    Target,
    generate,
    report,
    verify,
)
from worker.builder import tools as tools_module
from worker.builder.targets.fastapi import tag_of

pytestmark = pytest.mark.tools

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from dataclasses import replace
from tests.builder.orders import RICH
from worker.builder import Target, generate, report
for target in Target:
    draft = generate(replace(RICH, target=target), ("smoke_test",))
    print(draft.digest)
    print(report(draft, (), None, None), end="")
"""


def fastapi(order: Order) -> Order:
    return replace(order, target=Target.FASTAPI)


@pytest.fixture(scope="module")
def drafts() -> dict[str, Draft]:
    """Drafts for both targets, by target and feature."""
    routes = [fastapi(order) for order in (PLAIN, RICH, SENTENCE)]
    return {
        f"{order.target} {order.feature}": generate(order, ("smoke_test",))
        for order in (PLAIN, RICH, NONE, SENTENCE, *routes)
    }


def merged(drafts: dict[str, Draft], target: Target) -> Draft:
    """All of a target in one, so that each tool is started once."""
    found = [draft for draft in drafts.values() if draft.order.target is target]
    return replace(
        found[0], files={name: text for one in found for name, text in one.files.items()}
    )


@pytest.mark.parametrize("target", Target)
def test_what_is_generated_passes_every_check(drafts: dict[str, Draft], target: Target) -> None:
    checks = verify(merged(drafts, target), 120)
    assert [check.name for check in checks] == ["format", "lint", "types", "import", "tests"]
    assert all(check.command.startswith("python -") for check in checks)


def test_a_bundle_for_the_worker_is_three_files(drafts: dict[str, Draft]) -> None:
    assert list(drafts["worker vet_visit"].files) == [
        "handlers/vet_visit.py",
        "tests/handlers/test_vet_visit.py",
        "docs/features/vet_visit.md",
    ]


def test_a_bundle_for_fastapi_is_a_package_with_tests_and_a_page(drafts: dict[str, Draft]) -> None:
    draft = drafts["fastapi vet_visit"]
    assert sorted(draft.files) == [
        "docs/features/vet_visit.md",
        "petsage/features/vet_visit/__init__.py",
        "petsage/features/vet_visit/models.py",
        "petsage/features/vet_visit/router.py",
        "petsage/features/vet_visit/service.py",
        "tests/features/vet_visit/test_vet_visit.py",
    ]
    assert draft.integration == (
        "from petsage.features.vet_visit import router as vet_visit_router",
        "app.include_router(vet_visit_router)",
    )


def test_the_handlers_docstring_is_the_description(drafts: dict[str, Draft]) -> None:
    (handler,) = [
        node
        for node in ast.parse(drafts["worker vet_visit"].files["handlers/vet_visit.py"]).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert ast.get_docstring(handler) == PLAIN.description


def test_a_sentence_is_in_the_docstring_and_on_the_page(drafts: dict[str, Draft]) -> None:
    files = drafts["worker smoke_signal"].files
    for name in ("handlers/smoke_signal.py", "docs/features/smoke_signal.md"):
        assert "Say that it burns." in files[name]
        assert "Write one entry, and nothing else." in files[name]


def test_the_page_of_a_handler_has_its_generated_part(drafts: dict[str, Draft]) -> None:
    page = drafts["worker vet_visit"].files["docs/features/vet_visit.md"]
    _, _, generated = page.partition("<!-- generated: python -m worker features docs -->")
    assert "weight_kg" in generated.partition("<!-- end -->")[0]


def test_the_page_of_a_route_shows_its_request(drafts: dict[str, Draft]) -> None:
    page = drafts["fastapi vet_visit"].files["docs/features/vet_visit.md"]
    request = json.loads(page.split("```json\n")[1].partition("```")[0])
    assert request.keys() >= {"pet_id", "weight_kg", "due"}
    assert "`POST /vet-visit/`" in page


@pytest.mark.parametrize(
    ("feature", "tag", "expected"),
    [
        ("vet_visit", None, "Vet Visit"),
        ("vet_visit", " ", "Vet Visit"),
        ("vet_visit", 'Pets "and" people', 'Pets "and" people'),
        ("smoke_test", None, "Health & Status"),
        ("pet_health", None, "Health & Status"),
        ("healthy_pet", None, "Healthy Pet"),
    ],
)
def test_the_tag_of_a_route(feature: str, tag: str | None, expected: str) -> None:
    assert tag_of(Order(feature, target=Target.FASTAPI, tag=tag)) == expected


def test_smoke_test_can_be_built_for_fastapi_as_its_documentation_says() -> None:
    draft = generate(Order("smoke_test", "", "none", Target.FASTAPI), ("smoke_test",))
    page = draft.files["docs/features/smoke_test.md"]
    assert "`GET /smoke-test/`" in page
    assert '{"status": "ok", "details": "PetSage smoke test feature is operational."}' in page


def test_the_same_order_gives_the_same_bytes_in_another_process(
    drafts: dict[str, Draft], tmp_path: Path
) -> None:
    """Another hash of strings, so another order of sets, and another folder."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(ROOT)], cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    ours = [drafts["worker register_pet"], drafts["fastapi register_pet"]]
    said = [f"{draft.digest}\n{report(draft, (), None, None)}" for draft in ours]
    assert done.stdout == "".join(said)


SPOILED = {
    "format": ("handlers/vet_visit.py", '"ok"', "'ok'"),
    "lint": ("handlers/vet_visit.py", "return Vet", "print(want)\n    return Vet"),
    "types": ("handlers/vet_visit.py", 'status: str = "ok"', 'status: int = "ok"'),
    "import": ("handlers/vet_visit.py", '@feature("vet_visit")', '@feature("vet_visitor")'),
    "tests": ("tests/handlers/test_vet_visit.py", '"done"', '"a-secret-value"'),
}


@pytest.mark.parametrize("check", SPOILED)
def test_a_check_that_is_not_passed_is_named_without_values(
    drafts: dict[str, Draft], check: str
) -> None:
    draft = drafts["worker vet_visit"]
    name, old, new = SPOILED[check]
    assert old in draft.files[name]
    spoiled = replace(draft, files={**draft.files, name: draft.files[name].replace(old, new)})
    with pytest.raises(BuildFailed) as failed:
        verify(spoiled)
    assert failed.value.stage == "verifying"
    assert failed.value.reason.startswith(f"the check '{check}' was not passed")
    assert "secret" not in str(failed.value)
    assert not failed.value.again


def test_without_time_it_fails_so_that_it_is_tried_again(drafts: dict[str, Draft]) -> None:
    with pytest.raises(BuildFailed) as verifying:
        verify(drafts["worker vet_visit"], 0.01)
    with pytest.raises(BuildFailed) as generating:
        generate(NONE, (), 0.01)
    for failed, stage in ((verifying, "verifying"), (generating, "generating")):
        assert (failed.value.stage, failed.value.again) == (stage, True)


def test_a_tool_that_is_missing_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools_module, "_ALWAYS", ("ruff", "no_such_tool"))
    wanted = r"not installed: no_such_tool \(pip install -r requirements-build.txt"
    with pytest.raises(BuildFailed, match=wanted) as failed:
        generate(NONE, ())
    assert not failed.value.again


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(OrderRefused, match="smoke_test"):
        generate(Order("smoke_test"), ("smoke_test",))


@pytest.mark.parametrize(
    "order", [Order("long", "x" * 40_000), Order("long", target=Target.FASTAPI, tag="x" * 300)]
)
def test_a_text_that_is_too_long_is_refused(order: Order) -> None:
    with pytest.raises(OrderRefused, match="characters are too many"):
        generate(order, ())


def test_importing_the_engine_loads_none_of_its_tools() -> None:
    """A worker imports it at its start, build_feature is among its handlers."""
    script = "import sys, worker.builder; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"jinja2", "jsonschema", "datamodel_code_generator", "mypy", "pytest"})
