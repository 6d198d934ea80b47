"""An image in a tar archive: its configuration and its files, without running it.

Reads what `docker save` and `podman save` write, in both of their formats: docker-archive and OCI.
Source: the OCI image specification, layout and layers.
"""

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from worker.doctor.folder import Unreadable

_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_MOST_JSON = 8 * 1024 * 1024  # bytes
_DEEPEST = 4  # indexes that name indexes


@dataclass(frozen=True)
class Image:
    """What is in an image."""

    config: dict[str, Any]  # User, Cmd, Env ...: the specification's `config`
    history: list[dict[str, Any]]
    files: frozenset[str]  # paths without the first slash
    layers: tuple[int, ...]  # bytes of the files in each layer, from the base on


def read_image(path: Path) -> Image:
    """The first image of the archive. Raises Unreadable."""
    try:
        with tarfile.open(path) as archive:
            return _read(_Archive(archive))
    except OSError as error:
        raise Unreadable(f"cannot be read: {type(error).__name__}") from None
    except (tarfile.TarError, EOFError):
        raise Unreadable("is no tar archive, or a broken one") from None
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        raise Unreadable("is no image: its manifest or configuration does not fit") from None


class _Archive:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self.names = {name.removeprefix("./"): name for name in archive.getnames()}

    def open(self, name: str) -> IO[bytes]:
        file = self._archive.extractfile(self.names[name])
        if file is None:
            raise KeyError(name)
        return file

    def json(self, name: str) -> Any:
        return json.loads(self.open(name).read(_MOST_JSON))


def _read(archive: _Archive) -> Image:
    if "manifest.json" in archive.names:
        manifest = archive.json("manifest.json")[0]
        config, layers = manifest["Config"], manifest["Layers"]
    elif "index.json" in archive.names:
        manifest = _manifest(archive, archive.json("index.json"), 0)
        config = _blob(manifest["config"])
        layers = [_blob(layer) for layer in manifest["layers"]]
    else:
        raise Unreadable("is no image: it has neither manifest.json nor index.json")
    described = archive.json(config)
    files: dict[str, None] = {}
    sizes = tuple(_apply(archive, name, files) for name in layers)
    history = list(described.get("history") or [])
    return Image(dict(described.get("config") or {}), history, frozenset(files), sizes)


def _manifest(archive: _Archive, index: Any, depth: int) -> Any:
    """The manifest of the first image that is for a platform; others are attestations."""
    for described in index["manifests"]:
        if (described.get("platform") or {}).get("os") == "unknown":
            continue
        found = archive.json(_blob(described))
        if "manifests" in found and depth < _DEEPEST:
            return _manifest(archive, found, depth + 1)
        return found
    raise KeyError("manifests")


def _blob(described: Any) -> str:
    algorithm, _, value = described["digest"].partition(":")
    return f"blobs/{algorithm}/{value}"


def _apply(archive: _Archive, name: str, files: dict[str, None]) -> int:
    """Put a layer over the files below it: the bytes of the files in it."""
    size = 0
    added: dict[str, None] = {}
    with _layer(archive.open(name)) as layer:
        for member in layer:
            path = member.name.removeprefix("./").strip("/")
            folder, _, last = path.rpartition("/")
            if last == _OPAQUE:
                _remove(files, f"{folder}/")
            elif last.startswith(_WHITEOUT):
                gone = f"{folder}/{last.removeprefix(_WHITEOUT)}".lstrip("/")
                files.pop(gone, None)
                _remove(files, f"{gone}/")
            elif not member.isdir():
                added[path] = None
                size += member.size
    files |= added
    return size


def _layer(file: IO[bytes]) -> tarfile.TarFile:
    try:
        return tarfile.open(fileobj=file, mode="r|*")
    except tarfile.TarError:
        raise Unreadable(
            "has a layer that is neither plain nor gzip; save it with `docker save` or "
            "`podman save --format docker-archive`"
        ) from None


def _remove(files: dict[str, None], prefix: str) -> None:
    for path in list(_below(files, prefix)):
        del files[path]


def _below(files: dict[str, None], prefix: str) -> Iterator[str]:
    return (path for path in files if path.startswith(prefix))
