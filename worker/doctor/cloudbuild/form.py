"""Is cloudbuild.yaml a build configuration, with steps that fit together?"""

import re
from collections.abc import Iterator

from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild.reading import FILE, Build
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place
from worker.doctor.yamlnode import Node

MALFORMED = Check(
    "cloudbuild-malformed",
    Severity.ERROR,
    "cloudbuild.yaml is a build configuration",
    "Cloud Build refuses the build, or leaves out what it does not know.",
    "correct the line; "
    "https://cloud.google.com/build/docs/build-config-file-schema lists the fields",
)
WAITS_FOR_UNKNOWN = Check(
    "step-waits-for-unknown",
    Severity.ERROR,
    "each waitFor names an earlier step",
    "Cloud Build refuses a build whose steps wait for an id that no earlier step has.",
    "name an earlier step's id, or `-` to start at once",
)
DUPLICATE_ID = Check(
    "step-id-twice",
    Severity.ERROR,
    "each step has an id of its own",
    "Cloud Build refuses a build with two steps of the same id.",
    "rename one of them",
)
SCRIPT_AND_ARGS = Check(
    "step-script-and-args",
    Severity.ERROR,
    "a step has a script, or an entrypoint and args",
    "Cloud Build refuses a step that has both.",
    "keep one of them",
)
LOGGING_MISSING = Check(
    "build-logs-nowhere",
    Severity.ERROR,
    "a build with an account of its own says where its log goes",
    "Cloud Build refuses a build with serviceAccount that does not say it: "
    "the account may not write to the default bucket.",
    "add `logging: CLOUD_LOGGING_ONLY` under options",
)
SECRET_UNAVAILABLE = Check(
    "build-secret-unavailable",
    Severity.ERROR,
    "each secretEnv is in availableSecrets",
    "Cloud Build refuses a step that wants a secret which the build does not have.",
    "add it under availableSecrets, or remove it from secretEnv",
)
CHECKS = (
    MALFORMED, WAITS_FOR_UNKNOWN, DUPLICATE_ID, SCRIPT_AND_ARGS, LOGGING_MISSING,
    SECRET_UNAVAILABLE,
)  # fmt: skip

_DURATION = re.compile(r"\d+(\.\d{1,9})?s")
_TEXTS = ("name", "id", "entrypoint", "dir", "script")
_LISTS = ("args", "env", "secretEnv", "waitFor")
_STEP = {
    *_TEXTS, *_LISTS, "timeout", "volumes", "allowFailure", "allowExitCodes", "pullTiming",
    "automapSubstitutions", "results", "remoteConfig", "timing", "status", "exitCode",
}  # fmt: skip
_BUILD = {
    "steps", "timeout", "queueTtl", "logsBucket", "options", "substitutions", "tags", "images",
    "serviceAccount", "secrets", "availableSecrets", "artifacts", "dependencies", "source",
    "gitConfig",
}  # fmt: skip
_LOGGING = ("CLOUD_LOGGING_ONLY", "NONE")


def examine(build: Build) -> Iterator[Finding]:
    """What does not fit, from top to bottom."""
    if build.root.kind != "map":
        yield _malformed(build.root, "is no mapping with steps")
        return
    yield from _unknown_fields(build.root, _BUILD)
    yield from _duration(build.root, "timeout")
    yield from _duration(build.root, "queueTtl")
    steps = build.root.get("steps")
    if steps is None or steps.kind != "seq" or not steps.elements:
        yield _malformed(steps or build.root, "has no list of steps")
        return
    for step in steps.elements:
        yield from _step(step)
    yield from _ids(build)
    yield from _logging(build)
    yield from _secrets(build)


def _step(step: Node) -> Iterator[Finding]:
    if step.kind != "map":
        yield _malformed(step, "has a step that is no mapping")
        return
    yield from _unknown_fields(step, _STEP)
    yield from _duration(step, "timeout")
    if not step.get_text("name"):
        yield _malformed(step, "has a step without the name of an image")
    for name in _TEXTS:
        node = step.get(name)
        if node and node.kind != "str":
            yield _malformed(node, f"wants a text for {name}; quote it")
    for name in _LISTS:
        yield from _list(step, name)
    if step.get("script") and (step.get("args") or step.get("entrypoint")):
        yield found(SCRIPT_AND_ARGS, place(FILE, step.line), f"{_called(step)} has both")


def _list(step: Node, name: str) -> Iterator[Finding]:
    node = step.get(name)
    if node and node.kind != "seq":
        yield _malformed(node, f"wants a list for {name}")
    for one in step.get_list(name):
        if one.kind != "str":
            yield _malformed(one, f"wants texts in {name}; quote them")


def _unknown_fields(node: Node, known: set[str]) -> Iterator[Finding]:
    for name, value in node.items.items():
        if name not in known:
            yield _malformed(value, f"has {name[:40]!r}, which is no field")


def _duration(node: Node, name: str) -> Iterator[Finding]:
    value = node.get(name)
    if value and not (value.kind == "str" and _DURATION.fullmatch(value.text)):
        yield _malformed(value, f"wants seconds for {name}, as in 1200s")


def _ids(build: Build) -> Iterator[Finding]:
    earlier: set[str] = set()
    for step in build.steps:
        for waited in step.get_list("waitFor"):
            if waited.text != "-" and waited.text not in earlier:
                what = f"{_called(step)} waits for {waited.text!r}, which no earlier step is called"
                yield found(WAITS_FOR_UNKNOWN, place(FILE, waited.line), what)
        name = step.get_text("id")
        if name in earlier:
            yield found(DUPLICATE_ID, place(FILE, step.line), f"a second step is called {name!r}")
        earlier |= {name} - {""}


def _logging(build: Build) -> Iterator[Finding]:
    account = build.root.get("serviceAccount")
    options = build.options
    says = (
        build.root.get_text("logsBucket")
        or options.get_text("logging") in _LOGGING
        or options.get_text("defaultLogsBucketBehavior")
    )
    if account and not says:
        what = "serviceAccount is set, and neither options.logging nor logsBucket"
        yield found(LOGGING_MISSING, place(FILE, account.line), what)


def _secrets(build: Build) -> Iterator[Finding]:
    available = build.root.get("availableSecrets") or Node("map", 1)
    managed = {one.get_text("env") for one in available.get_list("secretManager")}
    inline = [one.get("envMap") for one in available.get_list("inline")]
    known = managed | {name for node in inline if node for name in node.items}
    for step in (*build.steps, build.options):
        for secret in step.get_list("secretEnv"):
            if secret.text not in known:
                what = f"{secret.text} is in secretEnv and not in availableSecrets"
                yield found(SECRET_UNAVAILABLE, place(FILE, secret.line), what)


def _called(step: Node) -> str:
    name = step.get_text("id")
    return f"the step {name!r}" if name else "a step"


def _malformed(node: Node, what: str) -> Finding:
    return found(MALFORMED, place(FILE, node.line), f"{FILE} {what}")
