"""The documentation says what the code does: its tables are the code's, its links work."""

import json
import re
from enum import Enum
from pathlib import Path
from typing import Any

import click
import pytest
from packaging.requirements import Requirement

from handlers.smoke_test import smoke_test
from tests.differential.differences import markdown as differences_as_markdown
from tests.support.inprocess import ListSink, make_worker
from tests.support.markdown import PAGES, anchors, blocks, links, name_of, table
from tests.support.pushes import push_of, wrapped
from tests.support.server import ROOT
from worker import Context, feature
from worker.artifacts import MemoryArtifacts
from worker.claims import Claim
from worker.cli import main
from worker.config import Settings
from worker.jsonline import encode, is_special
from worker.log import severity_of
from worker.outcome import OUTCOMES, Overloaded
from worker.pipeline import CANONICAL_EVENT, process

DOCS = ROOT / "docs"
README = ROOT / "README.md"
LOGGING = DOCS / "logging.md"
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
}


@feature("crashes")
def crashes(context: Context) -> None:
    raise ZeroDivisionError


@feature("crowded")
def crowded(context: Context) -> None:
    raise Overloaded("no place", {"crowded": 1})


@feature("keeps")
def keeps(context: Context) -> None:
    context.artifacts.keep("one", {"file": b"1"})


class NoStore:
    """Claims without their store."""

    def acquire(self, key: str) -> Claim:
        return Claim(key, "", problem="the store is down")

    def finish(self, claim: Claim) -> None:
        """Nobody is told."""


def entries_of(
    payload: dict[str, Any], attributes: dict[str, str] | None = None, **parts: Any
) -> list[dict[str, Any]]:
    """What a real push with a trace writes; the canonical entry comes last."""
    sink = ListSink()
    worker = make_worker(smoke_test, crashes, crowded, keeps, sink=sink, **parts)
    process(worker, push_of(wrapped(payload, attributes=attributes), TRACE))
    assert sink.entries[-1]["event"] == CANONICAL_EVENT
    return sink.entries


