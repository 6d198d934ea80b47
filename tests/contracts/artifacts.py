"""What every place for artifacts does.

A subclass hands in `artifacts`, `broken` (one whose place cannot be used) and `read`, which gives
the files at an address. A place where the first of several rivals wins, whatever they write, is a
RivalsContract as well.
"""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from worker.artifacts import MANIFEST, Artifacts, ArtifactsFailed

Read = Callable[[str], dict[str, bytes]]

FILES = {"plot.png": b"\x89PNG\r\n\x1a\n\x00\xff", "deep/er/a-1_b.csv": b"day,kg\r\n", "empty": b""}
RIVALS = 8
NO_NAMES = ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", ".hidden", "-a", "a b", "a\nb", "ä",
            "a\x00", "c:\\x", "a/" * 12 + "a", "x" * 129]  # fmt: skip
NO_BUNDLES: list[dict[str, bytes]] = [
    {}, {MANIFEST: b""}, {f"deep/{MANIFEST}": b""}, {"../a": b""}, {"a": b"", "a/b/c": b""},
    {str(number): b"" for number in range(1001)},
]  # fmt: skip


def check_whole(files: dict[str, bytes]) -> None:
    """The manifest is true, and names every file."""
    listed = json.loads(files[MANIFEST])["files"]
    assert {**files, MANIFEST: b""}.keys() == {*listed, MANIFEST}
    for name, about in listed.items():
        assert about["bytes"] == len(files[name])
        assert about["sha256"] == hashlib.sha256(files[name]).hexdigest()


class ArtifactsContract:
    def test_a_bundle_is_kept_with_its_manifest(self, artifacts: Artifacts, read: Read) -> None:
        address = artifacts.keep("reports/17", FILES)

        files = read(address)
        check_whole(files)
        assert files.pop(MANIFEST)
        assert files == FILES
        assert address.endswith("reports/17")

    def test_what_is_kept_is_found_at_its_address(self, artifacts: Artifacts) -> None:
        address = artifacts.keep("reports/18", FILES)

        assert artifacts.find("reports/18") == address

    def test_what_was_not_kept_is_not_found(self, artifacts: Artifacts) -> None:
        artifacts.keep("reports/19", FILES)

        assert artifacts.find("reports") is None
        assert artifacts.find("reports/1") is None
        assert artifacts.find("reports/190") is None
        assert artifacts.find("reports/19/deep") is None

    def test_a_bundle_that_is_there_stays_as_it_is(self, artifacts: Artifacts, read: Read) -> None:
        first = artifacts.keep("reports/20", FILES)
        before = read(first)

        assert artifacts.keep("reports/20", {"plot.png": b"another", "more": b"1"}) == first

        assert read(first) == before

    def test_bundles_of_other_names_do_not_meet(self, artifacts: Artifacts, read: Read) -> None:
        one = artifacts.keep("reports/21", {"a": b"1"})
        two = artifacts.keep("reports/21b", {"a": b"2"})

        assert (read(one)["a"], read(two)["a"]) == (b"1", b"2")

    def test_rivals_with_the_same_files_keep_one_bundle(
        self, artifacts: Artifacts, read: Read
    ) -> None:
        with ThreadPoolExecutor(RIVALS) as pool:
            addresses = set(pool.map(lambda _: artifacts.keep("r/22", FILES), range(RIVALS)))

        (address,) = addresses
        check_whole(read(address))

    @pytest.mark.parametrize("name", NO_NAMES)
    def test_a_name_that_is_no_path_is_a_mistake(self, artifacts: Artifacts, name: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: artifacts.keep(name, FILES),
            lambda: artifacts.find(name),
            lambda: artifacts.keep("a", {name: b""}),
        ]
        for call in calls:
            with pytest.raises(ValueError, match="name of an artifact"):
                call()

    @pytest.mark.parametrize("files", NO_BUNDLES)
    def test_files_that_make_no_bundle_are_a_mistake(
        self, artifacts: Artifacts, files: dict[str, bytes]
    ) -> None:
        with pytest.raises(ValueError, match=r"artifact|bundle|manifest"):
            artifacts.keep("bad", files)
        assert artifacts.find("bad") is None

    def test_a_place_that_cannot_be_used_is_told_in_one_line(self, broken: Artifacts) -> None:
        with pytest.raises(ArtifactsFailed) as failed:
            broken.keep("reports/1", FILES)

        assert failed.value.reason
        assert "\n" not in failed.value.reason


class RivalsContract:
    def test_of_rivals_with_other_files_the_first_wins(
        self, artifacts: Artifacts, read: Read
    ) -> None:
        def keep(number: int) -> str | None:
            try:
                files = {name: bytes([number]) * 1000 for name in ("a", "b", "c")}
                return artifacts.keep("rivals", files)
            except ArtifactsFailed:  # the message comes again
                return None

        with ThreadPoolExecutor(RIVALS) as pool:
            addresses = set(pool.map(keep, range(RIVALS))) - {None}

        (address,) = addresses
        assert address
        files = read(address)
        check_whole(files)
        assert len({files[name] for name in ("a", "b", "c")}) == 1
