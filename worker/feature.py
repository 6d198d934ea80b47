"""What a feature is, and how a handler function becomes one."""

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar, overload

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from worker.context import Context
from worker.explain import explain
from worker.outcome import BadPayload
from worker.payload import FeaturePayload

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Requirements(BaseModel):
    """Base of what a feature requires: frozen, unknown fields are an error, NaN is no number.

    `feature_names` are the features whose handlers take it: what `worker.publisher` goes by.
    """

    feature_names: ClassVar[tuple[str, ...]] = ()

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


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
        if want is not None and issubclass(want, Requirements):
            want.feature_names = tuple(dict.fromkeys((*_own_names(want), self._name)))
        return Feature(self._name, handler, want, self._idempotent, self._concurrency)


def _own_names(want: type[Requirements]) -> tuple[str, ...]:
    """Not those of a class that it inherits from."""
    names: tuple[str, ...] = vars(want).get("feature_names", ())
    return names


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
