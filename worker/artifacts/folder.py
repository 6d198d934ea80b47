"""ARTIFACTS=folder:PATH: a folder for each bundle."""

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from worker.artifacts import MANIFEST, ArtifactsFailed, check_bundle, check_name, manifest_of
from worker.files import make_folder, sync_folder, write_new


class FolderArtifacts:
    """A bundle's folder appears whole, by a rename, and survives a crash of the machine once kept.

    A process that dies before leaves a folder `.….tmp`, whose name no bundle can have.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Write them to `PATH/name/`."""
        check_bundle(name, files)
        target = self._folder / name
        try:
            if not _is_whole(target):
                make_folder(target.parent)
                _write(target, {**files, MANIFEST: manifest_of(files)})
        except OSError as error:
            raise ArtifactsFailed(f"cannot write to {self._folder}: {error.strerror}") from error
        return str(target)

    def find(self, name: str) -> str | None:
        """Look for its manifest."""
        check_name(name)
        target = self._folder / name
        try:
            return str(target) if _is_whole(target) else None
        except OSError as error:
            raise ArtifactsFailed(f"cannot read {self._folder}: {error.strerror}") from error


def _is_whole(target: Path) -> bool:
    return (target / MANIFEST).is_file()


def _write(target: Path, files: Mapping[str, bytes]) -> None:
    """The folder has these files, or it is as it was."""
    temporary = target.parent / f".{uuid.uuid4().hex}.tmp"
    temporary.mkdir()
    try:
        _fill(temporary, files)
        _rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(target.parent)


def _rename(temporary: Path, target: Path) -> None:
    try:
        temporary.rename(target)
    except OSError:
        if not _is_whole(target):  # if it is, another was first
            raise


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        make_folder((folder / name).parent)
        write_new(folder / name, data)
    for inner in {parent for name in files for parent in PurePosixPath(name).parents}:
        sync_folder(folder / inner)
