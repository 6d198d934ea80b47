"""Bundles of files: their names, their manifest, and what the canonical entry says of them."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker import Context, feature
from worker.artifacts import (
    ArtifactsFailed,
    ArtifactsOf,
    MemoryArtifacts,
    NoArtifacts,
    check_name,
    manifest_of,
)
from worker.artifacts.folder import FolderArtifacts
from worker.artifacts.storage import StorageArtifacts
from worker.build import artifacts_of
from worker.config import read_settings
from worker.testing import deliver

likely = st.lists(st.text("aZ09._-/\\ é\n\x00", max_size=8), max_size=14).map("/".join)


@feature("keeps")
def keeps(context: Context) -> None:
    context.artifacts.keep("one", {"a": b"1"})
    context.artifacts.keep("two", {"a": b"2"})
    context.artifacts.keep("one", {"a": b"1"})


@feature("finds")
def finds(context: Context) -> None:
    context.artifacts.find("nothing")
    context.artifacts.find("there")


def test_a_manifest_lists_the_files_in_the_order_of_their_names() -> None:
    assert json.loads(manifest_of({"b": b"xyz", "a": b""})) == {
        "files": {
            "a": {
                "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "bytes": 0,
            },
            "b": {
                "sha256": "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282",
                "bytes": 3,
            },
        }
    }
    assert manifest_of({"b": b"", "a": b""}) == manifest_of({"a": b"", "b": b""})


@settings(max_examples=200)
@given(name=likely | st.text())
def test_any_name_leads_below_the_folder_or_is_refused(name: str) -> None:
    try:
        check_name(name)
    except ValueError:
        return
    path = Path("/there", name)
    assert path.resolve().is_relative_to("/there")
    assert path.relative_to("/there").as_posix() == name
    assert not any(part.startswith(".") for part in path.parts)


def test_the_canonical_entry_names_each_address_once() -> None:
    delivered = deliver(keeps)

    assert delivered.entries[-1]["artifacts"] == ["memory:one", "memory:two"]
    assert delivered.artifacts["memory:two"]["a"] == b"2"


def test_a_bundle_that_was_found_is_the_messages_too() -> None:
    place = MemoryArtifacts()
    place.keep("there", {"a": b"1"})

    assert deliver(finds, artifacts=place).entries[-1]["artifacts"] == ["memory:there"]
    assert "artifacts" not in deliver(finds).entries[-1]


def test_a_message_whose_files_cannot_be_kept_comes_again() -> None:
    delivered = deliver(keeps, artifacts=NoArtifacts())

    assert (delivered.outcome, delivered.status) == ("retry", 503)
    assert "ARTIFACTS=none" in delivered.reason


def test_each_message_has_addresses_of_its_own() -> None:
    place = MemoryArtifacts()
    first, second = ArtifactsOf(place), ArtifactsOf(place)
    first.keep("one", {"a": b"1"})

    assert second.find("one") == "memory:one"
    assert second.find("two") is None
    assert (first.addresses, second.addresses) == (["memory:one"], ["memory:one"])


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("none", NoArtifacts),
        ("folder:/tmp/made", FolderArtifacts),
        ("gs://bucket/a/b", StorageArtifacts),
    ],
)
def test_the_setting_chooses_the_place(value: str, kind: type) -> None:
    """Without a call to it: neither a folder is made nor is anyone connected to."""
    assert type(artifacts_of(read_settings({"ARTIFACTS": value}))) is kind


def test_where_there_is_no_place_that_is_said_before_anything_is_made() -> None:
    with pytest.raises(ArtifactsFailed, match="ARTIFACTS=none"):
        NoArtifacts().find("a")
    with pytest.raises(ArtifactsFailed, match="ARTIFACTS=none"):
        NoArtifacts().keep("a", {"a": b""})