def payload_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What Cloud Logging leaves in jsonPayload."""
    return {name: value for name, value in entry.items() if not is_special(name)}


def check_table(page: Path, columns: list[str], rows: list[list[str]]) -> None:
    """The page holds exactly this table; if not, the failure prints it, ready to be pasted."""
    lines = [columns, *rows]
    rendered = [f"| {' | '.join(line)} |\n" for line in lines]
    rendered.insert(1, "|" + "---|" * len(columns) + "\n")
    text = "".join(rendered)
    if text + "\n" not in page.read_text():
        pytest.fail(f"{page.name} wants this table:\n{text}", pytrace=False)


def check_fields(entry: dict[str, Any], rows: list[list[str]]) -> None:
    """Every field of the entry has a row, with its type."""
    types = {name: kinds.split(" or ") for name, kinds, *_ in rows}
    for name, value in entry.items():
        kinds = types[f"`{name}`"]
        assert "null" in kinds if value is None else isinstance(value, TYPES[kinds[0]]), name


def test_the_table_of_outcomes_is_the_codes() -> None:
    columns = ["Outcome", "Status", "Severity", "What happens to the message", "What to do"]
    rows = [
        [
            f"`{o.name}`",
            ", ".join(map(str, o.statuses)),
            severity_of(o.level),
            o.message,
            o.operator,
        ]
        for o in OUTCOMES
    ]
    check_table(DOCS / "outcomes.md", columns, rows)


def test_the_readme_has_every_outcome_with_its_usual_status() -> None:
    short = {
        name.strip(" `"): int(statuses.split(",")[0])
        for names, statuses, _ in table(README, "Outcome")
        for name in names.split(",")
    }
    assert short == {one.name: one.status for one in OUTCOMES}


def test_the_table_of_settings_is_the_codes() -> None:
    rows = [
        [f"`{name}`", default_of(info.default), Settings.want(name), str(info.description)]
        for name in Settings.variables()
        for info in [Settings.model_fields[name.lower()]]
    ]
    check_table(DOCS / "configuration.md", ["Variable", "Default", "Takes", "Meaning"], rows)


def default_of(value: Any) -> str:
    if value is None or value == ():
        return "not set"
    return f"`{value.value if isinstance(value, Enum) else value}`"


def test_every_other_variable_that_the_worker_reads_is_documented() -> None:
    source = "".join(path.read_text() for path in (ROOT / "worker").rglob("*.py"))
    read = set(re.findall(r'(?:os\.environ|environment)(?:\.get\(|\[)"([A-Z_]+)"', source))
    read |= set(re.findall(r'_VARIABLE = "([A-Z_]+)"', source))
    read |= set(re.findall(r'"([A-Z]+_EMULATOR_HOST)"', source))
    listed = {
        row[0].strip("`") for row in table(DOCS / "configuration.md", "Variable set elsewhere")
    }
    assert read - set(Settings.variables()) == listed


def test_the_fields_of_the_canonical_entry_are_the_codes() -> None:
    names = ("smoke_test", "crashes", "unknown", "crowded")
    entries = [entries_of({"feature": name})[-1] for name in names]
    entries += [entries_of({"feature": "smoke_test"}, TRACE, claims=NoStore())[-1]]
    entries += [entries_of({"feature": "keeps"}, artifacts=MemoryArtifacts())[-1]]
    rows = table(LOGGING, "Field") + table(LOGGING, "Special field")
    for entry in entries:
        check_fields(entry, rows)
    assert {f"`{name}`" for entry in entries for name in entry} == {name for name, *_ in rows}


def test_the_canonical_entry_that_is_shown_has_every_field() -> None:
    (shown,) = [json.loads(block.text) for block in blocks("json") if block.page == LOGGING]
    assert list(shown) == list(payload_of(entries_of({"feature": "smoke_test"})[-1]))


def test_the_fields_of_a_cut_entry_are_the_codes() -> None:
    cut = json.loads(encode({"event": "long", "text": "x" * 5000}, 4096))
    added = {name: value for name, value in cut.items() if name not in ("event", "text")}
    rows = table(LOGGING, "Field of a cut entry")
    check_fields(added, rows)
    assert [f"`{name}`" for name in added] == [name for name, *_ in rows]


def test_the_fields_of_the_smoke_tests_entry_are_the_codes() -> None:
    entry, _ = entries_of({"feature": "smoke_test", "requirements": {"nonce": "n1"}})
    rows = table(DOCS / "features" / "smoke_test.md", "Field")
    check_fields(payload_of(entry), rows)
    assert {f"`{name}`" for name in payload_of(entry)} == {name for name, *_ in rows}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_queries_ask_for_fields_that_exist(page: Path) -> None:
    asked = set(re.findall(r"jsonPayload\.(\w+)", page.read_text()))
    assert {f"`{name}`" for name in asked} <= {name for name, *_ in table(LOGGING, "Field")}


@pytest.mark.parametrize(
    ("file", "section"),
    [
        ("requirements.in", "## Production"),
        ("requirements-build.in", "## Building features"),
        ("requirements-dev.in", "## Development"),
    ],
)
def test_every_dependency_has_a_line_that_says_why(file: str, section: str) -> None:
    lines = [line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines()]
    names = [Requirement(line).name for line in lines if line and not line.startswith("-")]
    _, _, text = (DOCS / "dependencies.md").read_text().partition(section)
    assert re.findall(r"^- `(.+?)`: .", text.partition("\n## ")[0], re.MULTILINE) == names


def test_every_command_of_the_worker_is_in_the_readme() -> None:
    listed = [row[0] for row in table(README, "Command")]
    assert listed == [
        f"`python -m worker {name}`" for name in main.list_commands(click.Context(main))
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert link.startswith("https://") or target.exists(), link
        assert target.suffix != ".md" or not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    """A link to a folder leads to its pages: one that is dropped into docs/features needs none."""
    reached: set[Path] = set()
    waiting = [README]
    while waiting:
        page = waiting.pop()
        if page in PAGES and page not in reached:
            reached.add(page)
            there = [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
            waiting += [one for path in there for one in ([*path.glob("*.md")] or [path])]
    assert set(PAGES) <= reached


def test_the_differences_from_the_emulator_are_those_that_are_tested() -> None:
    """tests/differential runs each of them on both."""
    assert differences_as_markdown() in (DOCS / "local.md").read_text()
