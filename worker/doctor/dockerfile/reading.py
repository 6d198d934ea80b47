"""A Dockerfile as instructions with their lines, in stages. Source: Dockerfile reference."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from worker.doctor.folder import Unreadable

FILE = "Dockerfile"
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?$", re.DOTALL)
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?\s+")
_ESCAPE = re.compile(r"#\s*escape\s*=\s*([\\`])\s*$", re.IGNORECASE)
_HEREDOC = re.compile(r"<<-?(['\"]?)(\w+)\1")
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::[-+][^}]*)?\}|(\w+))")
_KNOWN = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip
_WITH_HEREDOC = ("RUN ", "COPY", "ADD ")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continuation lines joined; `stage` counts the FROMs."""

    name: str  # in capitals
    value: str
    flags: Mapping[str, str]
    line: int
    stage: int

    def exec_form(self) -> list[str] | None:
        """The words of `["a", "b"]`, None for the shell form."""
        try:
            words = json.loads(self.value)
        except ValueError:
            return None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
        return None

    def words(self) -> list[str]:
        """The words of the value, without their quotes."""
        try:
            return shlex.split(self.value)
        except ValueError:
            return self.value.split()


@dataclass(frozen=True)
class Dockerfile:
    """All instructions, in order."""

    instructions: tuple[Instruction, ...]

    def named(self, *names: str) -> Iterator[Instruction]:
        """The instructions of these names."""
        return (one for one in self.instructions if one.name in names)

    @property
    def last_stage(self) -> int:
        """The stage that becomes the image."""
        return max((one.stage for one in self.instructions), default=0)

    def final(self, *names: str) -> Instruction | None:
        """The last of these instructions in the stage that becomes the image, or below it."""
        stages = self._lineage()
        return next(
            (i for i in reversed(self.instructions) if i.name in names and i.stage in stages), None
        )

    def variables(self, instruction: Instruction) -> Iterator[tuple[str, str]]:
        """What an ENV, ARG or LABEL sets: name and value, "" for an ARG without a default."""
        words = instruction.words()
        if instruction.name == "ENV" and words and "=" not in words[0]:
            yield words[0], " ".join(words[1:])  # the old form: ENV NAME the value
            return
        for word in words:
            name, _, value = word.partition("=")
            yield name, value

    def resolve(self, text: str) -> str:
        """The text with the defaults of the ARGs before the first FROM."""
        defaults = {
            name: value
            for one in self.named("ARG")
            if one.stage == 0
            for name, value in self.variables(one)
        }
        return _REFERENCE.sub(lambda match: defaults.get(match[1] or match[2], match[0]), text)

    def bases(self) -> Iterator[tuple[Instruction, str]]:
        """Each FROM of an image from elsewhere, and the image's name with the defaults."""
        stages = {"scratch"}
        for one in self.named("FROM"):
            words = one.words()
            image = self.resolve(words[0]) if words else ""
            if image.lower() not in stages:
                yield one, image
            if len(words) == 3 and words[1].lower() == "as":  # noqa: PLR2004 - IMAGE AS NAME
                stages.add(words[2].lower())

    def _lineage(self) -> set[int]:
        """The last stage, and the stages that it begins from."""
        names: dict[str, int] = {}
        below: dict[int, int] = {}
        for one in self.named("FROM"):
            words = [word.lower() for word in one.words()]
            if words and words[0] in names:
                below[one.stage] = names[words[0]]
            if len(words) == 3 and words[1] == "as":  # noqa: PLR2004 - IMAGE AS NAME
                names[words[2]] = one.stage
        stages, stage = set(), self.last_stage
        while stage and stage not in stages:
            stages.add(stage)
            stage = below.get(stage, 0)
        return stages


def read_dockerfile(text: str) -> Dockerfile:
    """The instructions in the text. Raises Unreadable with the line."""
    found: list[Instruction] = []
    stage = 0
    for line, logical in _logical_lines(text):
        match = _INSTRUCTION.match(logical)
        name = match[1].upper() if match else ""
        if not match or name not in _KNOWN:
            raise Unreadable("has a line that is no instruction", line)
        stage += name == "FROM"
        if not stage and name != "ARG":
            raise Unreadable("has an instruction before FROM", line)
        found.append(_with_flags(Instruction(name, (match[2] or "").strip(), {}, line, stage)))
    if not stage:
        raise Unreadable("has no FROM")
    return Dockerfile(tuple(found))


def _with_flags(instruction: Instruction) -> Instruction:
    value, flags = instruction.value, {}
    while match := _FLAG.match(value):
        flags[match[1]] = match[2] or ""
        value = value[match.end() :]
    return replace(instruction, value=value, flags=flags)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Instructions as one line each, with the number of their first line; without comments."""
    lines = text.splitlines()
    escape = next((m[1] for m in map(_ESCAPE.match, lines[:1]) if m), "\\")
    joined: list[str] = []
    first = 0
    rest = iter(enumerate(lines, 1))
    for number, line in rest:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        first = first if joined else number
        more = line.rstrip().endswith(escape)
        joined.append(line.rstrip()[:-1] if more else line)
        if more:
            continue
        whole, joined = " ".join(joined), []
        for match in (
            _HEREDOC.finditer(whole) if whole.lstrip()[:4].upper() in _WITH_HEREDOC else ()
        ):
            whole += "\n" + "\n".join(_until(rest, match[2]))
        yield first, whole
    if joined:
        yield first, " ".join(joined)


def _until(lines: Iterator[tuple[int, str]], end: str) -> Iterator[str]:
    for _, line in lines:
        if line.strip() == end:
            return
        yield line
