"""What of the image is how big, measured inside it."""

import json
from dataclasses import dataclass

from tests.benchmarks.tables import table
from tests.image.builds import Images
from tests.image.container import run_once

_MOST_PACKAGES = 8  # of those that are named
_MEASURE = """
import json, pathlib, sysconfig
def size(top, pattern="*"):
    return sum(one.lstat().st_size for one in pathlib.Path(top).rglob(pattern) if one.is_file())
packages = pathlib.Path(sysconfig.get_path("purelib", vars={"base": "/opt/venv"}))
found = {one.name: size(one) for one in packages.iterdir() if one.is_dir()}
found = {name: size for name, size in found.items() if not name.endswith(".dist-info")}
print(json.dumps({
    "packages": found,
    "venv": size("/opt/venv"),
    "app": size("/app"),
    "stdlib": size(sysconfig.get_path("stdlib"), "*.pyc"),
}))
"""


@dataclass(frozen=True)
class Contents:
    """Bytes of files. `stdlib` is what its .pyc add; `packages` are those of the venv."""

    added: int
    stdlib: int
    venv: int
    app: int
    packages: dict[str, int]

    def table(self) -> str:
        """What is on top of the base, the largest packages by name."""
        largest = sorted(self.packages.items(), key=lambda one: -one[1])[:_MOST_PACKAGES]
        rows = [
            ["the standard library's `.pyc`", _mb(self.stdlib)],
            ["`/opt/venv`: what requirements.txt pins", _mb(self.venv)],
            *([f"- `{name}`", _mb(size)] for name, size in largest),
            ["`/app`: `worker` and `handlers`", _mb(self.app)],
            ["**together**, as layers", f"**{_mb(self.added)}**"],
        ]
        return table(["On top of the base", "MB"], rows)


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"


def contents(built: Images) -> Contents:
    """Look into the image."""
    printed = run_once(built.podman, built.worker, "python", "-c", _MEASURE)
    return Contents(added=built.added, **json.loads(printed))
