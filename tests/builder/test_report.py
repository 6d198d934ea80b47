"""REPORT.md: every section is there, nothing of the order takes effect in it."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.builder.draft import Check, Draft
from worker.builder.order import Order, Target
from worker.builder.report import fenced, json_of, report, tree
from worker.builder.wanted import Wanted

HEADINGS = [
    "# vet_visit: complete",
    "## Decoded payload",
    "## Analysis",
    "## Action plan",
    "## File structure",
    "## Files",
    "## Integration",
    "## Tests",
    "## Documentation",
    "## Closing status",
]
FILES = {
    "docs/features/vet_visit.md": "# vet_visit\n\n```json\n{}\n```\n",
    "handlers/vet_visit.py": '"""vet_visit."""\n',
    "tests/handlers/test_vet_visit.py": '"""Tests."""\n',
}
DRAFT = Draft(
    Order("vet_visit", "Record a visit.", {"pet_id": "uuid"}),
    Wanted("sentence", "A vet writes it down.", None, {}, ()),
    FILES,
    ("Copy the folders.", "Try it: python -m worker dev"),
)
CHECKS = (Check("format", "python -m ruff format --check x"), Check("tests", "python -m pytest x"))
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)

texts = st.text() | st.text("`~#|<>[]()*_\\ \n-=+.!&\u202e\0\ud800{}%$")
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def outside(text: str) -> str:
    """The report without its fenced blocks."""
    return FENCE.sub("", text)


def headings(text: str) -> list[str]:
    return [line for line in outside(text).splitlines() if re.match("##? ", line)]


def test_it_has_every_section_in_order() -> None:
    assert headings(report(DRAFT, CHECKS, NOON, "2041")) == HEADINGS


def test_it_shows_the_payload_the_files_the_steps_and_the_checks() -> None:
    text = report(DRAFT, CHECKS, NOON, "2041")
    blocks = {language: body for _, language, body in FENCE.findall(text)}
    (payload,) = [body for _, language, body in FENCE.findall(text) if language == "json"]
    assert json.loads(payload)["requirements"] == {"pet_id": "uuid"}
    assert blocks["python"] == FILES["tests/handlers/test_vet_visit.py"]
    for name, source in FILES.items():
        assert f"### {name}\n" in text
        assert source in text
    for step in DRAFT.integration:
        assert step in text
    for check in CHECKS:
        assert f"| {check.name} | `{check.command}` |" in text
    assert "> Record a visit\\." in text or "> Record a visit." in text


def test_it_tells_when_it_was_requested_and_by_which_message() -> None:
    text = report(DRAFT, CHECKS, NOON.astimezone(timezone(timedelta(hours=2))), "2041")
    assert "| Requested | 2026-11-21T12:00:00.000+00:00 |" in text
    assert "| Message | 2041 |" in text


def test_without_a_message_it_says_that_it_is_not_known() -> None:
    text = report(DRAFT, CHECKS, None, None)
    assert "| Requested | not known |\n| Message | not known |" in text


def test_for_fastapi_it_shows_the_lines_to_add_as_code() -> None:
    files = {
        f"petsage/features/x/{name}.py": "" for name in ("__init__", "models", "router", "service")
    }
    lines = ("from petsage.features.x import router as x_router", "app.include_router(x_router)")
    order = Order("x", target=Target.FASTAPI, tag="Pets")
    text = report(replace(DRAFT, order=order, files=files, integration=lines), CHECKS, None, None)
    assert "```python\n" + "\n".join(lines) + "\n```" in text
    assert '"tag": "Pets"' in text


def test_the_digest_is_that_of_the_names_and_the_contents() -> None:
    same = replace(DRAFT, files=dict(reversed(FILES.items())), integration=())
    assert same.digest == DRAFT.digest
    others = [{"a.py": "x"}, {"b.py": "x"}, {"a.py": "y"}, {"a.py": "x", "b.py": ""}]
    assert len({replace(DRAFT, files=files).digest for files in others}) == len(others)
    assert DRAFT.digest in report(DRAFT, CHECKS, None, None)


def test_the_tree_shows_folders_once() -> None:
    assert tree(["a/b.py", "a/c/d.py", "e.md"]) == [
        "├── REPORT.md",
        "├── a/",
        "│   ├── b.py",
        "│   └── c/",
        "│       └── d.py",
        "└── e.md",
    ]


@pytest.mark.parametrize("text", ["", "```", "`````\nx\n````", "a\n```python\nb\n```\n# c"])
def test_no_text_ends_its_fence(text: str) -> None:
    ((_, _, body),) = FENCE.findall(fenced(text, "text"))
    assert body.rstrip("\n") == text.rstrip("\n")


@settings(max_examples=60)
@given(anything)
def test_shown_json_is_the_value_and_prints(value: object) -> None:
    shown = json_of(value)
    assert json.loads(shown) == value
    assert all(one == "\n" or one.isprintable() for one in shown)


@settings(max_examples=100)
@given(texts, texts, anything, texts)
def test_no_order_changes_the_shape_of_the_report(
    description: str, sentence: str, requirements: object, message_id: str
) -> None:
    order = Order("vet_visit", description, requirements)  # type: ignore[arg-type]
    source = description.encode(errors="replace").decode()  # a file is UTF-8
    files = {**FILES, "handlers/vet_visit.py": f"{source}\n"}
    draft = replace(
        DRAFT, order=order, files=files, wanted=replace(DRAFT.wanted, sentence=sentence)
    )
    text = report(draft, CHECKS, None, message_id)
    assert text.encode()
    assert headings(text) == HEADINGS
    assert len(FENCE.findall(text)) == 5  # the payload, the tree, three files
    assert "<" not in re.sub(r"\\<", "", outside(text))
