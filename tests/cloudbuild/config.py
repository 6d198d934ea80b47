"""A build configuration as Cloud Build takes it: substitutions replaced, or refused with a reason.

Sources: Cloud Build, substituting variable values; the open-sourced cloud-build-local (subst.go).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))")
BUILD_ID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
# In each build, whoever started it.
ALWAYS = {
    "PROJECT_ID": "demo-project",
    "PROJECT_NUMBER": "123456789",
    "BUILD_ID": BUILD_ID,
    "LOCATION": "global",
}
# Empty in a build that was submitted from a folder.
OF_A_TRIGGER = ("COMMIT_SHA", "SHORT_SHA", "REVISION_ID", "BRANCH_NAME", "TAG_NAME", "REPO_NAME")
A_COMMIT = {"SHORT_SHA": "5f0c1de", "COMMIT_SHA": "5f0c1de0" * 5, "BRANCH_NAME": "main"}
_DEEPEST = 10  # substitutions that refer to each other


class BuildRefused(Exception):
    """Cloud Build would not start this build, and why."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step, with everything replaced. `waits_for` holds ids; all of them must have ended."""

    id: str
    image: str
    program: str = ""  # "" is the image's own
    args: tuple[str, ...] = ()
    folder: str = ""  # where it runs; "" is /workspace
    waits_for: tuple[str, ...] = ()
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """A build that Cloud Build takes."""

    steps: tuple[Step, ...]
    images: tuple[str, ...] = ()
    account: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def step(self, wanted: str) -> Step:
        """The step of that id."""
        return next(step for step in self.steps if step.id == wanted)

    def before(self, wanted: str) -> set[str]:
        """The ids of all steps that have ended when this one starts, whatever takes how long."""
        found: set[str] = set()
        for waited in self.step(wanted).waits_for:
            found |= {waited} | self.before(waited)
        return found

    def only(self, *wanted: str) -> "Build":
        """The same build with these steps alone, which wait for nobody."""
        kept = [replace(step, waits_for=()) for step in self.steps if step.id in wanted]
        return replace(self, steps=tuple(kept))


@dataclass(frozen=True, slots=True)
class Values:
    """What the names stand for. Each name that was asked for is remembered in `used`."""

    of: Mapping[str, str]
    used: set[str] = field(default_factory=set)

    def into(self, text: str) -> str:
        """The text as a step gets it. Raises BuildRefused for a name that nobody knows."""
        return REFERENCE.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name = found[2] or found[3]
        if name not in self.of:
            raise BuildRefused(f"{name} is no built-in substitution, and was not given")
        self.used.add(name)
        return self.of[name]


def read_build(
    text: str, given: Mapping[str, str] | None = None, trigger: Mapping[str, str] | None = None
) -> Build:
    """The build in a cloudbuild.yaml. Raises BuildRefused.

    `given` are --substitutions, or those of the trigger; `trigger` is what a trigger adds to them:
    without it the names of commits are empty, and each substitution has to be used.
    """
    config = yaml.safe_load(text)
    own = {**config.get("substitutions", {}), **(given or {})}
    values = _values(own, trigger or {}, config.get("options", {}))
    body = _into(values, {name: config[name] for name in config if name != "substitutions"})
    unused = set(own) - values.used
    if unused and trigger is None:
        raise BuildRefused(f"{', '.join(sorted(unused))}: given, and not used")
    return Build(
        tuple(_steps(body["steps"])),
        tuple(body.get("images", ())),
        body.get("serviceAccount", ""),
        body.get("options", {}),
    )


def _values(own: Mapping[str, str], trigger: Mapping[str, str], options: Any) -> Values:
    wrong = [name for name in own if not re.fullmatch(r"_[A-Z0-9_]+", name)]
    if wrong:
        raise BuildRefused(f"{', '.join(wrong)}: a user's substitution begins with _")
    values = Values({**dict.fromkeys(OF_A_TRIGGER, ""), **ALWAYS, **trigger, **own})
    for _ in range(_DEEPEST if options.get("dynamicSubstitutions") else 0):
        of = {
            name: values.into(value) if name in own else value for name, value in values.of.items()
        }
        values = Values(of, values.used)
    return values


def _into(values: Values, node: Any) -> Any:
    """Every text of it replaced, but that of `script`, which Cloud Build leaves alone."""
    if isinstance(node, dict):
        return {name: one if name == "script" else _into(values, one) for name, one in node.items()}
    if isinstance(node, list):
        return [_into(values, one) for one in node]
    return values.into(node) if isinstance(node, str) else node


def _steps(found: list[dict[str, Any]]) -> Iterator[Step]:
    earlier: list[str] = []
    for number, step in enumerate(found):
        name = step.get("id", f"step {number}")
        waits_for = [one for one in step.get("waitFor", earlier) if one != "-"]
        unknown = [one for one in waits_for if one not in earlier]
        if unknown:
            raise BuildRefused(
                f"{name} waits for {', '.join(unknown)}: no earlier step is called so"
            )
        earlier.append(name)
        yield Step(
            name, step["name"], step.get("entrypoint", ""), tuple(step.get("args", ())),
            step.get("dir", ""), tuple(waits_for), bool(step.get("allowFailure")),
        )  # fmt: skip
