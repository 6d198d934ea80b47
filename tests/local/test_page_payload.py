"""The data of a message for people: worker/local/page/payload.py."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.local.page.payload import dump, preview, read


@given(st.binary())
@example(b"[" * 100_000)
@example(b'{"feature": "a", "requirements": ' + b"[" * 500 + b"]" * 500 + b"}")
@example(b"NaN")
@example(b'{"feature": "\\ud800"}')
@example(b"1" * 10_000)
def test_any_bytes_can_be_shown(data: bytes) -> None:
    seen = read(data)
    assert seen.kind in ("JSON", "text", "binary", "empty")
    assert len(preview(seen)) <= 160
    assert "\n" not in preview(seen)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(json_values)
def test_json_is_shown_as_the_same_json(value: object) -> None:
    seen = read(json.dumps(value).encode())
    assert seen.kind == "JSON"
    assert seen.value == value
    assert json.loads(seen.text) == value


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"), (b"hello\nyou", "text"), (b"\xff\xfe", "binary"),
        (b"\x00\x01\x02abc", "binary"), ("grüße".encode(), "text"), (b"12", "JSON"),
    ],
)  # fmt: skip
def test_bytes_are_told_apart(data: bytes, kind: str) -> None:
    assert read(data).kind == kind


def test_a_dump_has_offsets_digits_and_letters() -> None:
    assert dump(b"0123456789abcdef\xff").split("\n") == [
        "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|",
        "00000010  ff                                               |.|",
    ]
    assert dump(b"a" * 5000).endswith("… 904 bytes more")


def test_the_preview_of_a_feature_says_what_it_asks_for() -> None:
    content = {"feature": "resize", "description": "A cat", "requirements": {"width": 5}}
    seen = read(json.dumps(content).encode())
    assert seen.feature == "resize"
    assert preview(seen) == 'A cat · {"width": 5}'
    assert preview(read(b'{"feature": 5, "a": 1}')) == '{ "feature": 5, "a": 1 }'
