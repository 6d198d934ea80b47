"""Reading deploy.toml: all of it or nothing, with every problem in one line."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from worker.deployment.model import Deployment

FILE = "deploy.toml"
_SHOWN = 40  # characters of the name of a setting that there is not

# Each pair would be one topic, one subscription or one account with two meanings.
_DISTINCT = (
    ("topic", "dead_letter_topic"),
    ("topic", "quarantine_topic"),
    ("dead_letter_topic", "quarantine_topic"),
    ("subscription", "dead_letter_topic"),
    ("subscription", "quarantine_topic"),
    ("runtime_account", "push_account"),
    ("runtime_account", "build_account"),
    ("push_account", "build_account"),
)


class DeploymentInvalid(Exception):
    """deploy.toml makes no deployment. One line that names every problem.

    `project_unknown`: nobody says which project, be there other problems or not.
    """

    def __init__(self, reason: str, *, project_unknown: bool = False) -> None:
        super().__init__(reason)
        self.project_unknown = project_unknown


def read_deployment(path: Path | None = None, **given: Any) -> Deployment:
    """deploy.toml, or the file at `path`; what is `given` and not None has precedence.

    Without a `path` the file may be missing: then the defaults hold. Raises DeploymentInvalid.
    """
    file = path or Path(FILE)
    found = _parsed(file, _read(file, needed=path is not None))
    found |= {name: value for name, value in given.items() if value is not None}
    if not found.get("project"):
        found["project"] = os.environ.get("GOOGLE_CLOUD_PROJECT") or None
    try:
        deployment = Deployment.model_validate(found)
    except ValidationError as error:
        problems = [_problem(one["loc"], found) for one in error.errors()]
    else:
        problems = list(_clashes(deployment))
    if problems:
        reason = f"{file}: {'; '.join(dict.fromkeys(problems))}"
        raise DeploymentInvalid(reason, project_unknown=not found["project"])
    return deployment


def _read(file: Path, *, needed: bool) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        if needed:
            raise DeploymentInvalid(f"{file} is not there") from None
        return ""
    except (OSError, ValueError) as error:
        raise DeploymentInvalid(f"{file} cannot be read: {type(error).__name__}") from None


def _parsed(file: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DeploymentInvalid(f"{file} is no TOML: {error}") from None
    except (ValueError, RecursionError):  # a number of 5000 digits, a list in 1000 lists
        raise DeploymentInvalid(f"{file} is no TOML that can be read") from None


def _problem(place: tuple[int | str, ...], found: Mapping[str, Any]) -> str:
    name = str(place[0])
    if name not in Deployment.model_fields:
        return f"{ascii(name[:_SHOWN])[1:-1]} is no setting (docs/provision.md lists them)"
    if name == "project" and not found.get("project"):
        return "project is not known (give it there, or --project, or set GOOGLE_CLOUD_PROJECT)"
    return f"{name} does not fit (want {Deployment.want(name)})"


def _clashes(deployment: Deployment) -> Iterator[str]:
    """Settings that fit by themselves, and not together."""
    if deployment.min_retry_seconds > deployment.max_retry_seconds:
        yield "min_retry_seconds is more than max_retry_seconds (want at most that)"
    for one, other in _DISTINCT:
        if getattr(deployment, one) == getattr(deployment, other):
            yield f"{one} and {other} are the same (want different names)"
