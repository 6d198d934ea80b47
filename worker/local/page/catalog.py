"""What features there are, as `python -m worker features` says of the handlers as they are now."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.local.page.formfield import MISSING, Field
from worker.local.page.processes import CommandFailed, Commands
from worker.local.page.schemaform import form_of

_FRESH_SECONDS = 10.0  # handlers may import what lies beside their package
_MOST_FILES = 5000  # of a handlers package that is watched

_SEARCHED = "PYTHONPATH"  # Python's own: where packages are found, beside this folder


@dataclass(frozen=True, slots=True)
class Listed:
    """A feature that has a handler. `handler` is module and name; `schema` None: takes nothing."""

    name: str
    summary: str
    requirements: str | None
    schema: Mapping[str, Any] | None
    handler: str

    @property
    def form(self) -> Field | None:
        """The form of its requirements."""
        return form_of(self.schema)

    @property
    def examples(self) -> list[Any]:
        """The requirements that its author gives as examples."""
        found = (self.schema or {}).get("examples")
        return found if isinstance(found, list) else []


class Catalog:
    """The features of the package that HANDLERS names. Safe to share by threads."""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environment = environment
        self._commands = Commands(environment)
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._found: list[Listed] = []
        self._stamp: object = MISSING
        self._until = 0.0

    @property
    def package(self) -> str:
        """The name of the package."""
        return self._environment.get("HANDLERS") or "handlers"

    def all(self) -> list[Listed]:
        """Every feature, by name. Raises CommandFailed when the handlers cannot be loaded."""
        with self._lock:
            stamp = self._files()
            if stamp != self._stamp or self._monotonic() >= self._until:
                self._found = [_listed(one) for one in self._ask()]
                self._stamp = stamp
                self._until = self._monotonic() + _FRESH_SECONDS
            return self._found

    def find(self, name: str) -> Listed | None:
        """The feature of that name. Raises CommandFailed."""
        return next((one for one in self.all() if one.name == name), None)

    def file_of(self, handler: str) -> str:
        """The file of a handler below the current folder, "" when it is elsewhere."""
        parts = handler.split(".")
        for length in range(len(parts) - 1, 0, -1):
            path = Path(*parts[:length])
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    return file.as_posix()
        return ""

    def _ask(self) -> Any:
        found = self._commands.json(["worker", "features", "--json"])
        if not isinstance(found, list):
            raise CommandFailed("it answered what cannot be read")
        return found

    def _files(self) -> tuple[tuple[str, int, int], ...]:
        """Which files the package has, when they were changed, and how large they are."""
        searched = self._environment.get(_SEARCHED, "").split(os.pathsep)
        roots = [Path(), *map(Path, filter(None, searched))]
        return tuple(one for root in roots for one in _stamps(root, self.package.split(".")))


def _stamps(root: Path, package: list[str]) -> Iterator[tuple[str, int, int]]:
    folder = root.joinpath(*package)
    try:
        found = sorted([*folder.rglob("*.py"), *folder.parent.glob(f"{folder.name}.py")])
        for path in found[:_MOST_FILES]:
            state = path.stat()
            yield str(path), state.st_mtime_ns, state.st_size
    except OSError:
        return  # a file that has just gone: the next look finds it gone


def _listed(one: Mapping[str, Any]) -> Listed:
    names = ("name", "summary", "requirements", "schema", "handler")
    return Listed(*(one[name] for name in names))
