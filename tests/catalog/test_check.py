"""`features check`: old schemas and recorded messages against the features of today."""

import base64
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cli import error_of, run
from worker.catalog.compat import schemas, validation
from worker.catalog.compat.recorded import recorded
from worker.catalog.compat.validation import SchemasInvalid
from worker.catalog.described import describe
from worker.feature import Feature
from worker.quarantine.folder import FolderQuarantine
from worker.registry import load
from worker.testing import deliver

ORDER = '''
from pydantic import BaseModel, Field, field_validator
from worker import Context, Reject, Requirements, feature

class Pet(BaseModel):
    name: str

class Order(Requirements):
    """What to order."""
    article: str = Field({article})
    {more}

@feature("order")
def order(want: Order, context: Context) -> None:
    """Order it."""
    raise Reject("sold out")

@feature("beat")
def beat(context: Context) -> None:
    """Beat."""
'''
WAS = {"article": "max_length=20, examples=['food']", "more": "tenant: str | None = None"}
NOW = {"article": "max_length=9, examples=['food']", "more": "pets: list[Pet] = []"}
RULE = """
    @field_validator("article")
    @classmethod
    def check(cls, article: str) -> str:
        if len(article) > 9:
            raise ValueError("too long")
        return article
"""
_numbers = itertools.count()

Package = Callable[..., str]
Check = Callable[..., Result]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Makes a package of handlers with a name of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def make(article: str, more: str) -> str:
        name = f"checked_handlers_{next(_numbers)}"
        (tmp_path / name).mkdir()
        source = ORDER.replace("{article}", article).replace("{more}", more)
        (tmp_path / name / "__init__.py").write_text(source)
        return name

    return make


@pytest.fixture
def before(package: Package) -> list[Feature[Any]]:
    """The features as they were."""
    return load(package(**WAS)).all()


@pytest.fixture
def exported(before: list[Feature[Any]], tmp_path: Path) -> Path:
    """An export of them."""
    folder = tmp_path / "export"
    for kind in ("schemas", "examples"):
        (folder / kind).mkdir(parents=True)
    for one in before:
        told = describe(one)
        (folder / "schemas" / f"{one.name}.json").write_text(json.dumps(told.payload))
        (folder / "examples" / f"{one.name}.json").write_text(json.dumps(told.examples))
    return folder


@pytest.fixture
def check(package: Package, exported: Path) -> Check:
    """Runs the command with features that have changed; `against` is the export."""

    def run_it(*words: str, against: Path = exported, now: dict[str, str] = NOW) -> Result:
        handlers = package(**now)
        return run("features", "check", "--against", str(against), *words, HANDLERS=handlers,
                   QUARANTINE=None)  # fmt: skip

    return run_it


def order(article: Any = "food", **more: Any) -> dict[str, Any]:
    return {"feature": "order", "requirements": {"article": article, **more}}


def data_of(payload: Any) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


LONG = order("SECRET" * 3)


def test_unchanged_features_break_nothing(check: Check, exported: Path) -> None:
    done = check(now=WAS)
    assert done.exit_code == 0
    assert done.stdout == (
        f"nothing breaks: compared 2 features with {exported}, and looked at 2 messages, "
        "2 of them valid before\n"
    )


def test_what_breaks_is_a_sentence_each(check: Check) -> None:
    done = check()
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:-1] == [
        "order: requirements.article: must have at most 9 characters now (was 20)",
        "order: requirements.tenant: the field is gone: a message that has it is refused",
    ]


def test_a_feature_that_is_gone_is_a_sentence(check: Check, exported: Path) -> None:
    (path,) = exported.glob("schemas/beat.json")
    gone = json.loads(path.read_text())
    gone["properties"]["feature"]["const"] = "old"
    (exported / "schemas" / "old.json").write_text(json.dumps(gone))
    done = check(now=WAS)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, "old: the feature is gone")


@pytest.mark.parametrize("place", ["", "schemas", "schemas/order.json"])
def test_an_export_its_schemas_and_one_of_them_can_be_compared(
    check: Check, exported: Path, place: str
) -> None:
    done = check(against=exported / place)
    assert done.exit_code == 1
    assert "order: requirements.article: must have" in done.stdout


def test_machines_read_the_same(check: Check) -> None:
    found = json.loads(check("--json").stdout)
    assert found["compatible"] is False
    assert found["breaking"][0] == {
        "feature": "order",
        "field": "requirements.article",
        "sentence": "must have at most 9 characters now (was 20)",
    }
    assert found["compared"] == {"features": 2, "messages": 2, "taken_before": 2}
    assert found["messages"] == []


RECORDED = {
    "a payload": json.dumps(LONG),
    "payloads in lines": f"{json.dumps(order())}\n\n{json.dumps(LONG)}\n",
    "a list": json.dumps([order(), LONG]),
    "a push": json.dumps(
        {"message": {"data": data_of(LONG), "messageId": "7"}, "subscription": "projects/p/s"}
    ),
    "pulled messages": json.dumps(
        [{"ackId": "x", "deliveryAttempt": 2, "message": {"data": data_of(LONG), "messageId": "7",
          "attributes": {"a": "b"}, "publishTime": "2026-01-01T00:00:00Z"}}]
    ),
    "a message of Pub/Sub": json.dumps({"data": data_of(LONG), "messageId": "7"}),
}  # fmt: skip


