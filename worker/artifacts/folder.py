"""ARTIFACTS=folder:PATH: a folder for each bundle."""

from collections.abc import Mapping
from pathlib import Path

from worker.artifacts import MANIFEST, ArtifactsFailed, check_bundle, check_name, manifest_of


class FolderArtifacts:
    """A bundle's folder appears whole, by a rename."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Write them."""
        check_bundle(name, files)
        raise ArtifactsFailed("not yet" + str(manifest_of(files)))

    def find(self, name: str) -> str | None:
        """Look for its manifest."""
        check_name(name)
        path = self._folder / name
        return str(path) if (path / MANIFEST).is_file() else None
