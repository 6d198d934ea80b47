"""What a feature is, how a handler function becomes one, and how the handlers folder is loaded."""

import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar, overload

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from worker.deadline import Deadline
from worker.explain import explain
from worker.log import Log
from worker.message import Message
from worker.outcome import BadPayload, UnknownFeature
from worker.payload import FeaturePayload, likely_feature, may_say_no_number, parse, payload_model

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LARGE = 2048  # bytes of data; with less, two passes cost no more than one
_NAMES_SHOWN = 50  # of the registered features, in the reason of an unknown one


class Requirements(BaseModel):
    """Base of what a feature requires: frozen, unknown fields are an error, NaN is no number."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class Context(NamedTuple):
    """What a handler knows besides its requirements.

    `log` has the message's id and trace bound. Pass `deadline.remaining()` (seconds) to clients as
    a timeout. `attempt` is Pub/Sub's delivery attempt, None without a dead-letter policy.
    """

    message: Message
    description: str
    log: Log
    deadline: Deadline

    @property
    def attempt(self) -> int | None:
        """1 on the first delivery, approximate, None where Pub/Sub does not count."""
        return self.message.delivery_attempt


Want = TypeVar("Want", bound=Requirements | str)
Result = TypeVar("Result", bound=BaseModel | None)


class HandlersInvalid(Exception):
    """The handlers cannot be served. One line: what is wrong, where, what to do."""


Wanted = Requirements | str | None


@dataclass(frozen=True, slots=True)
class Feature(Generic[Result]):
    """A handler with its name and the type of its requirements (a model, str, or None).

    At most `concurrency` of its handlers run at the same time, None: as many as there are threads.
    An `idempotent` one may run twice for a message, so no claim is made.
    """

    name: str
    handler: Callable[..., Result]
    want: type[Requirements] | type[str] | None
    idempotent: bool = False
    concurrency: int | None = None

    def __call__(self, payload: FeaturePayload, context: Context) -> Result:
        """Validate the requirements and run the handler. Raises what either of them raises."""
        return self.run(self.requirements_of(payload), context)

    def requirements_of(self, payload: FeaturePayload) -> Wanted:
        """What the handler is to get. Raises BadPayload when the requirements do not fit."""
        if type(payload) is not FeaturePayload:  # but one of this feature: see Features.read
            wanted: Wanted = payload.requirements  # type: ignore[assignment]  # its model says so
            return wanted
        if self.want is None:
            if payload.has_requirements:
                raise BadPayload(f"bad payload: requirements: {self.name} takes none")
            return None
        return self._validated(payload, self.want)

    def run(self, wanted: Wanted, context: Context) -> Result:
        """Run the handler. Raises whatever it raises."""
        if self.want is None:
            return self.handler(context)
        return self.handler(wanted, context)

    def _validated(
        self, payload: FeaturePayload, want: type[Requirements] | type[str]
    ) -> Requirements | str:
        given: JsonValue = payload.requirements if payload.has_requirements else None
        if issubclass(want, Requirements):
            try:
                return want.model_validate_json(_as_json({} if given is None else given))
            except ValidationError as error:
                raise BadPayload(f"bad payload: {explain(error, 'requirements')}") from None
        if given is not None and not isinstance(given, str):
            raise BadPayload("bad payload: requirements: should be a string")
        return given or ""

    @property
    def place(self) -> str:
        """Where the handler is: module and name."""
        return _place(self.handler)

    @property
    def summary(self) -> str:
        """First line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    def schema(self) -> dict[str, Any] | None:
        """JSON Schema of the requirements, None where there are none."""
        if self.want is None:
            return None
        return TypeAdapter(self.want).json_schema()


def _as_json(requirements: JsonValue) -> bytes:
    """As it was sent: a strict model takes a date or a tuple from JSON only."""
    return to_json(requirements, inf_nan_mode="constants")


class _Decorator:
    """Turns a handler function into a Feature; mypy checks the function's shape here."""

    def __init__(self, name: str, concurrency: int | None, *, idempotent: bool) -> None:
        self._name = name
        self._concurrency = concurrency
        self._idempotent = idempotent

    @overload
    def __call__(self, handler: Callable[[Want, Context], Result], /) -> Feature[Result]: ...
    @overload
    def __call__(self, handler: Callable[[Context], Result], /) -> Feature[Result]: ...
    def __call__(self, handler: Callable[..., Result], /) -> Feature[Result]:
        if not _NAME.fullmatch(self._name):
            raise HandlersInvalid(
                f"{_place(handler)}: {self._name!r} is no feature name "
                "(want a-z, then a-z, 0-9 and _, at most 64)"
            )
        if self._concurrency is not None and not _is_count(self._concurrency):
            raise HandlersInvalid(f"{_place(handler)}: concurrency wants a number, 1 or more")
        if not isinstance(self._idempotent, bool):
            raise HandlersInvalid(f"{_place(handler)}: idempotent wants True or False")
        want = _want_of(handler)
        return Feature(self._name, handler, want, self._idempotent, self._concurrency)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def feature(name: str, *, idempotent: bool = False, concurrency: int | None = None) -> _Decorator:
    """Register the decorated function as the handler of the feature `name`.

    The function takes its requirements (a Requirements model or str; none is fine too) and a
    Context, and returns a pydantic model or None. It raises Retry or Reject to say what happens to
    the message.

    `idempotent=True`: running it twice for a message does no harm, so that the cost of a claim can
    be saved. `concurrency`: how many of it may run at the same time in a process, at least 1; a
    push beyond that is nacked at once (429), so that other features keep their threads.
    """
    if not isinstance(name, str):
        raise HandlersInvalid(f'{_place(name)}: write @feature("name"), with the name')
    return _Decorator(name, concurrency, idempotent=idempotent)


def _runs_later(handler: Callable[..., Any]) -> bool:
    """Whether a call only makes a coroutine or a generator: acked, and never run."""
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(kind(handler) for kind in kinds)


def _want_of(handler: Callable[..., Any]) -> type[Requirements] | type[str] | None:
    if _runs_later(handler):
        raise HandlersInvalid(f"{_place(handler)}: a handler is a plain function, not async")
    hints = typing.get_type_hints(handler)
    parameters = inspect.signature(handler).parameters.values()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    types = [hints.get(one.name) if one.kind in positional else None for one in parameters]
    match types:
        case [context] if context is Context:
            return None
        case [want, context] if context is Context and want is str:
            return str
        case [want, context] if (
            context is Context and isinstance(want, type) and issubclass(want, Requirements)
        ):
            return want
    raise HandlersInvalid(
        f"{_place(handler)}: a handler takes (requirements, context) or (context), "
        "annotated with a Requirements model or str, and Context"
    )


def _place(handler: Callable[..., Any]) -> str:
    return f"{handler.__module__}.{handler.__qualname__}"


class Features:
    """The features that this process serves, by name."""

    def __init__(self, found: Iterable[Feature[Any]]) -> None:
        self._by_name: dict[str, Feature[Any]] = {}
        self._models: dict[str, type[FeaturePayload]] = {}
        for one in found:
            other = self._by_name.setdefault(one.name, one)
            if other is not one:
                raise HandlersInvalid(
                    f"two handlers are named {one.name!r}: "
                    f"{other.place} and {one.place}; rename one"
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


def load(package: str) -> Features:
    """Import every module of the package and collect the features they define.

    Raises HandlersInvalid for a module that cannot be imported, a clash of names, or a bad handler.
    """
    modules = _import_all(package)
    found: Mapping[int, Feature[Any]] = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, Feature)
    }
    return Features(found.values())


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
