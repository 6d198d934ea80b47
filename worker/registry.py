"""The features that a worker has: how the handlers folder is loaded, and whose a payload is."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from worker.feature import Feature, HandlersInvalid, Requirements
from worker.message import Message
from worker.outcome import UnknownFeature
from worker.payload import FeaturePayload, likely_feature, may_say_no_number, parse, payload_model

BUILDER = "build_feature"  # what UNKNOWN_FEATURE=build hands unknown features to
_LARGE = 2048  # bytes of data; with less, two passes cost no more than one
_NAMES_SHOWN = 50  # of the registered features, in the reason of an unknown one


class Features:
    """The features that this process serves, by name."""

    def __init__(self, found: Iterable[Feature[Any]], *, build_unknown: bool = False) -> None:
        self._by_name: dict[str, Feature[Any]] = {}
        self._models: dict[str, type[FeaturePayload]] = {}
        for one in found:
            other = self._by_name.setdefault(one.name, one)
            if other is not one:
                raise HandlersInvalid(
                    f"two handlers are named {one.name!r}: "
                    f"{other.place} and {one.place}; rename one"
                )
        self.names = frozenset(self._by_name)
        self._builder = self._by_name.get(BUILDER) if build_unknown else None
        if build_unknown and self._builder is None:
            raise HandlersInvalid(
                f"UNKNOWN_FEATURE=build needs a handler of the feature {BUILDER}: "
                "keep handlers/build_feature, or set UNKNOWN_FEATURE=reject"
            )

    def read(self, message: Message) -> FeaturePayload:
        """Validate the message's data: large data in one pass with the requirements.

        Raises BadPayload when it is not JSON or not a feature payload.
        """
        data = message.data
        if len(data) >= _LARGE and not may_say_no_number(data):
            model = self._model_of(likely_feature(data))
            if model is not None:
                with suppress(ValidationError):  # parse says what is wrong, as for any other
                    return model.model_validate_json(data)
        return parse(message)

    def _model_of(self, name: str) -> type[FeaturePayload] | None:
        """The model of a feature's whole payload, made when the first one comes."""
        model = self._models.get(name)
        if model is None:
            found = self._by_name.get(name)
            want = found.want if found else None
            if want is not None and issubclass(want, Requirements):
                model = self._models[name] = payload_model(name, want)
        return model

    def find(self, name: str) -> Feature[Any]:
        """The feature of that name. Raises UnknownFeature with the nearest match."""
        found = self._by_name.get(name)
        if found is None:
            raise UnknownFeature(self._unknown(name))
        return found

    def route(self, payload: FeaturePayload) -> tuple[Feature[Any], FeaturePayload]:
        """Whose the payload is, and what that feature is to be given.

        With UNKNOWN_FEATURE=build, one that nobody has is an order to build it. Raises
        UnknownFeature.
        """
        if self._builder is None or payload.feature in self._by_name:
            return self.find(payload.feature), payload
        order = FeaturePayload(
            feature=BUILDER, description=payload.description, requirements=payload.model_dump()
        )
        return self._builder, order

    def all(self) -> list[Feature[Any]]:
        """Every feature, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def _unknown(self, name: str) -> str:
        import difflib  # noqa: PLC0415 - no start has to wait for it

        names = sorted(self._by_name)
        near = difflib.get_close_matches(name, names, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        known = ", ".join(names[:_NAMES_SHOWN]) + more
        return f"no handler is registered for {name}: {meant}registered: {known or 'none'}"


def load(package: str, *, build_unknown: bool = False) -> Features:
    """Import every module of the package and collect the features they define.

    With `build_unknown`, payloads for other features are for the one that builds features.

    Raises HandlersInvalid for a module that cannot be imported, a clash of names, or a bad handler.
    """
    modules = _import_all(package)
    found: Mapping[int, Feature[Any]] = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Feature)
    }
    return Features(found.values(), build_unknown=build_unknown)


def _import_all(package: str) -> list[ModuleType]:
    root = _import(package)
    path = getattr(root, "__path__", None)
    if path is None:
        return [root]
    return [root] + [
        _import(info.name)
        for info in pkgutil.walk_packages(path, f"{package}.", onerror=_ignore)
        if not info.name.endswith(".__main__")
    ]


def _ignore(name: str) -> None:
    """Let the import below report what walk_packages met."""


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except HandlersInvalid:
        raise
    except BaseException as error:  # a handler file may even call sys.exit()
        if isinstance(error, KeyboardInterrupt):
            raise
        raise HandlersInvalid(f"cannot import {name}: {_why(error)}") from error


def _why(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
