"""What the image is made from and holds: its base, bytecode, pip, secrets, copied files."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from worker.doctor.catalogue import Check, found
from worker.doctor.dockerfile.ignore import Ignored
from worker.doctor.dockerfile.reading import FILE, Dockerfile, Instruction
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place

NOT_PINNED = Check(
    "image-base-not-pinned",
    Severity.WARNING,
    "the base image is pinned by its digest",
    "The tag moves: the same commit builds another image tomorrow, and nobody tested it.",
    "write `ARG PYTHON_IMAGE=python:3.13-slim@sha256:...`, with the digest that "
    "`docker buildx imagetools inspect python:3.13-slim` prints",
)
LATEST = Check(
    "image-base-latest",
    Severity.WARNING,
    "the base image has a version",
    "`latest` is another Python one day.",
    "name a version, as in python:3.13-slim",
)
NOT_COMPILED = Check(
    "image-not-compiled",
    Severity.WARNING,
    "the standard library, the packages and the program are compiled",
    "Slim images have no .pyc, and the worker's user cannot write them: "
    "every cold start compiles them again, which doubles it.",
    "run `python3 -m compileall -q --invalidation-mode unchecked-hash` over them in the Dockerfile",
)
HAS_PIP = Check(
    "image-has-pip",
    Severity.WARNING,
    "the worker's packages are without pip",
    "Nothing installs anything at run time; pip is 16 MB and a tool for whoever breaks in.",
    "make the environment with `python3 -m venv --without-pip` in a stage of its own, and copy it",
)
SECRET = Check(
    "image-holds-secret",
    Severity.ERROR,
    "no secret is in the image",
    "Everybody who can pull the image can read it, in its history too.",
    "take it out, replace it, and hand it in with `--set-secrets` or a build secret",
)
COPY_MISSING = Check(
    "image-copy-missing",
    Severity.ERROR,
    "what COPY names is there and not ignored",
    "The build fails.",
    "correct the name, or .dockerignore",
)
CHECKS = (NOT_PINNED, LATEST, NOT_COMPILED, HAS_PIP, SECRET, COPY_MISSING)

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":([^/:@]+)(@|$)")
_SECRET = re.compile(
    r"(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIALS?)(_|$)"
)
_PARTS = {
    "the standard library": r"stdlib|(?<!venv)/lib/python3|sys\.path",
    "the packages": r"venv|site-packages|sys\.path",
}


def examine(dockerfile: Dockerfile, folder: Path, ignored: Ignored) -> Iterator[Finding]:
    """What is wrong with what the image is made from."""
    for one, image in dockerfile.bases():
        yield from _base(one, image)
    yield from _compiled(dockerfile)
    yield from _pip(dockerfile)
    for one in dockerfile.named("ENV", "ARG"):
        yield from examine_secrets(dockerfile.variables(one), place(FILE, one.line))
    for one in dockerfile.named("COPY", "ADD"):
        yield from _copied(one, dockerfile, folder, ignored)


def _base(one: Instruction, image: str) -> Iterator[Finding]:
    where = place(FILE, one.line)
    if _DIGEST.search(image):
        return
    tag = _TAG.search(image)
    if not tag or tag[1] == "latest":
        yield found(LATEST, where, f"{image[:80]} is the latest one, whichever that is")
    yield found(NOT_PINNED, where, f"{image[:80]} has no digest")


def _compiled(dockerfile: Dockerfile) -> Iterator[Finding]:
    runs = [one for one in dockerfile.named("RUN") if "compileall" in one.value]
    text = "\n".join(one.value for one in runs)
    folder = dockerfile.final("WORKDIR")
    program = {"the program": re.escape(folder.value)} if folder else {}
    for part, mark in (_PARTS | program).items():
        if not re.search(mark, text):
            yield found(NOT_COMPILED, FILE, f"nothing compiles {part}")


def _pip(dockerfile: Dockerfile) -> Iterator[Finding]:
    for one in dockerfile.named("RUN"):
        where = place(FILE, one.line)
        if re.search(r"-m venv\b", one.value) and "--without-pip" not in one.value:
            yield found(HAS_PIP, where, "the environment is made with pip in it")
        last = one.stage == dockerfile.last_stage
        if last and re.search(r"\bpip3?\b.*\binstall\b", one.value):
            yield found(HAS_PIP, where, "pip installs in the stage that becomes the image")


def examine_secrets(variables: Iterable[tuple[str, str]], where: str) -> Iterator[Finding]:
    """Variables that look like a secret and have a value; the value is not shown."""
    for name, value in variables:
        if value and _SECRET.search(name.upper()):
            yield found(SECRET, where, f"{name[:60]} has a value")


def _copied(
    one: Instruction, dockerfile: Dockerfile, folder: Path, ignored: Ignored
) -> Iterator[Finding]:
    words = one.exec_form() or one.words()
    if "from" in one.flags or any(word.startswith("<<") for word in words):
        return
    for source in map(dockerfile.resolve, words[:-1]):
        if "$" in source or "://" in source:
            continue
        if not _is_there(folder, source):
            yield found(COPY_MISSING, place(FILE, one.line), f"{source[:80]} is not there")
        elif ignored.leaves_all_out(source):
            yield found(COPY_MISSING, place(FILE, one.line), f".dockerignore leaves {source} out")


def _is_there(folder: Path, source: str) -> bool:
    name = source.strip("/")
    if not name or name == ".":
        return True
    try:
        return next(folder.glob(name), None) is not None
    except (ValueError, NotImplementedError, OSError):
        return False
