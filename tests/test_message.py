"""Push and Message: what can be asked of them."""

import pytest

from tests.support.pushes import push_of
from worker.message import SECRET_HEADERS, Form, Message, Push, digest_id


def test_the_first_of_repeated_headers_counts() -> None:
    push = Push((("a", "1"), ("b", "2"), ("a", "3")), b"")
    assert push.header("a") == "1"
    assert push.header("missing") is None


def test_repeated_headers_are_joined_by_a_comma() -> None:
    push = Push((("a", "1"), ("b", "2"), ("a", "3")), b"")
    assert push.public_headers() == {"a": "1, 3", "b": "2"}


@pytest.mark.parametrize(
    "name", ["authorization", "cookie", "proxy-authorization", "x-serverless-authorization"]
)
def test_credentials_are_no_public_headers(name: str) -> None:
    assert name in SECRET_HEADERS
    assert push_of(b"", {name: "SECRET", "x": "y"}).public_headers() == {
        "content-type": "application/json",
        "x": "y",
    }


@pytest.mark.parametrize(
    "value",
    [Push((), b""), Message("1", b"", {}, Form.WRAPPED)],
    ids=["push", "message"],
)
def test_a_value_never_changes(value: Push | Message) -> None:
    for name in value._fields:
        with pytest.raises(AttributeError):
            setattr(value, name, None)


def test_a_digest_id_is_the_same_in_every_version_of_the_worker() -> None:
    assert digest_id(b"a", b"b") == "sha256-3c9d591045bc8876f9d0399bbfb05c6a"


@pytest.mark.parametrize("other", [(b"ab",), (b"a", b"b", b""), (b"", b"ab"), (b"b", b"a")])
def test_a_digest_id_tells_apart_where_the_parts_end(other: tuple[bytes, ...]) -> None:
    assert digest_id(*other) != digest_id(b"a", b"b")


def test_the_forms_have_the_names_that_the_log_shows() -> None:
    assert {form.value for form in Form} == {
        "wrapped",
        "unwrapped",
        "unwrapped-no-metadata",
        "cloudevent-binary",
        "cloudevent-structured",
        "cloudevent-attributes",
    }
