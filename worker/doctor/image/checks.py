"""What is wrong with an image that was built."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from worker.doctor.catalogue import Check, found
from worker.doctor.dockerfile.contents import HAS_PIP, SECRET, examine_secrets
from worker.doctor.dockerfile.process import (
    LITERAL,
    NO_COMMAND,
    ROOT,
    SHELL_FORM,
    examine_command,
    examine_user,
)
from worker.doctor.finding import Finding, Severity
from worker.doctor.image import bytecode
from worker.doctor.image.archive import Image, read_image
from worker.doctor.report import Report, examined, skipped

LARGE = Check(
    "image-large",
    Severity.WARNING,
    "the image is less than 80 MB on top of its base",
    "Every new instance loads it before it can start.",
    "look for what need not be there: pip, compilers, caches, tests of packages",
)
NO_LABELS = Check(
    "image-without-labels",
    Severity.NOTE,
    "the image says what it is and which commit it was made from",
    "Of an image in the registry nobody can tell what is in it.",
    "add LABEL org.opencontainers.image.title, .revision and .source",
)
UNREADABLE = Check(
    "image-unreadable",
    Severity.ERROR,
    "the archive holds an image",
    "Nothing of it was checked.",
    "write one with `docker save IMAGE -o image.tar` or `podman save IMAGE -o image.tar`",
)
MISSING = bytecode.MISSING
OWN = (MISSING, LARGE, NO_LABELS, UNREADABLE)
CHECKS = (*OWN, ROOT, SHELL_FORM, NO_COMMAND, LITERAL, HAS_PIP, SECRET)

LARGEST_MB = 80
_LABELS = "org.opencontainers.image."
_PIP = re.compile(r"(.*/(?:site|dist)-packages/)pip/__init__\.py")
_COMMAND = re.compile(r"(^|\s|#\(nop\)\s+)CMD\s")


def examine_archive(path: Path) -> Report:
    """What is wrong with the image in the archive. Raises Unreadable."""
    image = read_image(path)
    report = examined(CHECKS, examine(image, path.name))
    if added_bytes(image) is not None:
        return report
    made = tuple(name for name in report.checked if name != LARGE.name)
    unknown = skipped([LARGE], "the image's history does not say where its base ends")
    return replace(report, checked=made) + unknown


def examine(image: Image, where: str) -> Iterator[Finding]:
    """What is wrong with the image."""
    config = image.config
    yield from examine_user(str(config.get("User") or ""), where)
    yield from _command(image, where)
    areas = bytecode.areas_of(image.files, str(config.get("WorkingDir") or ""))
    yield from bytecode.examine(image.files, areas, where)
    yield from examine_pip(image.files, where)
    variables = (one.partition("=")[::2] for one in config.get("Env") or [])
    yield from examine_secrets(variables, where)
    if not any(name.startswith(_LABELS) for name in config.get("Labels") or {}):
        yield found(NO_LABELS, where, f"it has no label {_LABELS}...")
    added = added_bytes(image)
    if added is not None and added > LARGEST_MB * 10**6:
        yield found(LARGE, where, f"it is {added / 1e6:.0f} MB on top of its base")


def _command(image: Image, where: str) -> Iterator[Finding]:
    entry, command = image.config.get("Entrypoint") or [], image.config.get("Cmd") or []
    if not entry and not command:
        yield found(NO_COMMAND, where, "it has neither Cmd nor Entrypoint")
    yield from examine_command([str(word) for word in [*entry, *command]], where)


def examine_pip(files: frozenset[str], where: str) -> Iterator[Finding]:
    """Whether pip is where the worker's packages are; a base image has its own elsewhere."""
    for path in sorted(files):
        match = _PIP.fullmatch(path)
        if match and f"{match[1]}{bytecode.PACKAGE}" in files:
            yield found(HAS_PIP, f"{where}:/{path.removesuffix('/__init__.py')}", "pip is there")


def added_bytes(image: Image) -> int | None:
    """Bytes on top of the base, None where the history does not say where it ends.

    A base image ends with its CMD; what comes after it is ours.
    """
    commands = [
        n for n, one in enumerate(image.history) if _COMMAND.search(str(one.get("created_by")))
    ]
    ends = [n for n in commands if any(not one.get("empty_layer") for one in image.history[n:])]
    filled = [n for n, one in enumerate(image.history) if not one.get("empty_layer")]
    if not ends or len(filled) != len(image.layers):
        return None
    return sum(size for n, size in zip(filled, image.layers, strict=True) if n > ends[-1])
