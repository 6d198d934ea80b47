"""Every gcloud command that we tell somebody to run, and gcloud's own opinion of its flags."""

import json
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.markdown import PAGES, name_of
from tests.support.server import ROOT
from tests.support.shell import commands
from tests.support.tools import tool

CLOUDBUILD = ROOT / "cloudbuild.yaml"
_SHELLS = ("bash", "sh", "console", "shell")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(gcloud [a-z][^`\n]*)`")
_SUBSTITUTION = re.compile(r"\$(?:\$|\{(_?[A-Z][A-Z0-9_]*)\}|(_?[A-Z][A-Z0-9_]*))")
_UNFINISHED = re.compile("must be specified|argument expected", re.IGNORECASE)
_NUMBER = re.compile(r"([0-9]+)s?")
# Sources: pubsub v1 Subscription, DeadLetterPolicy, RetryPolicy; run v1 RevisionSpec.
_RANGES = {
    "--ack-deadline": (10, 600),
    "--max-delivery-attempts": (5, 100),
    "--min-retry-delay": (0, 600),
    "--max-retry-delay": (0, 600),
    "--concurrency": (1, 1000),
}
_SECONDS = 240.0  # a busy machine; alone it takes a tenth of a second for each command
_NOTHING = "\0"  # a word that is left out: an array, whose words we do not know
_PLAUSIBLE = (
    (
        r"NUMBER|SECONDS|DEADLINE|TIMEOUT|THREADS|CONCURRENCY|ATTEMPTS|LIMIT|INSTANCES|DAYS|PORT",
        "10",
    ),
    (r"DELAY|BACKOFF|DURATION|RETENTION", "10s"),
    (r"REGION|LOCATION", "europe-west1"),
    (r"TRAFFIC|^before$", "a-revision=100"),
    (r"MEMORY", "512Mi"),
    (r"URL|URI|ENDPOINT|AUDIENCE", "https://service.example"),
    (r"RUNTIME|PUSHER|PUBSUB|BUILDER|ACCOUNT|AGENT|EMAIL", "an-account@a-project.example"),
    (r"\[[@*]\]|^[@*]$", _NOTHING),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A gcloud command; `place` is file:line. A `partial` one is mentioned, not to be run."""

    place: str
    words: tuple[str, ...]
    partial: bool = False


def plausible(name: str) -> str:
    """A word that may well be the value of that variable."""
    for pattern, value in _PLAUSIBLE:
        if re.search(pattern, name):
            return value
    return f"a-{name.lower().strip('_').replace('_', '-')}"


def in_script(
    text: str, file: str, line: int = 1, variables: dict[str, str] | None = None
) -> list[Command]:
    """Those of a shell script that begins at that line of the file."""
    found = commands(text, plausible, variables)
    return [
        Command(f"{file}:{line + one.line - 1}", words)
        for one in found
        if (words := _from_gcloud(one.words))
    ]


def _from_gcloud(words: tuple[str, ...]) -> tuple[str, ...]:
    """Without what runs it, as in `timeout 9 gcloud ...`; () where it is no gcloud command."""
    kept = tuple(word for word in words if word != _NOTHING)
    runners = ("timeout", "env", "sudo", "command", "nice", "xargs", "watch")
    if kept and kept[0] in runners and "gcloud" in kept:
        kept = kept[kept.index("gcloud") :]
    return kept if kept and kept[0] == "gcloud" else ()


def in_texts(texts: Iterable[str], where: str = "text") -> list[Command]:
    """Those of scripts and single commands that a program prints: the n-th is `where`[n]."""
    return [one for at, text in enumerate(texts) for one in in_script(text, f"{where}[{at}]")]


def in_pages(pages: Sequence[Path] = tuple(PAGES)) -> list[Command]:
    """Those of the shell blocks of Markdown pages, and those that their prose mentions."""
    return [one for page in pages for one in (*_in_blocks(page), *_in_prose(page))]


def _in_blocks(page: Path) -> Iterator[Command]:
    """What a page assigns holds further down the page."""
    text, variables = page.read_text(), dict[str, str]()
    for fence in _FENCE.finditer(text):
        indent, language, body = fence.groups()
        if language in _SHELLS:
            line = text.count("\n", 0, fence.start()) + 2
            script = re.sub(f"^{indent}", "", body, flags=re.MULTILINE)
            yield from in_script(script, _file(page), line, variables)


def _in_prose(page: Path) -> Iterator[Command]:
    text = page.read_text()
    outside = _FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), text)
    for mention in _INLINE.finditer(outside):
        line = outside.count("\n", 0, mention.start()) + 1
        shown = mention[1].replace("...", "")
        for one in in_script(shown, _file(page), line):
            yield Command(one.place, one.words, partial=True)


def _file(path: Path) -> str:
    return name_of(path) if path.is_relative_to(ROOT) else path.name


def in_cloudbuild(path: Path = CLOUDBUILD) -> list[Command]:
    """Those of a Cloud Build configuration: steps that run gcloud, and the scripts of shells."""
    root = yaml.compose(path.read_text(), yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    document = yaml.safe_load(path.read_text())
    given = {key: str(value) for key, value in document.get("substitutions", {}).items()}
    given = {key: filled(value, given) for key, value in given.items()}  # they name each other
    steps = next(value for key, value in root.value if key.value == "steps")
    return [one for step in steps.value for one in _in_step(step, _file(path), given)]


def _in_step(step: yaml.MappingNode, file: str, given: Mapping[str, str]) -> Iterator[Command]:
    fields = {key.value: value for key, value in step.value}
    entry = fields["entrypoint"].value if "entrypoint" in fields else ""
    image = fields["name"].value.partition(":")[0]
    words = list(fields["args"].value) if "args" in fields else []
    if entry == "gcloud" or (not entry and image.endswith("/gcloud")):
        line = fields["args"].start_mark.line + 1
        yield Command(f"{file}:{line}", ("gcloud", *(filled(one.value, given) for one in words)))
    scripts = [fields["script"]] if "script" in fields else words[-1:]
    if "script" in fields or Path(entry).name in ("bash", "sh"):
        for script in scripts:
            line = script.start_mark.line + (2 if script.style in ("|", ">") else 1)
            yield from in_script(filled(script.value, given), file, line)


def filled(text: str, given: Mapping[str, str]) -> str:
    """The text after Cloud Build's substitutions: built-in ones are made up, $$ is a $."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return "$" if name is None else given.get(name) or plausible(name)

    return _SUBSTITUTION.sub(value, text)


def out_of_range(found: Iterable[Command]) -> list[tuple[Command, str]]:
    """The flags whose number the API would refuse, which gcloud does not look at."""
    return [
        (one, f"{flag} takes {least} to {most}")
        for one in found
        for flag, (least, most) in _RANGES.items()
        for value in _numbers(one, flag)
        if not least <= value <= most
    ]


def _numbers(command: Command, flag: str) -> list[int]:
    values = [word.partition("=")[2] for word in command.words if word.startswith(f"{flag}=")]
    return [int(number[1]) for value in values if (number := _NUMBER.fullmatch(value))]


def lint(found: Sequence[Command]) -> list[tuple[Command, str]]:
    """What gcloud says against them, the first line of it; asked once for all.

    It looks at groups, flags and the types of values, offline. It takes `--quiet NAME` for a flag
    with a value, and a # for the end: flags without one come last, and a # is replaced.
    """
    lines = {one: _line(one).replace("#", "_") for one in found}
    said = _said(list(dict.fromkeys(lines.values())))
    return [(one, why) for one in found if (why := _complaint(one, said[lines[one]]))]


def _line(command: Command) -> str:
    """With the values of flags quoted, not the flags: gcloud looks for two dashes after a blank."""
    words = (
        f"{word.partition('=')[0]}={shlex.quote(word.partition('=')[2])}"
        if word.startswith("--") and "=" in word
        else shlex.quote(word)
        for word in command.words
    )
    return " ".join(words)


def _said(lines: list[str]) -> dict[str, dict[str, Any]]:
    """gcloud's verdict on each."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "commands.json"
        file.write_text(json.dumps([{"command_string": line} for line in lines]))
        done = subprocess.run(
            [tool("gcloud"), "meta", "lint-gcloud-commands", f"--commands-file={file}"],
            capture_output=True, text=True, timeout=_SECONDS, check=False,
            env=_environment(folder),
        )  # fmt: skip
    assert done.stdout.startswith("["), done.stderr
    return dict(zip(lines, json.loads(done.stdout), strict=True))


def _environment(folder: str) -> dict[str, str]:
    """No account, no project and no question of the one who runs this."""
    return {
        **os.environ,
        "CLOUDSDK_CONFIG": folder,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_FILE_LOGGING": "true",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    }


def _complaint(command: Command, answer: Mapping[str, Any]) -> str:
    """What is only mentioned need not be whole."""
    why = str(answer["error_message"] or "").strip().partition("\n")[0]
    if answer["success"] or (command.partial and _UNFINISHED.search(why)):
        return ""
    return why or "gcloud does not take it"