@pytest.mark.parametrize("text", RECORDED.values(), ids=RECORDED)
def test_a_recorded_message_that_would_be_refused_is_named(
    check: Check, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(text)
    done = check("--messages", str(path), now={**WAS, "article": "pattern='^[a-z]*$'"})
    assert done.exit_code == 1
    (line,) = [one for one in done.stdout.splitlines() if one.startswith(str(path))]
    assert "requirements.article" in line
    assert "SECRET" not in done.stdout
    assert ("(message 7)" in line) == ("messageId" in text)


def test_a_rule_that_no_schema_tells_is_found_by_a_message(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps(LONG))
    done = check("--messages", str(path), now={**WAS, "more": WAS["more"] + RULE})
    assert done.exit_code == 1
    first, last = done.stdout.splitlines()
    assert first == f"{path}:1: bad payload: requirements.article: Value error, too long"
    assert last.startswith("1 problem: compared 2 features with ")


def test_what_was_never_valid_does_not_count(check: Check, tmp_path: Path) -> None:
    messages = tmp_path / "messages"
    messages.mkdir()
    (messages / "a.json").write_text(json.dumps([order(1), {"feature": "unknown"}, {"x": 1}]))
    (messages / "b.jsonl").write_text(json.dumps({"messageId": "1", "data": "AAAA"}))
    (messages / "notes.txt").write_text("no message")
    done = check("--messages", str(messages), now=WAS)
    assert done.exit_code == 0
    assert "looked at 6 messages, 2 of them valid before" in done.stdout


def quarantine(before: list[Feature[Any]], folder: Path) -> None:
    """Rejected by the handler, though the payload was fine; and one that was not."""
    (feature,) = [one for one in before if one.name == "order"]
    for number, article in enumerate(("a" * 15, 7)):
        below = folder / str(number)  # what else lies there is no message
        kept = deliver(feature, {"article": article}, quarantine=FolderQuarantine(below))
        assert kept.outcome == "rejected"
        (path,) = below.iterdir()
        path.rename(folder / f"sha256-{number}.json")


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("quarantine", ()),
        ("held", ("--quarantine", "folder:held")),
        ("held", ("--messages", "held")),
    ],
)
def test_quarantined_messages_are_looked_at(
    check: Check, before: list[Feature[Any]], tmp_path: Path, folder: str, words: tuple[str, ...]
) -> None:
    quarantine(before, tmp_path / folder)
    done = check(*words, now={**WAS, "article": "max_length=9, examples=['a']"})
    (line,) = [one for one in done.stdout.splitlines() if "(message 1)" in one]
    refused = "bad payload: requirements.article: String should have at most 9 characters"
    assert line.endswith(f": {refused}")
    assert "looked at 4 messages, 3 of them valid before" in done.stdout


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no schema of a payload"),
        ('{"properties": {"feature": {"const": 7}}}', "no schema of a payload"),
        ('{"properties": {"feature": {"const": "a"}}, "type": 7}', "no JSON Schema of 2020-12"),
        ('{"properties": {"feature": {"const": "a"}}, "$ref": "http://x/y"}', "a $ref leads"),
        ('{"properties": {"feature": {"const": "a"}}, "$ref": "#/$defs/b"}', "a $ref leads"),
    ],
)
def test_schemas_that_cannot_be_read_are_one_line(
    check: Check, tmp_path: Path, content: str | None, why: str
) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_text(content)
    said = error_of(check(against=path))
    assert said.startswith(f"{path}: {why}")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        ("{", "neither JSON nor JSON lines, see line 1"),
        ('{"feature": "a"}\n{"fea', "see line 2"),
        ("7", "no message (want a JSON object)"),
        ('{"message": 7}', "bad envelope"),
        ('{"body": "x", "headers": {}}', "not a record of the quarantine"),
        ("\udcff", "not UTF-8 text"),
    ],
)
def test_messages_that_cannot_be_read_are_one_line(
    check: Check, tmp_path: Path, content: str | None, why: str
) -> None:
    path = tmp_path / "old.json"
    if content is not None:
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
    said = error_of(check("--messages", str(path)))
    assert said.startswith(str(path))
    assert why in said


def test_folders_without_what_is_wanted_are_one_line(check: Check, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no schemas there" in error_of(check(against=empty))
    assert "no messages there" in error_of(check("--messages", str(empty)))
    for place in ("folder:nowhere", "topic:projects/p/topics/t", str(empty)):
        assert "--quarantine wants folder:PATH" in error_of(check("--quarantine", place))


def test_without_jsonschema_the_command_says_what_to_install(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_document: Any) -> Any:
        raise SchemasInvalid(validation.MISSING)

    monkeypatch.setattr(schemas, "validator_of", missing)
    said = error_of(check())
    assert said == "jsonschema is not installed (pip install -r requirements-build.txt)"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["message", "data", "messageId", "body", "headers", "feature", "x"]),
            inner, max_size=4,
        )
    ),
    max_leaves=8,
)  # fmt: skip


@given(st.binary(max_size=30) | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_any_file_holds_messages_or_is_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.json"
    path.write_bytes(content)
    try:
        found = list(recorded(path))
    except SchemasInvalid as invalid:
        assert "\n" not in str(invalid)  # noqa: PT017 - most files are none
        return
    assert all(not held.foreign for held in found)
