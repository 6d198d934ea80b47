"""The stand-in for python:3.13-slim, made of Debian's packages where no registry can be asked.

As in the official image: Debian 13, Python 3.13 without .pyc, `python` and `python3`, pip.
Otherwise than there Python lies in /usr, not in /usr/local, so that whatever takes one of the two
for granted fails; and Perl is there. Compare sizes with it, not with the official image.
"""

import hashlib
import subprocess

from tests.image.pipconfig import PLACE
from tests.image.podman import Podman

_SUITE = "trixie"
_PACKAGES = "ca-certificates,netbase,tzdata,python3.13,python3-pip"
_LEFT_OUT = ("doc", "man", "locale", "info")
_SCRIPT = f"""
find "$1/usr/lib/python3.13" \\( -name '*.pyc' -o -name EXTERNALLY-MANAGED \\) -delete
ln -s /usr/bin/python3.13 "$1/usr/local/bin/python3"
ln -s python3 "$1/usr/local/bin/python"
ln -s {PLACE}/pip.conf "$1/etc/pip.conf"
"""  # the last: a build finds how this machine reaches PyPI, and leaves nothing of it in the image
_CHANGES = (
    "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    'CMD ["python3"]',
)
_SECONDS = 300.0


def stand_in(podman: Podman) -> str:
    """The name of the image, which is made if the store has none of this recipe."""
    name = f"localhost/python-stand-in:{_digest()}"
    if not podman.has(name):
        _make(podman, name)
    return name


def _digest() -> str:
    recipe = repr((_SUITE, _PACKAGES, _LEFT_OUT, _SCRIPT, _CHANGES))
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _make(podman: Podman, name: str) -> None:
    archive = podman.folder / "stand-in.tar"
    left_out = [f"--dpkgopt=path-exclude=/usr/share/{one}/*" for one in _LEFT_OUT]
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}", *left_out,
         f"--customize-hook={_SCRIPT}", _SUITE, str(archive)],
        timeout=_SECONDS, check=True,
    )  # fmt: skip
    changes = [f"--change={one}" for one in _CHANGES]
    podman.run("import", "--quiet", *changes, str(archive), name)
    archive.unlink()
