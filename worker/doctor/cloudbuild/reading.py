"""cloudbuild.yaml as values: its steps, its substitutions, and the commands that it runs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from worker.doctor.shell import Command, commands, is_shell, script_of
from worker.doctor.yamlnode import Node, read_yaml

FILE = "cloudbuild.yaml"
# What Cloud Build replaces; any other $ stays. Source: subst.go of cloud-build-local.
REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Z_][A-Z0-9_]*)\}|([A-Z_][A-Z0-9_]*))")
ALWAYS = frozenset({
    "PROJECT_ID", "PROJECT_NUMBER", "BUILD_ID", "LOCATION", "SERVICE_ACCOUNT",
    "SERVICE_ACCOUNT_EMAIL",
})  # fmt: skip
# Empty in a build that no trigger started. The last ones are those of a pull request.
OF_A_TRIGGER = frozenset({
    "TRIGGER_NAME", "TRIGGER_BUILD_CONFIG_PATH", "COMMIT_SHA", "REVISION_ID", "SHORT_SHA",
    "REPO_NAME", "REPO_FULL_NAME", "BRANCH_NAME", "TAG_NAME", "REF_NAME",
    "_HEAD_BRANCH", "_BASE_BRANCH", "_HEAD_REPO_URL", "_PR_NUMBER",
})  # fmt: skip
_GCLOUD = re.compile(r"(cloud-sdk|google-cloud-cli|cloud-builders/gcloud)(:|@|$)")
_DOCKER = re.compile(r"cloud-builders/docker(:|@|$)")
_NUMBER = "123456789012"
_DEEPEST = 5  # substitutions that refer to each other


@dataclass(frozen=True, slots=True)
class Run:
    """A command of a step; its line is in cloudbuild.yaml."""

    step: int
    command: Command

    def starts(self, *words: str) -> bool:
        """Whether these are its first words; `alpha` and `beta` do not count."""
        mine = [word for word in self.command.words if word not in ("alpha", "beta")]
        return tuple(mine[: len(words)]) == words


@dataclass(frozen=True)
class Build:
    """A build configuration. What is not as it should be is empty here, and a finding elsewhere."""

    root: Node

    @property
    def steps(self) -> tuple[Node, ...]:
        """The steps that are mappings."""
        return tuple(step for step in self.root.get_list("steps") if step.kind == "map")

    @property
    def substitutions(self) -> Mapping[str, Node]:
        """The user's own, with their defaults."""
        node = self.root.get("substitutions")
        return node.items if node else {}

    @property
    def options(self) -> Node:
        """`options`, an empty mapping where there is none."""
        return self.root.get("options") or Node("map", 1)

    def expand(self, text: str, depth: int = 0) -> str:
        """The text with the user's substitutions by their defaults; the rest stays as it is."""

        def value(match: re.Match[str]) -> str:
            own = self.substitutions.get(match[2] or match[3] or "")
            if own is None or depth >= _DEEPEST:
                return match[0]
            return self.expand(own.text, depth + 1)

        return REFERENCE.sub(value, text)

    def resolve(self, text: str) -> str:
        """The text as a step gets it when the defaults hold; a built-in has a made-up value."""
        return REFERENCE.sub(
            lambda match: match[1] or _stand_in(match[2] or match[3]), self.expand(text)
        )

    def runs(self) -> Iterator[Run]:
        """Every command of the steps whose program is known, those inside of scripts too."""
        for index, step in enumerate(self.steps):
            for command in self._commands(step):
                yield Run(index, command)

    def _commands(self, step: Node) -> Iterator[Command]:
        if script := step.get("script"):  # Cloud Build replaces nothing in it
            yield from _moved(commands(script.text), script.text_line)
            return
        nodes = step.get_list("args")
        program = self.resolve(step.get_text("entrypoint")) or _program(step.get_text("name"))
        words = [self.resolve(node.text) for node in nodes]
        inside = script_of(words) if is_shell(program) else None
        if inside is not None:
            yield from _moved(commands(words[inside]), nodes[inside].text_line)
        elif program:
            yield Command((program, *words), step.line)


def read_build(text: str) -> Build:
    """The configuration in the text. Raises Unreadable when it is no YAML."""
    return Build(read_yaml(text))


def _stand_in(name: str) -> str:
    """Fits wherever the built-in's value does: `project-id` is a project's id."""
    return _NUMBER if name == "PROJECT_NUMBER" else name.lower().replace("_", "-").strip("-")


def _moved(found: list[Command], first_line: int) -> Iterator[Command]:
    for command in found:
        yield Command(command.words, first_line + command.line - 1)


def _program(image: str) -> str:
    """What an image runs without an entrypoint, "" when that is not known here."""
    if _GCLOUD.search(image):
        return "gcloud"
    return "docker" if _DOCKER.search(image) else ""
