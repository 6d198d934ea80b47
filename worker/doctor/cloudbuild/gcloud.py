"""Are the gcloud commands of cloudbuild.yaml commands that gcloud knows? gcloud itself says.

`gcloud meta lint-gcloud-commands` checks names of commands and flags, and types; it runs offline
and needs no account. One process for all commands, because each takes a second to start.
"""

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild.reading import FILE, Build, Run
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place
from worker.doctor.shell import UNKNOWN

WRONG = Check(
    "gcloud-command-wrong",
    Severity.ERROR,
    "gcloud knows each command and each flag",
    "The step fails, when the steps before it have been done already.",
    "correct it; `gcloud COMMAND --help` lists the flags",
)
CHECKS = (WRONG,)

_VALUE = re.compile(r"(--[\w-]+)=\S*")
_LINT_SECONDS = 120.0
_CERTAIN = ("UnrecognizedArgumentsError", "UnrecognizedCommandError", "RequiredError")
# gcloud's checker takes the next word for the value of a flag before it; these have none.
_ALONE = ("--quiet", "--async", "--allow-unauthenticated", "--to-latest", "--force")


class LintFailed(Exception):
    """gcloud could not check the commands. One line."""


def examine(build: Build, environment: Mapping[str, str]) -> list[Finding]:
    """What gcloud says of the build's commands. Raises LintFailed."""
    runs = [run for run in build.runs() if run.starts("gcloud")]
    texts = [text_of(run.command.words) for run in runs]
    sure = {text for run, text in zip(runs, texts, strict=True) if is_whole(run.command.words)}
    problems = lint(texts, environment, sure) if texts else {}
    return [
        _finding(run, problems[text])
        for run, text in zip(runs, texts, strict=True)
        if text in problems
    ]


def text_of(words: Sequence[str]) -> str:
    """The command as gcloud's checker reads it right: what only the script knows is a 1."""
    known = [word.replace(UNKNOWN, "1").replace("#", "x") for word in words]
    alone = [word for word in known if word in _ALONE or word.startswith("--no-")]
    return shlex.join([word for word in known if word not in alone] + alone)


def is_whole(words: Sequence[str]) -> bool:
    """Whether every word is known: else what gcloud says of a value means nothing."""
    return not any(UNKNOWN in word for word in words)


def lint(
    texts: Sequence[str], environment: Mapping[str, str], sure: Collection[str]
) -> dict[str, str]:
    """Command -> what is wrong with it, for those that are wrong. Raises LintFailed.

    Of a command that is not among `sure` only the names of commands and flags count.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "commands.json"
        path.write_text(json.dumps([{"command_string": text} for text in dict.fromkeys(texts)]))
        answers = _ask(path, environment)
    named = dict(zip(dict.fromkeys(texts), answers, strict=False))
    if len(answers) != len(set(texts)):
        raise LintFailed("gcloud did not answer for each of them")
    return {
        text: str(answer.get("error_message") or "it is wrong").partition("\n")[0]
        for text, answer in named.items()
        if not answer.get("success") and (text in sure or answer.get("error_type") in _CERTAIN)
    }


def _ask(path: Path, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(  # noqa: S603 - no shell, the words are fixed
            ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={path}"],  # noqa: S607 - the user's own
            env={**environment, "CLOUDSDK_CORE_DISABLE_PROMPTS": "1"},
            capture_output=True, text=True, timeout=_LINT_SECONDS, check=False,
        )  # fmt: skip
        answers: list[dict[str, Any]] = json.loads(done.stdout)
    except FileNotFoundError:
        raise LintFailed("gcloud is not installed") from None
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise LintFailed(f"gcloud could not check them: {type(error).__name__}") from None
    return answers


def _finding(run: Run, problem: str) -> Finding:
    """Without the values of the flags that gcloud repeats: one may be a secret."""
    problem = _VALUE.sub(r"\1", problem)
    command = " ".join(run.command.words[:4])
    return found(WRONG, place(FILE, run.command.line), f"{command}...: {problem}")
