"""Files that handlers make, kept where ARTIFACTS says: all of a bundle, or nothing."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol

from worker.outcome import Retry

MANIFEST = "manifest.json"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_MOST_PARTS = 12
_MOST_FILES = 1000


class ArtifactsFailed(Retry):
    """The files could not be kept: the message comes again, unless the handler says otherwise."""


class Artifacts(Protocol):
    """Keeps bundles of files. A bundle is there whole or not at all, and never changes.

    `name` is a path such as `pet_weight_report/17`, and not below another bundle's; a file's is one
    below it, such as `plot.png`. Every method raises ArtifactsFailed, and ValueError for a name
    that is no such path. Safe to share by threads, and for several processes at the same place.
    """

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Keep the files with their manifest, and return the bundle's address.

        A bundle that is there already stays as it is: a redelivery makes no second one.
        """

    def find(self, name: str) -> str | None:
        """The address of the bundle, None if there is none that is whole."""


class NoArtifacts:
    """ARTIFACTS=none: nothing can be kept."""

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Refuse, so that the message is nacked."""
        check_bundle(name, files)
        raise _no_place()

    def find(self, name: str) -> str | None:
        """Refuse: who looks for a bundle would make it next, for nothing."""
        check_name(name)
        raise _no_place()


def _no_place() -> ArtifactsFailed:
    return ArtifactsFailed(
        "ARTIFACTS=none: there is no place for files (set ARTIFACTS=gs://BUCKET/PREFIX)"
    )


class MemoryArtifacts:
    """Keeps bundles in a dictionary, for tests: address -> its files, with the manifest."""

    def __init__(self) -> None:
        self.bundles: dict[str, dict[str, bytes]] = {}

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Keep it under `memory:NAME`."""
        check_bundle(name, files)
        self.bundles.setdefault(f"memory:{name}", {**files, MANIFEST: manifest_of(files)})
        return f"memory:{name}"

    def find(self, name: str) -> str | None:
        """Its address."""
        check_name(name)
        return f"memory:{name}" if f"memory:{name}" in self.bundles else None


class ArtifactsOf:
    """What the handler of one message keeps: `addresses` are for its canonical entry."""

    def __init__(self, place: Artifacts) -> None:
        self._place = place
        self.addresses: list[str] = []

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Keep it, and remember where."""
        return self._remember(self._place.keep(name, files))

    def find(self, name: str) -> str | None:
        """Look for it, and remember it as this message's, too."""
        address = self._place.find(name)
        return self._remember(address) if address is not None else None

    def _remember(self, address: str) -> str:
        if address not in self.addresses:
            self.addresses.append(address)
        return address


def manifest_of(files: Mapping[str, bytes]) -> bytes:
    """The manifest: for each file its sha256 and its size in bytes, in the order of the names."""
    listed: dict[str, Any] = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        for name, data in sorted(files.items())
    }
    return json.dumps({"files": listed}, indent=2).encode() + b"\n"


def check_name(name: str) -> None:
    """Raise ValueError unless it is a relative path that leads nowhere else."""
    parts = name.split("/")
    if len(parts) > _MOST_PARTS or not all(map(_PART.fullmatch, parts)):
        raise ValueError("the name of an artifact is letters, digits and ._- between slashes")


def check_bundle(name: str, files: Mapping[str, bytes]) -> None:
    """Raise ValueError for names that are no paths, and for a bundle of nothing or too much."""
    check_name(name)
    if not 0 < len(files) <= _MOST_FILES:
        raise ValueError(f"a bundle has 1 to {_MOST_FILES} files")
    for file in files:
        check_name(file)
        if PurePosixPath(file).name == MANIFEST:
            raise ValueError(f"{MANIFEST} is written by itself")
        if any(str(folder) in files for folder in PurePosixPath(file).parents):
            raise ValueError("a file of an artifact lies below another file")
