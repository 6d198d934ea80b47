"""What `gcloud run deploy` gives the worker, read from its flags in cloudbuild.yaml."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from worker.config import Settings
from worker.doctor.cloudbuild.order import DEPLOY, option
from worker.doctor.cloudbuild.reading import FILE, Build
from worker.doctor.folder import Folder, Unreadable, place
from worker.doctor.shell import UNKNOWN
from worker.doctor.yamlnode import read_yaml

# What Cloud Run takes when a flag is missing. Source: its documentation of each setting.
_CONCURRENCY = 80
_TIMEOUT_SECONDS = 300
_MEMORY_MIB = 512
_MAX_INSTANCES = 100
_UNITS = {
    "": Fraction(1, 2**20), "k": Fraction(10**3, 2**20), "Ki": Fraction(1, 2**10),
    "M": Fraction(10**6, 2**20), "Mi": Fraction(1), "G": Fraction(10**9, 2**20),
    "Gi": Fraction(2**10),
}  # fmt: skip
_MEMORY = re.compile(r"(\d{1,12})(Ki|Mi|Gi|k|M|G|)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "": 1}
_TIMEOUT = re.compile(r"(\d{1,9})([smh]?)")
_ENVIRONMENT = ("--set-env-vars", "--update-env-vars")


@dataclass(frozen=True)
class Deployed:
    """A service as a deploy command makes it. None: only the running script knows the value."""

    words: Sequence[str]
    where: str
    environment: Mapping[str, str | None]  # variable -> value
    partly: bool = False  # variables that were set before stay: --update-env-vars alone

    def flag(self, name: str, default: str = "") -> str | None:
        """The value of `--name`, the default without the flag."""
        value = option(self.words, f"--{name}") or default
        return None if UNKNOWN in value else value

    def says(self, name: str) -> bool:
        """Whether the words have the flag, with or without a value."""
        return any(word == f"--{name}" or word.startswith(f"--{name}=") for word in self.words)

    def variable(self, name: str, default: str = "") -> str | None:
        """What the worker gets, `default` where nothing is set."""
        if self.partly and name not in self.environment:
            return None
        return self.environment.get(name, default)

    def setting(self, name: str) -> int | None:
        """A setting of the worker that is a number; the worker's default where it is not set."""
        text = self.variable(name, str(Settings.model_fields[name.lower()].default))
        return int(text) if text and text.isdecimal() else None

    @property
    def public(self) -> bool | None:
        """Whether everybody may call it; None when no flag says it."""
        if self.says("allow-unauthenticated"):
            return option(self.words, "--allow-unauthenticated") != "false"
        if self.says("no-invoker-iam-check"):
            return True
        return False if self.says("no-allow-unauthenticated") else None

    @property
    def concurrency(self) -> int | None:
        """Requests that an instance gets at the same time."""
        return _number(self.flag("concurrency", str(_CONCURRENCY)), _CONCURRENCY)

    @property
    def max_instances(self) -> int | None:
        """Most instances."""
        return _number(self.flag("max-instances", str(_MAX_INSTANCES)), _MAX_INSTANCES)

    @property
    def timeout_seconds(self) -> int | None:
        """Cloud Run's request timeout."""
        match = _TIMEOUT.fullmatch(self.flag("timeout", str(_TIMEOUT_SECONDS)) or "")
        return int(match[1]) * _SECONDS[match[2]] if match else None

    @property
    def memory_mib(self) -> int | None:
        """Memory of an instance."""
        match = _MEMORY.fullmatch(self.flag("memory", f"{_MEMORY_MIB}Mi") or "")
        return int(int(match[1]) * _UNITS[match[2]]) if match else None

    @property
    def places(self) -> int | None:
        """Handlers that an instance runs at the same time."""
        threads, processes = self.setting("HANDLER_THREADS"), self.setting("WORKERS")
        return threads * processes if threads and processes else None


def deployments(build: Build, folder: Folder) -> list[Deployed]:
    """Every deployment in cloudbuild.yaml. Raises Unreadable for a bad --env-vars-file."""
    return [
        _deployed(run.command.words, place(FILE, run.command.line), folder)
        for run in build.runs()
        if run.starts(*DEPLOY)
    ]


def _deployed(words: Sequence[str], where: str, folder: Folder) -> Deployed:
    environment: dict[str, str | None] = {}
    if path := option(words, "--env-vars-file"):
        environment |= _of_file(path, folder)
    for flag in _ENVIRONMENT:
        for name, value in _pairs(option(words, flag)):
            environment[name] = None if UNKNOWN in value else value
    whole = bool(option(words, "--set-env-vars") or path)
    updates = bool(option(words, "--update-env-vars"))
    return Deployed(words, where, environment, partly=updates and not whole)


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """`A=1,B=2`, or `^;^A=1;B=2` with a separator of its own. Source: gcloud topic escaping."""
    separator = ","
    if text.startswith("^") and "^" in text[1:]:
        separator, _, text = text[1:].partition("^")
    for one in text.split(separator or ","):
        name, equals, value = one.partition("=")
        if equals and name:
            yield name, value


def _of_file(path: str, folder: Folder) -> dict[str, str | None]:
    if UNKNOWN in path:
        return {}
    try:
        text = folder.text(path)
        node = None if text is None else read_yaml(text)
    except Unreadable as error:
        raise Unreadable(f"{path}, which --env-vars-file names, {error}", error.line) from None
    if node is None:
        raise Unreadable(f"{path}, which --env-vars-file names, is not there")
    return {name: value.text for name, value in node.items.items()}


def _number(text: str | None, default: int) -> int | None:
    if text == "default":
        return default
    return int(text) if text and text.isdecimal() else None
