"""Does every $ of cloudbuild.yaml mean what it looks like?

Cloud Build replaces $NAME and ${NAME} in capitals before a shell sees them, in every field but
`script`. A build that was submitted by hand has no commit, so names of commits are empty then.
"""

import difflib
import re
from collections.abc import Iterator

from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild.reading import ALWAYS, FILE, OF_A_TRIGGER, REFERENCE, Build
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place
from worker.doctor.shell import is_shell
from worker.doctor.yamlnode import Node

UNESCAPED = Check(
    "shell-variable-unescaped",
    Severity.ERROR,
    "a shell's variables are written with $$",
    "Cloud Build takes $NAME for a substitution of its own and refuses the build, "
    "or puts nothing there.",
    "write $$NAME, which reaches the shell as $NAME",
)
UNKNOWN = Check(
    "substitution-unknown",
    Severity.ERROR,
    "each substitution has a default",
    "A plain `gcloud builds submit` is refused; in a triggered build it is empty.",
    "declare it under substitutions, or correct its name",
)
UNUSED = Check(
    "substitution-unused",
    Severity.ERROR,
    "each declared substitution is used",
    "Cloud Build refuses a submitted build that has one which nothing uses.",
    "use it, or remove it",
)
BAD_NAME = Check(
    "substitution-name",
    Severity.ERROR,
    "a substitution is named _LIKE_THIS",
    "Cloud Build refuses names that do not begin with an underscore, or are not in capitals.",
    "rename it: _, then A-Z, 0-9 and _",
)
EMPTY = Check(
    "substitution-empty",
    Severity.ERROR,
    "no image is named after a commit that may not be there",
    "Without a trigger the name is empty: the image would be `name:`, and the build fails.",
    "use $BUILD_ID, or a substitution of your own whose default is $BUILD_ID "
    "(with dynamicSubstitutions)",
)
NOT_DYNAMIC = Check(
    "substitution-not-dynamic",
    Severity.ERROR,
    "substitutions refer to each other only with dynamicSubstitutions",
    "Without the option the $ of the default stays as it is in every field.",
    "add `dynamicSubstitutions: true` under options",
)
IN_SCRIPT = Check(
    "substitution-in-script",
    Severity.ERROR,
    "a `script` gets its substitutions as variables",
    "Cloud Build replaces nothing in `script`: the shell finds an empty variable.",
    "add `automapSubstitutions: true` to the step, or the variable to its env",
)
CHECKS = (UNESCAPED, UNKNOWN, UNUSED, BAD_NAME, EMPTY, NOT_DYNAMIC, IN_SCRIPT)

_NAME = re.compile(r"_[A-Z0-9_]+")
_IMAGE = re.compile(r"(?:docker\.pkg\.dev|gcr\.io)/[^\s,]*")
_YES = ("true", "True", "TRUE")


def examine(build: Build) -> Iterator[Finding]:
    """What does not mean what it looks like."""
    if build.root.kind != "map":
        return
    for name, node in build.substitutions.items():
        if not _NAME.fullmatch(name):
            yield found(BAD_NAME, place(FILE, node.line), f"{name[:60]!r} is no name for one")
    for node, in_shell in _fields(build):
        yield from _references(build, node, in_shell=in_shell)
        yield from _empty(build, node)
    yield from _dynamic(build)
    for step in build.steps:
        yield from _script(build, step)
    yield from _unused(build)


def _fields(build: Build) -> Iterator[tuple[Node, bool]]:
    """Every text in which Cloud Build replaces names, and whether a shell reads it."""
    for name, node in build.root.items.items():
        if name not in ("steps", "substitutions"):
            yield from ((one, False) for one in node.scalars())
    for step in build.steps:
        in_shell = is_shell(step.get_text("entrypoint"))
        for name, node in step.items.items():
            if name != "script":
                yield from ((one, in_shell and name == "args") for one in node.scalars())


def _names(text: str) -> Iterator[tuple[str, int]]:
    """The names that Cloud Build replaces in a text, and how many lines down they are."""
    for match in REFERENCE.finditer(text):
        if not match[1]:
            yield match[2] or match[3], text.count("\n", 0, match.start())


def _references(build: Build, node: Node, *, in_shell: bool) -> Iterator[Finding]:
    for name, below in dict(_names(node.text)).items():
        if name in build.substitutions or name in ALWAYS | OF_A_TRIGGER:
            continue
        where = place(FILE, node.text_line + below)
        if in_shell and not name.startswith("_"):
            fix = f"write $${name}, which reaches the shell as ${name}"
            yield found(UNESCAPED, where, f"${name} is no substitution of Cloud Build", fix)
            continue
        near = difflib.get_close_matches(name, {*build.substitutions, *ALWAYS}, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        yield found(UNKNOWN, where, f"{name} is no built-in and has no default{meant}")


def _empty(build: Build, node: Node) -> Iterator[Finding]:
    for image in _IMAGE.findall(build.expand(node.text)):
        for name in sorted(dict(_names(image)).keys() & OF_A_TRIGGER):
            defaults = (one for one in build.substitutions.values() if name in one.text)
            where = next(defaults, node)
            yield found(EMPTY, place(FILE, where.text_line), f"an image's name needs ${name}")


def _dynamic(build: Build) -> Iterator[Finding]:
    options = build.options
    if options.get_text("dynamicSubstitutions") in _YES:
        return
    for name, node in build.substitutions.items():
        if dict(_names(node.text)):
            yield found(NOT_DYNAMIC, place(FILE, node.line), f"{name} refers to another one")


def _script(build: Build, step: Node) -> Iterator[Finding]:
    script = step.get("script")
    if not script or _automapped(build, step):
        return
    given = [*step.get_list("env"), *build.options.get_list("env")]
    known = {one.text.partition("=")[0] for one in given}
    for name, below in dict(_names(script.text)).items():
        ours = name in build.substitutions or name in ALWAYS | OF_A_TRIGGER
        if ours and name not in known and not re.search(rf"^\s*{name}=", script.text, re.MULTILINE):
            where = place(FILE, script.text_line + below)
            yield found(IN_SCRIPT, where, f"${name} is not known to the script")


def _automapped(build: Build, step: Node) -> bool:
    own = step.get("automapSubstitutions")
    return (own or build.options.get("automapSubstitutions") or Node("bool", 0)).text in _YES


def _unused(build: Build) -> Iterator[Finding]:
    if build.options.get_text("substitutionOption") == "ALLOW_LOOSE":
        return
    texts = [node.text for node, _ in _fields(build)]
    texts += [node.text for node in build.substitutions.values()]
    texts += [step.get_text("script") for step in build.steps if _automapped(build, step)]
    used = {name for text in texts for name, _ in _names(text)}
    for name, node in build.substitutions.items():
        if name not in used and _NAME.fullmatch(name):
            yield found(UNUSED, place(FILE, node.line), f"nothing uses {name}")
