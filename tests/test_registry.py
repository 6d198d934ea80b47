"""Which features a worker has, and whose a payload is."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.inprocess import ListSink
from worker import Context, Reject, Requirements, feature
from worker.deadline import Deadline
from worker.feature import HandlersInvalid
from worker.log import Log
from worker.message import Form, Message
from worker.outcome import UnknownFeature
from worker.payload import FeaturePayload
from worker.registry import BUILDER, Features, load


@feature("resize")
def resize(context: Context) -> None:
    """Make a picture smaller."""


@feature("sweep")
def sweep(context: Context) -> None:
    """Tidy up."""


@feature("say")
def say(want: str, context: Context) -> None:
    """Say it."""


@feature(BUILDER)
def builder(want: str, context: Context) -> None:
    """Build a feature."""


# --- finding one


def test_a_feature_is_found_by_its_name() -> None:
    features = Features([sweep, resize])
    assert features.find("resize") is resize
    assert features.all() == [resize, sweep]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "resise",
            "no handler is registered for resise: did you mean resize? registered: resize, sweep",
        ),
        ("other", "no handler is registered for other: registered: resize, sweep"),
    ],
)
def test_an_unknown_feature_is_told_the_nearest_match_and_the_names(name: str, reason: str) -> None:
    with pytest.raises(UnknownFeature) as caught:
        Features([sweep, resize]).find(name)
    assert caught.value.reason == reason


def test_without_any_feature_the_reason_says_none() -> None:
    with pytest.raises(UnknownFeature, match=r"registered: none$"):
        Features([]).find("a")


def test_of_very_many_features_the_first_fifty_are_named() -> None:
    many = Features(feature(f"f{i:03}")(sweep.handler) for i in range(60))
    with pytest.raises(UnknownFeature) as caught:
        many.find("zzz")
    assert caught.value.reason.endswith("f049 and 10 more")


def test_two_handlers_of_one_name_stop_start_up_with_both_places() -> None:
    with pytest.raises(HandlersInvalid) as caught:
        Features([sweep, feature("sweep")(say.handler)])
    assert str(caught.value) == (
        f"two handlers are named 'sweep': {__name__}.sweep and {__name__}.say; rename one"
    )


def test_the_same_feature_twice_is_no_clash() -> None:
    assert Features([sweep, sweep]).all() == [sweep]


# --- whose a payload is


def test_a_payload_is_for_the_feature_that_it_names() -> None:
    payload = FeaturePayload(feature="sweep", description="all")
    for build_unknown in (False, True):
        features = Features([sweep, builder], build_unknown=build_unknown)
        assert features.route(payload) == (sweep, payload)


def test_a_payload_for_an_unknown_feature_is_rejected() -> None:
    with pytest.raises(UnknownFeature):
        Features([sweep, builder]).route(FeaturePayload(feature="other"))


def test_a_payload_for_an_unknown_feature_is_an_order_to_build_it_where_that_is_wished() -> None:
    payload = FeaturePayload(feature="other", description="why", requirements={"id": "uuid"})
    found, order = Features([sweep, builder], build_unknown=True).route(payload)
    assert found is builder
    assert order == FeaturePayload(
        feature=BUILDER, description="why", requirements=payload.model_dump()
    )


def test_building_unknown_features_needs_the_one_that_builds() -> None:
    with pytest.raises(HandlersInvalid, match="UNKNOWN_FEATURE=build needs"):
        Features([sweep], build_unknown=True)


# --- loading the folder

MakePackage = Callable[..., str]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePackage]:
    """Make an importable package of modules: `package(one="source", **{"sub/two": "source"})`."""
    name = f"handlers_of_{tmp_path.name}".replace("-", "_")
    monkeypatch.syspath_prepend(tmp_path)

    def make(**modules: str) -> str:
        for path, source in {"__init__": "", **modules}.items():
            file = tmp_path / name / f"{path}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(HEAD + source)
        importlib.invalidate_caches()
        return name

    yield make
    for module in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
        del sys.modules[module]


HEAD = "from worker import Context, Requirements, feature\n"
ONE = """
@feature("one")
def one(context: Context) -> None: ...
"""
TWO = """
@feature("two")
def two(context: Context) -> None: ...
"""


def names(package: str) -> list[str]:
    return [found.name for found in load(package).all()]


def test_dropping_a_file_or_a_package_into_the_folder_registers_it(package: MakePackage) -> None:
    assert names(package(first=ONE)) == ["one"]
    assert names(package(**{"sub/__init__": TWO})) == ["one", "two"]
    assert "smoke_test" in names("handlers")


def test_a_package_may_keep_its_handler_in_any_of_its_modules(package: MakePackage) -> None:
    parts = {"sub/__init__": "", "sub/parts": ONE, "sub/deeper/__init__": "", "sub/deeper/x": TWO}
    assert names(package(**parts)) == ["one", "two"]


def test_a_package_that_can_be_run_is_not_run(package: MakePackage) -> None:
    assert names(package(**{"sub/__init__": ONE, "sub/__main__": "raise SystemExit"})) == ["one"]


def test_a_single_module_may_hold_all_handlers(package: MakePackage) -> None:
    name = package(first=ONE + TWO)
    assert names(f"{name}.first") == ["one", "two"]


def test_a_feature_imported_by_another_module_is_no_clash(package: MakePackage) -> None:
    name = package(first=ONE, second=f"from {package()}.first import one as other\n" + TWO)
    assert names(name) == ["one", "two"]


def test_a_clash_of_names_stops_start_up_with_one_line(package: MakePackage) -> None:
    name = package(first=ONE, second=ONE)
    with pytest.raises(HandlersInvalid) as caught:
        load(name)
    assert str(caught.value) == (
        f"two handlers are named 'one': {name}.first.one and {name}.second.one; rename one"
    )


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import not_there_at_all", "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("def broken(:", "SyntaxError: "),
        ("raise ValueError('first\\nsecond')", "ValueError: first second"),
        ("raise KeyError", "KeyError"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("x = 1 // 0", "ZeroDivisionError: "),
        ("raise BaseException('x')", "BaseException: x"),
        ('@feature("one")\ndef one(context: "Missing") -> None: ...', "NameError: "),
    ],
)
@pytest.mark.parametrize("path", ["bad", "sub/__init__", "sub/bad"])
def test_a_module_that_cannot_be_imported_stops_start_up_with_one_line(
    package: MakePackage, source: str, why: str, path: str
) -> None:
    name = package(first=ONE, **{"sub/__init__": "", path: source})
    with pytest.raises(HandlersInvalid) as caught:
        load(name)
    module = f"{name}.{path}".removesuffix("/__init__").replace("/", ".")
    assert str(caught.value).startswith(f"cannot import {module}: {why}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        '@feature("One")\ndef one(context: Context) -> None: ...',
        "@feature\ndef one(context: Context) -> None: ...",
    ],
)
def test_a_bad_handler_is_told_as_the_decorator_tells_it(package: MakePackage, source: str) -> None:
    name = package(first=source)
    with pytest.raises(HandlersInvalid, match=rf"^{name}\.first\.one: "):
        load(name)


def test_a_folder_that_does_not_exist_stops_start_up_with_one_line() -> None:
    with pytest.raises(HandlersInvalid, match=r"^cannot import no_such_handlers: ModuleNotFound"):
        load("no_such_handlers")


def test_a_folder_without_handlers_serves_nothing(package: MakePackage) -> None:
    assert names(package()) == []


# --- large payloads, in one pass


class Lines(Requirements):
    lines: list[str]
    when: date | None = None


@feature("lines")
def lines_handler(want: Lines, context: Context) -> None:
    """Take lines."""


def large(**payload: Any) -> Message:
    data = json.dumps({"feature": "lines", **payload}).encode()
    return message_of(data + b" " * 3000)


def message_of(data: bytes) -> Message:
    return Message(id="1", data=data, attributes={}, form=Form.WRAPPED)


def test_large_requirements_are_validated_with_their_payload() -> None:
    payload = Features([lines_handler]).read(large(requirements={"lines": ["a"]}))
    assert payload.model_dump() == {
        "feature": "lines",
        "description": "",
        "requirements": {"lines": ["a"], "when": None},
    }
    assert type(payload) is not FeaturePayload


@pytest.mark.parametrize(
    "payload",
    [
        {"requirements": {"lines": ["a"], "when": "2026-11-21"}, "description": "d"},
        {"requirements": {"lines": "no list"}},
        {"requirements": {"lines": [], "other": 1}},
        {"requirements": "none"},
        {"requirements": None},
        {"other": 1},
        {"description": 5},
        {"description": '"feature": "lines"', "feature": "other"},
        {"requirements": {"lines": [], "feature": "lines"}, "feature": "other"},
        {"requirements": {"lines": [float("nan")]}},
    ],
    ids=repr,
)
def test_a_large_payload_is_read_and_refused_like_a_small_one(payload: dict[str, Any]) -> None:
    def become(message: Message) -> object:
        seen: list[object] = []

        @feature("lines")
        def keep(want: Lines, context: Context) -> None:
            seen.append((want, context.description))

        features = Features([keep])
        try:
            asked = features.read(message)
            context = Context(message, asked.description, Log(ListSink()), Deadline(0.0))
            features.find(asked.feature)(asked, context)
        except Reject as reject:
            return reject.reason
        return seen

    big = large(**payload)
    assert become(big) == become(big._replace(data=big.data.strip()))
