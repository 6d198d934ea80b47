"""How pip on this machine reaches PyPI, handed to a build: certificates, mirrors, local folders."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

PLACE = "/mnt"  # in the build; every image has this folder, and nothing in it
_INDEXES = ("index-url", "extra-index-url")
_KEPT = (
    *_INDEXES, "cert", "default-timeout", "find-links", "no-index", "proxy", "retries", "timeout",
    "trusted-host",
)  # fmt: skip


def volumes(folder: Path) -> list[str]:
    """The options of `podman build`; writes what they mount into the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = read_settings()
    if certificates := os.environ.get("SSL_CERT_FILE"):
        settings.setdefault("cert", certificates)
    found = Mounts(folder)
    text = "".join(f"{name} = {found.moved(name, value)}\n" for name, value in settings.items())
    (folder / "pip.conf").write_text(f"[global]\n{text}")
    return [f"--volume={folder}:{PLACE}:ro", *found.options]


def read_settings() -> dict[str, str]:
    """pip's settings, of its files and of its variables."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    return parse(done.stdout)


def parse(listed: str) -> dict[str, str]:
    """What `pip config list` prints, as far as a build needs it; variables outdo files."""
    found = dict(line.split("=", 1) for line in listed.splitlines())
    ordered = sorted(found.items(), key=lambda one: one[0].startswith(":env:"))
    read = {name.rpartition(".")[2]: str(ast.literal_eval(value)) for name, value in ordered}
    return {name: value for name, value in read.items() if name in _KEPT}


class Mounts:
    """Where what lies on this machine is found in the build: under PLACE, by number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.options: list[str] = []

    def moved(self, name: str, value: str) -> str:
        """The setting's value, as it is in the build."""
        return " ".join(self._moved(name, word) for word in value.split())

    def _moved(self, name: str, word: str) -> str:
        url = urlsplit(word)
        path = Path(unquote(url.path) if url.scheme == "file" else word)
        if not path.is_absolute() or not path.exists():
            return word
        if path.is_file():
            shutil.copy(path, self._folder)
            return f"{PLACE}/{path.name}"
        # The pages of an index link to the files beside it.
        mounted = path.parent if name in _INDEXES else path
        number = str(len(self.options))
        (self._folder / number).mkdir()
        self.options.append(f"--volume={mounted}:{PLACE}/{number}:ro")
        there = f"{PLACE}/{number}/{path.relative_to(mounted)}"
        return f"file://{there}" if url.scheme == "file" else there
