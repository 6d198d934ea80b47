"""How does the image start the worker: as whom, and who gets SIGTERM?

Its checks are asked of a Dockerfile, and of an image that is there already.
"""

import re
from collections.abc import Iterator, Sequence

from worker.doctor.catalogue import Check, found
from worker.doctor.dockerfile.reading import FILE, Dockerfile
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place
from worker.doctor.shell import commands, is_shell, script_of

ROOT = Check(
    "image-runs-as-root",
    Severity.WARNING,
    "the worker runs as a numbered user that is not root",
    "Whoever breaks into a handler may change the whole container; "
    "of a user's name the platform cannot tell whether it is root.",
    "end the Dockerfile with `USER 10001:10001`",
)
SHELL_FORM = Check(
    "image-shell-is-pid-1",
    Severity.ERROR,
    "the worker is PID 1 and gets SIGTERM itself",
    "The shell gets SIGTERM and does not pass it on: "
    "after 10 s Cloud Run kills the worker with all pushes that it handles.",
    'write `CMD ["python", "-m", "worker", "serve"]`, or `exec` before the program',
)
NO_COMMAND = Check(
    "image-starts-nothing",
    Severity.ERROR,
    "the image says what it starts",
    "The base image's command runs, a Python prompt that ends at once.",
    'add `CMD ["python", "-m", "worker", "serve"]`',
)
LITERAL = Check(
    "image-variable-literal",
    Severity.ERROR,
    "the command has no variable that nobody replaces",
    "Without a shell the program gets the $ and the name as they are: `$PORT` is no port.",
    "let the program read the variable itself, as `python -m worker serve` does with PORT",
)
CHECKS = (ROOT, SHELL_FORM, NO_COMMAND, LITERAL)

_VARIABLE = re.compile(r"\$\{?[A-Za-z_]")
_NUMBER = re.compile(r"\d+(:\w+)?")


def examine(dockerfile: Dockerfile) -> Iterator[Finding]:
    """What is wrong with the user and the command."""
    user = dockerfile.final("USER")
    where = place(FILE, user.line if user else 0)
    yield from examine_user(user.value if user else "", where)
    found_one = False
    for name in ("ENTRYPOINT", "CMD"):
        if one := dockerfile.final(name):
            found_one = True
            words = one.exec_form()
            words = ["/bin/sh", "-c", one.value] if words is None else words
            yield from examine_command(words, place(FILE, one.line))
    if not found_one:
        yield found(NO_COMMAND, FILE, "there is neither CMD nor ENTRYPOINT")


def examine_user(user: str, where: str) -> Iterator[Finding]:
    """What is wrong with the user, "" where none is set."""
    name = user.strip().partition(":")[0]
    if name in ("", "root") or (name.isdecimal() and int(name) == 0):
        yield found(ROOT, where, "the container runs as root")
    elif not _NUMBER.fullmatch(user.strip()):
        yield found(ROOT, where, f"the user is the name {name[:40]!r}, no number")


def examine_command(words: Sequence[str], where: str) -> Iterator[Finding]:
    """Whether a shell stays in front of the program, or is missed."""
    if not words or not is_shell(words[0]):
        if any(_VARIABLE.search(word) for word in words):
            yield found(LITERAL, where, "a word of the command has a $, and no shell reads it")
        return
    inside = script_of(list(words))
    script = words[inside] if inside is not None else ""
    last = script.strip().rpartition("\n")[2].rpartition("&&")[2].rpartition(";")[2].strip()
    if not (last.startswith("exec ") and commands(script)):
        yield found(SHELL_FORM, where, "a shell starts the program and stays in front of it")
