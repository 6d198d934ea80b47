"""Any object becomes one line of strict JSON: nothing raises or is lost, no line is too long."""

import dataclasses
import decimal
import enum
import json
import uuid
from collections import OrderedDict, deque, namedtuple
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NoReturn

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.support.anything import TEXT
from tests.support.hostile import Hostile, HostileError
from worker import jsonline
from worker.jsonline import encode, is_special, plain

LIMIT = 200 * 1024
SPECIAL = {
    "severity": "INFO",
    "time": "2026-11-21T19:20:09Z",
    "logging.googleapis.com/labels": {"feature": "a", "outcome": "done"},
    "logging.googleapis.com/operation": {"id": "1", "first": True},
}


def strict(line: bytes) -> dict[str, Any]:
    """Read a line as the strictest of readers does."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    record: dict[str, Any] = json.loads(line, parse_constant=refuse)
    json.dumps(record, ensure_ascii=False).encode()  # no lone surrogate is left
    return record


def shown(value: Any) -> Any:
    """What a reader gets for a value."""
    return strict(encode({"value": value}, LIMIT))["value"]


# --- what JSON has


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        2**53,
        -(2**53),
        0.1,
        -0.0,
        1e300,
        "",
        "text",
        [],
        {},
        [[{"a": [1]}]],
    ],
)
def test_what_json_has_stays_what_it_is(value: Any) -> None:
    assert repr(shown(value)) == repr(value)


@pytest.mark.parametrize(
    "text",
    ["ä😀", "a\nb\r\n\tc", "\u2028\u2029\x85", "\x00\x1b[31m", '"quoted" \\ /', "\ufeff"],
)
def test_text_arrives_as_it_was_on_one_line(text: str) -> None:
    assert shown(text) == text
    assert shown({text: text}) == {text: text}


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_arrives_as_it_was(value: Any) -> None:
    assert shown(value) == value


# --- what JSON has not


class Colour(enum.Enum):
    RED = "red"
    DEEP = ({"a": 1},)


class Number(enum.IntEnum):
    SEVEN = 7


class Model(BaseModel):
    name: str = "n"
    when: datetime = datetime(2026, 11, 21, tzinfo=UTC)


class Nested(BaseModel):
    inner: Model = Model()
    number: float = float("nan")


class Broken(BaseModel):
    def model_dump(self, **_: Any) -> NoReturn:
        raise SystemExit


@dataclasses.dataclass
class Point:
    x: float
    y: Any = None


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - the old kind is logged too


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        (2**53 + 1, "9007199254740993"),
        (-(2**64), "-18446744073709551616"),
        (b"bytes", "bytes"),
        (b"\xff\x00", "base64:/wA="),
        (bytearray(b"ab"), "ab"),
        (memoryview(b"ab"), "ab"),
        (datetime(2026, 11, 21, 1, 2, 3, 4, tzinfo=UTC), "2026-11-21T01:02:03.000004+00:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (time(1, 2), "01:02:00"),
        (timedelta(seconds=1), "0:00:01"),
        (decimal.Decimal("1.10"), "1.10"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (PurePosixPath("/a"), "/a"),
        (1 + 2j, "(1+2j)"),
        (ValueError("why"), "ValueError('why')"),
        (ValueError, "<class 'ValueError'>"),
        (Model, f"<class '{__name__}.Model'>"),
        (deque([1]), "deque([1])"),
        ("\ud800", "\\ud800"),
        ("\ud83d\ude00", "\\ud83d\\ude00"),
        (Colour.RED, "red"),
    ],
)
def test_what_json_has_not_is_said_in_text(value: Any, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "same"),
    [
        ((1, 2), [1, 2]),
        ({1}, [1]),
        (frozenset({"a"}), ["a"]),
        (Pair(1, b"r"), [1, "r"]),
        (Point(1.5, Point(float("nan"))), {"x": 1.5, "y": {"x": "nan", "y": None}}),
        (Model(), {"name": "n", "when": "2026-11-21T00:00:00+00:00"}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (OrderedDict(a=(1,)), {"a": [1]}),
        (Number.SEVEN, 7),
        (Colour.DEEP, [{"a": 1}]),
    ],
)
def test_containers_keep_what_they_hold(value: Any, same: Any) -> None:
    assert shown(value) == same


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (1, "1"),
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ((1, "a"), '[1,"a"]'),
        (b"\xff", "base64:/w=="),
        (date(2026, 11, 21), "2026-11-21"),
        (float("nan"), "nan"),
        ("\ud800", "\\ud800"),
        (Colour.RED, "red"),
        (2**60, str(2**60)),
    ],
)
def test_a_key_that_is_no_text_becomes_text(key: Any, name: str) -> None:
    assert shown({key: "v"}) == {name: "v"}


@pytest.mark.parametrize(
    "record",
    [
        {1: "a", "1": "b"},
        {"1": "a", 1: "b"},
        {None: "a", "null": "b"},
        {(1,): "a", "[1]": "b"},
        {1: "a", "1": "b", "1_": "c"},
        {"1_": "a", 1: "b", "1": "c"},
        {"\ud800": "a", "\\ud800": "b"},
    ],
)
def test_keys_that_read_the_same_are_all_kept(record: dict[Any, str]) -> None:
    assert sorted(shown(record).values()) == sorted(record.values())


def test_a_key_that_cannot_be_text_keeps_its_value() -> None:
    assert shown({Hostile(): "v"}) == {"<unprintable Hostile>": "v"}


def test_a_number_with_more_digits_than_the_interpreter_writes_is_hexadecimal() -> None:
    assert shown(10**5000) == hex(10**5000)


# --- what would never end


def test_a_cycle_is_cut_where_it_closes() -> None:
    loop: dict[str, Any] = {"a": 1}
    loop["self"] = [loop]
    assert shown(loop) == {"a": 1, "self": ["<cycle>"]}
    point = Point(1)
    point.y = point
    assert shown(point) == {"x": 1, "y": "<cycle>"}


def test_the_same_object_twice_is_no_cycle() -> None:
    part = {"a": 1}
    assert shown([part, part]) == [part, part]


def test_forty_levels_are_shown_and_no_more() -> None:
    value: Any = "innermost"
    for _ in range(39):  # the entry itself is the first
        value = [value]
    assert "innermost" in json.dumps(shown(value))
    assert "<nested deeper than 40>" in json.dumps(shown([value]))


def test_nesting_without_end_is_cut() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "nested deeper than 40" in json.dumps(shown(deep))


# --- what fails when it is looked at


class HostileMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> NoReturn:
        raise ValueError("no")

    def __iter__(self) -> Iterator[str]:
        yield "a"

    def __len__(self) -> int:
        return 1


class HostileModel(BaseModel):
    def model_dump(self, **_: Any) -> NoReturn:
        raise ValueError("no")


class HostileMeta(type):
    @property
    def __name__(cls) -> NoReturn:  # type: ignore[override]
        raise ValueError("no")


class NamelessHostile(Hostile, metaclass=HostileMeta):
    pass


class HostileClass:
    @property  # type: ignore[misc]
    def __class__(self) -> NoReturn:  # type: ignore[override]
        raise ValueError("no")


HOSTILE: dict[str, Callable[[], Any]] = {
    "value error": Hostile,
    "recursion error": lambda: Hostile(RecursionError),
    "exit": lambda: Hostile(SystemExit),
    "interrupt": lambda: Hostile(KeyboardInterrupt),
    "exception": HostileError,
    "mapping": HostileMapping,
    "model": HostileModel,
    "class": HostileClass,
    "nameless": NamelessHostile,
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_an_object_that_fails_to_show_itself_does_not_lose_the_entry(
    make: Callable[[], Any],
) -> None:
    bad = shown({"bad": make(), "good": 1})
    assert bad["bad"].startswith("<unprintable ")
    assert bad["good"] == 1


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "other"

    __repr__ = __str__

    def encode(self, *_: Any) -> NoReturn:
        raise ValueError("no")


class Whole(int):
    def __int__(self) -> int:
        raise ValueError("no")

    __repr__ = __str__ = __int__  # type: ignore[assignment]  # that is the point


class Real(float):
    def __float__(self) -> float:
        raise ValueError("no")

    __repr__ = __str__ = __float__  # type: ignore[assignment]  # that is the point


class Record(dict[str, Any]):
    def __repr__(self) -> NoReturn:
        raise ValueError("no")


class OddTime(datetime):
    def isoformat(self, *_: Any) -> Any:
        return object


@pytest.mark.parametrize(
    ("value", "same"),
    [
        (Text("mine"), "mine"),
        (Text("mine ä"), "mine ä"),
        (Whole(7), 7),
        (Whole(2**60), str(2**60)),
        (Real(1.5), 1.5),
        (Real("nan"), "nan"),
        (Record(a=1), {"a": 1}),
        ({Text("k"): 1}, {"k": 1}),
    ],
    ids=["text", "text ä", "int", "large int", "float", "nan", "dict", "key"],
)
def test_of_a_subclass_the_value_counts_not_its_methods(value: Any, same: Any) -> None:
    assert shown(value) == same


def test_a_method_that_answers_nonsense_does_not_break_the_line() -> None:
    assert "object" in shown(OddTime(2026, 11, 21, tzinfo=UTC))

    class Odd:
        def __str__(self) -> str:
            return Text("odd ä")

    assert shown(Odd()) == "odd ä"


def test_whatever_is_callable_or_magic_has_some_text() -> None:
    class Magic:
        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: Magic()

    assert "nested deeper" in json.dumps(shown(Magic()))


# --- the limit


def test_an_entry_that_fits_is_not_touched() -> None:
    entry = {**SPECIAL, "message": "m" * 1000}
    line = encode(entry, LIMIT)
    assert strict(line) == entry
    assert encode(entry, len(line)) == line
    assert strict(encode(entry, len(line) - 1))["truncated"] is True


@pytest.mark.parametrize("limit", [2000, 4096, LIMIT])
def test_an_entry_over_the_limit_is_cut_and_says_so(limit: int) -> None:
    entry = {**SPECIAL, "message": "m" * 300_000, "small": [1, {"a": 2}], "event": "e"}
    line = encode(entry, limit)
    record = strict(line)
    assert limit * 0.9 < len(line) <= limit
    assert {name: record[name] for name in SPECIAL} == SPECIAL
    assert record["truncated"] is True
    assert record["original_size"] == len(json.dumps(entry, separators=(",", ":")))
    assert (record["small"], record["event"]) == ([1, {"a": 2}], "e")


def test_a_cut_text_keeps_its_beginning_and_its_end() -> None:
    record = strict(encode({"stack_trace": "first" + "-" * 10_000 + "last"}, 2000))
    assert record["stack_trace"].startswith("first---")
    assert record["stack_trace"].endswith("---last")
    beginning, end = record["stack_trace"].split(" … ")
    assert abs(len(beginning) - 2 * len(end)) <= 2


def test_a_field_without_room_for_its_value_is_shown_to_be_there() -> None:
    record = strict(encode({f"{i:->60}": "v" * 1000 for i in range(50)}, 2000))
    cut = [value for name, value in record.items() if name.startswith("-")]
    assert len(cut) > 10
    assert set(cut) == {"…"}


def test_large_fields_share_the_room_that_small_ones_leave() -> None:
    record = strict(encode({"a": "a" * 50_000, "b": {"x": "b" * 50_000}, "c": "c" * 100}, 4096))
    assert record["c"] == "c" * 100
    assert min(len(record["a"]), len(record["b"])) > 1500


def test_fields_that_no_longer_fit_are_left_out_and_the_rest_stays_valid() -> None:
    line = encode({**SPECIAL, **{f"field-{i}": i for i in range(10_000)}}, 2000)
    record = strict(line)
    assert len(line) <= 2000
    assert record["field-0"] == 0
    assert SPECIAL.items() <= record.items()


@pytest.mark.parametrize("first", ["k" * 300, "k" * 200])
def test_keys_that_become_the_same_by_cutting_are_both_kept(first: str) -> None:
    second = "k" * 200 if len(first) == 300 else "k" * 300
    record = strict(encode({first: "a" * 3000, second: "b"}, 2000))
    values = [value for name, value in record.items() if name.startswith("kkk")]
    assert sorted(value[0] for value in values) == ["a", "b"]


def test_a_long_key_that_fits_is_kept_whole() -> None:
    record = strict(encode({"k" * 300: 1, "m": "m" * 5000}, 2000))
    assert record["k" * 300] == 1


def test_a_key_as_long_as_the_line_is_cut_with_its_value() -> None:
    record = strict(encode({"k" * 3000: "v" * 3000}, 2000))
    assert record["k" * 200].startswith("vvv")


def test_a_field_named_like_the_marker_keeps_its_value() -> None:
    fields = {"truncated": "mine", "original_size": "mine"}
    assert strict(encode(fields, 2000)) == fields
    record = strict(encode({"m": "m" * 5000, **fields}, 2000))
    assert (record["truncated"], record["truncated_"]) == (True, "mine")
    assert record["original_size_"] == "mine"


@pytest.mark.parametrize(
    "special",
    [
        {"logging.googleapis.com/operation": {"id": "i" * 10_000, "first": True}},
        {"logging.googleapis.com/labels": {f"k{i}": "v" for i in range(1000)}},
        {"logging.googleapis.com/labels": {"k" * 5000: "v"}},
        {"logging.googleapis.com/trace": "t" * 10_000},
        {f"logging.googleapis.com/{i:100}": 1 for i in range(100)},
    ],
    ids=["long id", "many labels", "long label", "long trace", "many"],
)
def test_special_fields_that_alone_would_fill_the_line_are_cut_too(special: Any) -> None:
    line = encode({**SPECIAL, **special, "message": "still here"}, 2000)
    record = strict(line)
    assert len(line) <= 2000
    assert (record["severity"], record["message"]) == ("INFO", "still here")


def test_an_entry_of_special_fields_alone_is_cut_too() -> None:
    record = strict(encode({"severity": "INFO", "httpRequest": ["x"] * 5000}, 2000))
    assert record["severity"] == "INFO"
    assert record["httpRequest"].startswith('["x","x"')
    assert 500 < len(record["httpRequest"]) < 1500


def test_of_special_fields_that_are_too_large_only_the_long_parts_are_cut() -> None:
    special = {
        "logging.googleapis.com/operation": {"id": "i" * 10_000, "producer": "p", "first": True},
        "logging.googleapis.com/labels": {"feature": "a", "long": "l" * 10_000},
        "logging.googleapis.com/trace": "t" * 10_000,
    }
    record = strict(encode({**SPECIAL, **special, "message": "m" * 5000}, 4096))
    operation = record["logging.googleapis.com/operation"]
    labels = record["logging.googleapis.com/labels"]
    assert (operation["producer"], operation["first"], labels["feature"]) == ("p", True, "a")
    cut = [operation["id"], labels["long"], record["logging.googleapis.com/trace"]]
    assert [set(text) for text in cut] == [{"i"}, {"l"}, {"t"}]
    assert all(200 <= len(text) < 3000 for text in cut)
    assert record["severity"] == "INFO"
    assert len(record["message"]) > 500


def test_of_very_many_labels_the_first_are_kept() -> None:
    labels = {f"k{i}": "v" for i in range(1000)}
    record = strict(encode({"logging.googleapis.com/labels": labels}, 2000))
    kept = record["logging.googleapis.com/labels"]
    assert len(kept) > 50
    assert list(kept) == list(labels)[: len(kept)]


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXT, st.text(min_size=500, max_size=900),
    st.binary(), st.datetimes(), st.dates(), st.times(), st.timedeltas(), st.decimals(),
    st.complex_numbers(), st.uuids(), st.fractions(),
    st.sampled_from([Hostile, HostileError, HostileModel, HostileMapping]).map(lambda kind: kind()),
    st.sampled_from([Colour.DEEP, Model(), ValueError]), st.just(5000).map(lambda n: 10**n),
)  # fmt: skip
KEYS = (
    TEXT | st.integers() | st.floats() | st.none() | st.booleans() | st.binary() | st.tuples(TEXT)
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner)
        | st.sets(TEXT | st.integers())
        | st.builds(Point, inner, inner)
    ),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, ANYTHING), st.integers(2000, 204_800))
@example({"\ud800" * 300: "\ud800" * 300, 1: "😀" * 3000, "1": float("nan")}, 2000)
def test_anything_is_one_line_of_strict_json_under_the_limit(entry: Any, limit: int) -> None:
    line = encode({**SPECIAL, **entry}, limit)
    assert len(line) <= limit
    record = strict(line)
    assert SPECIAL.items() <= record.items()
    if "truncated" in record and "truncated" not in entry:
        assert record["original_size"] == len(
            json.dumps(plain({**SPECIAL, **entry}), separators=(",", ":"))
        )
    else:
        assert len(record) == len(SPECIAL) + len(entry)


@pytest.mark.parametrize(
    ("name", "special"),
    [
        ("severity", True),
        ("time", True),
        ("timestamp", True),
        ("httpRequest", True),
        ("logging.googleapis.com/anything", True),
        ("message", False),
        ("Severity", False),
        ("event", False),
    ],
)
def test_special_is_what_cloud_logging_lifts_out(name: str, special: bool) -> None:
    assert is_special(name) is special


def test_an_object_whose_parts_are_shared_does_not_unfold_for_ever() -> None:
    shared: list[Any] = []
    for _ in range(30):
        shared = [shared, shared]
    assert "<left out>" in str(plain(shared))


# --- the usual way and the careful one


USUAL = {
    **SPECIAL,
    "message": "m",
    "n": 1,
    "seconds": 0.25,
    "none": None,
    "flat": {"a": "b", "c": 1},
}


def test_what_an_entry_usually_is_needs_no_care(monkeypatch: pytest.MonkeyPatch) -> None:
    careful = jsonline._careful(USUAL, LIMIT)
    monkeypatch.setattr(jsonline, "_careful", None)
    assert strict(encode(USUAL, LIMIT)) == strict(careful + b"\n")


@pytest.mark.parametrize("nothing", [{}, {"none": None}], ids=["", "with null"])
@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("-inf"), Text("mine"), Whole(7), Real(1.5), Record(a=1),
        OrderedDict(a=1), MappingProxyType({"a": 1}), (1,), [1], {1}, b"b", date(2026, 11, 21),
        Colour.RED, Number.SEVEN, Point(1), Model(), Hostile(), object(), uuid.UUID(int=7),
        {"a": (1,)}, {"a": {"b": float("nan")}}, [[float("nan")]], {"a": {"b": {"c": {}}}},
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_json_has_not_is_said_as_the_careful_way_says_it(
    value: Any, nothing: dict[str, Any]
) -> None:
    entry = {"good": "g", "odd": value, **nothing}
    assert strict(encode(entry, LIMIT)) == strict(jsonline._careful(entry, LIMIT) + b"\n")


@pytest.mark.parametrize(
    "entry",
    [
        {"a": 2**53}, {"a": -(2**53) - 1}, {"a": {"b": 2**60}},
        {"a": "\ud800"}, {"\ud800": "a"}, {"a": {"b": "\ud800"}}, {1: "a", "1": "b"}, {None: "a"},
        {Text("k"): 1}, {"a": {1: "a", "1": "b"}}, {"a": {Text("k"): 1}}, OrderedDict(a=1),
        MappingProxyType({"a": 1}),
    ],
    ids=repr,
)  # fmt: skip
def test_an_entry_that_orjson_would_write_in_another_way_takes_the_careful_one(entry: Any) -> None:
    assert jsonline._usual(entry) == b""
    assert strict(encode(entry, LIMIT)) == plain(entry)


def test_an_entry_that_holds_itself_is_cut_where_it_closes() -> None:
    entry: dict[str, Any] = {"a": 1}
    entry["self"] = entry
    entry["list"] = [entry]
    assert strict(encode(entry, LIMIT)) == {"a": 1, "self": "<cycle>", "list": ["<cycle>"]}


def test_an_entry_that_changes_while_it_is_looked_at_is_not_lost() -> None:
    class Changing:
        def __str__(self) -> str:
            entry.clear()
            return "changed"

    entry: dict[str, Any] = {"a": Changing(), "b": Changing(), "c": 1}
    assert strict(encode(entry, LIMIT)) == {"a": "changed", "b": "changed", "c": 1}


@pytest.mark.parametrize(
    "model", [Model(), Hostile(), Nested(), Broken()], ids=lambda model: type(model).__name__
)
def test_a_model_is_shown_in_the_same_way_whatever_is_in_it(model: Any) -> None:
    assert jsonline.plain_model(model) == plain(model)


def test_a_character_beyond_ascii_is_written_as_its_escape() -> None:
    assert encode({"é": "ä😀\u2028"}, LIMIT) == b'{"\\u00e9":"\\u00e4\\ud83d\\ude00\\u2028"}\n'


@given(st.dictionaries(TEXT | KEYS, ANYTHING))
@example({"\ud800": 1, "a": float("nan")})
@example({"\x80": Colour.RED, "a": uuid.UUID(int=7)})
@example({"a": {"b": {"c": {"d": 2**60}}}, "e": -0.0, "f": 5e-324, "g": "\x7f\x00"})
def test_both_ways_say_the_same(entry: dict[Any, Any]) -> None:
    line, careful = jsonline._usual(entry), jsonline._careful(entry, LIMIT)
    said = strict((line or careful) + b"\n")
    assert repr(said) == repr(strict(careful + b"\n"))
