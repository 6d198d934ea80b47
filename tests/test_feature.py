"""What a handler may look like, and what becomes of its requirements."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from tests.support.inprocess import ListSink
from tests.support.server import ROOT
from worker import Context, Requirements, feature
from worker.deadline import Deadline
from worker.feature import Feature, HandlersInvalid
from worker.log import Log
from worker.message import Form, Message
from worker.outcome import BadPayload
from worker.payload import FeaturePayload


class Resize(Requirements):
    width: int = Field(gt=0, description="pixels")


class Strict(Requirements):
    model_config = ConfigDict(strict=True)

    day: date
    size: tuple[int, int] = (1, 1)


class Done(BaseModel):
    got: Any = None


@feature("resize")
def resize(want: Resize, context: Context) -> Done:
    """Make a picture smaller.

    More about it.
    """
    return Done(got=want.width)


@feature("strict")
def strict(want: Strict, context: Context) -> Done:
    return Done(got=(want.day, want.size))


@feature("say")
def say(want: str, context: Context) -> Done:
    return Done(got=want)


@feature("sweep")
def sweep(context: Context) -> None:
    context.log.info("swept", attempt=context.attempt, description=context.description)


def context_of(sink: ListSink | None = None) -> Context:
    message = Message("1", b"", {}, Form.WRAPPED, delivery_attempt=3)
    return Context(message, "why", Log(sink or ListSink()), Deadline.after(60))


def run(handler: Feature[Any], requirements: Any = None) -> Any:
    payload = FeaturePayload(feature=handler.name, requirements=requirements)
    return handler(payload, context_of())


def refusal(handler: Feature[Any], requirements: Any) -> str:
    with pytest.raises(BadPayload) as caught:
        run(handler, requirements)
    return caught.value.reason


# --- running one


def test_a_handler_gets_its_validated_requirements_and_the_context() -> None:
    assert run(resize, {"width": 5}) == Done(got=5)
    sink = ListSink()
    sweep(FeaturePayload(feature="sweep"), context_of(sink))
    (entry,) = sink.entries
    assert (entry["attempt"], entry["description"]) == (3, "why")


@pytest.mark.parametrize("nothing", [None, "none", "", {}])
def test_every_spelling_of_no_requirements_reaches_each_kind_of_handler(nothing: Any) -> None:
    assert run(say, nothing) == Done(got="")
    assert run(sweep, nothing) is None
    assert refusal(resize, nothing) == "bad payload: requirements.width: missing"


@pytest.mark.parametrize(
    ("handler", "requirements", "named"),
    [
        (resize, {"width": 0}, "requirements.width: "),
        (resize, {"width": "ZQ7"}, "requirements.width: "),
        (resize, {"width": 1, "hieght": "ZQ7"}, "requirements.hieght: unknown field"),
        (resize, "ZQ7", "requirements: "),
        (resize, ["ZQ7"], "requirements: "),
        (resize, False, "requirements: "),
        (say, {"a": "ZQ7"}, "requirements: should be a string"),
        (say, 0, "requirements: should be a string"),
        (say, False, "requirements: should be a string"),
        (sweep, {"a": "ZQ7"}, "requirements: sweep takes none"),
        (sweep, 0, "requirements: sweep takes none"),
        (sweep, [], "requirements: sweep takes none"),
    ],
)
def test_requirements_that_do_not_fit_are_named_without_their_values(
    handler: Feature[Any], requirements: Any, named: str
) -> None:
    reason = refusal(handler, requirements)
    assert reason.startswith(f"bad payload: {named}")
    assert "ZQ7" not in reason


def test_requirements_are_read_as_json_so_that_a_strict_model_takes_a_date() -> None:
    result = run(strict, {"day": "2026-11-21", "size": [2, 3]})
    assert result == Done(got=(date(2026, 11, 21), (2, 3)))


def test_an_infinite_number_is_no_number() -> None:
    class Scale(Requirements):
        factor: float

    @feature("scale")
    def scale(want: Scale, context: Context) -> None: ...

    assert "requirements.factor" in refusal(scale, {"factor": float("inf")})


def test_requirements_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Resize(width=1).width = 2  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1), KeyError()])
def test_what_a_handler_raises_comes_out_as_it_is(error: BaseException) -> None:
    @feature("bad")
    def bad(context: Context) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        run(bad)
    assert caught.value is error


# --- describing one


def test_a_feature_describes_its_requirements_as_json_schema() -> None:
    schema = resize.schema()
    assert schema is not None
    assert schema["properties"]["width"]["description"] == "pixels"
    assert (schema["required"], schema["additionalProperties"]) == (["width"], False)
    assert say.schema() == {"type": "string"}
    assert sweep.schema() is None


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    assert resize.summary == "Make a picture smaller."
    assert sweep.summary == ""


# --- what may be a handler


def test_the_decorator_gives_a_value_and_registers_nothing() -> None:
    assert isinstance(resize, Feature)
    assert (resize.name, resize.want, say.want, sweep.want) == ("resize", Resize, str, None)


def no_arguments() -> None: ...
def no_context(want: Resize) -> None: ...
def wrong_order(context: Context, want: Resize) -> None: ...
def wrong_model(want: Done, context: Context) -> None: ...
def wrong_type(want: int, context: Context) -> None: ...
def no_types(want, context): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
def too_many(want: Resize, context: Context, more: int = 1) -> None: ...
def by_keyword(*, context: Context) -> None: ...
def any_number(*context: Context) -> None: ...
def a_choice(want: Resize | Strict, context: Context) -> None: ...
async def a_coroutine(context: Context) -> None: ...


def a_generator(context: Context) -> Iterator[None]:
    yield


@pytest.mark.parametrize(
    "handler",
    [
        no_arguments, no_context, wrong_order, wrong_model, wrong_type, no_types, too_many,
        by_keyword, any_number, a_choice, a_coroutine, a_generator,
    ],
    ids=lambda handler: str(handler.__name__),
)  # fmt: skip
def test_a_function_that_could_not_be_called_stops_start_up_with_one_line(
    handler: Callable[..., Any],
) -> None:
    with pytest.raises(HandlersInvalid) as caught:
        feature("a")(handler)
    assert str(caught.value).startswith(f"{__name__}.{handler.__name__}: a handler ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "A", "1a", "a-b", "a" * 65, "a\n", "a٣", "ä"])
def test_a_bad_feature_name_stops_start_up_with_one_line(name: str) -> None:
    with pytest.raises(HandlersInvalid, match="is no feature name") as caught:
        feature(name)(sweep.handler)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a", "a" * 64, "a_1"])
def test_a_good_feature_name_is_taken(name: str) -> None:
    assert feature(name)(sweep.handler).name == name


def test_the_decorator_without_a_name_stops_start_up() -> None:
    bare: Any = feature
    with pytest.raises(HandlersInvalid, match=r'sweep: write @feature\("name"\)'):
        bare(sweep.handler)


# --- mypy

SNIPPET = """
from pydantic import BaseModel

from worker import Context, Reject, Requirements, feature


class Size(Requirements):
    width: int


class Done(BaseModel):
    ok: bool = True


@feature("a")
def model(want: Size, context: Context) -> Done:
    return Done(ok=want.width > 0)


@feature("b")
def text(want: str, context: Context) -> None:
    context.log.info("e", text=want.upper())


@feature("c")
def nothing(context: Context) -> Done | None:
    return None


@feature("d")  # wrong
def plain_result(context: Context) -> str:
    return ""


@feature("e")  # wrong
def foreign_model(want: Done, context: Context) -> None: ...


@feature("f")  # wrong
def number(want: int, context: Context) -> None: ...


@feature("g")  # wrong
def no_context(want: Size) -> None: ...


@feature("h")  # wrong
def swapped(context: Context, want: Size) -> None: ...


@feature("i")  # wrong
async def later(context: Context) -> None: ...


@feature  # wrong
def unnamed(context: Context) -> None: ...


@feature("j")
def typo(want: Size, context: Context) -> None:
    print(want.widht)  # wrong
"""


@pytest.mark.tools
def test_mypy_finds_exactly_the_handlers_that_do_not_fit(tmp_path: Path) -> None:
    file = tmp_path / "snippet.py"
    file.write_text(SNIPPET)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context",
         "--cache-dir", tmp_path / "cache", file],
        cwd=ROOT, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    marked = {n for n, line in enumerate(SNIPPET.splitlines(), 1) if line.endswith("# wrong")}
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line}
    assert found == marked, done.stdout + done.stderr


# --- what a feature says of itself


def test_a_feature_claims_and_has_every_thread_unless_it_says_otherwise() -> None:
    @feature("usual")
    def usual(context: Context) -> None:
        """Nothing special."""

    @feature("special", idempotent=True, concurrency=3)
    def special(context: Context) -> None:
        """Says otherwise."""

    assert (usual.idempotent, usual.concurrency) == (False, None)
    assert (special.idempotent, special.concurrency) == (True, 3)


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2"])
def test_a_concurrency_that_is_no_count_is_an_error(wrong: Any) -> None:
    def bad(context: Context) -> None:
        """Never registered."""

    with pytest.raises(HandlersInvalid, match="concurrency wants a number, 1 or more") as caught:
        feature("bad", concurrency=wrong)(bad)
    assert "test_feature" in str(caught.value)


@pytest.mark.parametrize("wrong", [1, None, "yes"])
def test_idempotent_is_true_or_false(wrong: Any) -> None:
    def bad(context: Context) -> None:
        """Never registered."""

    with pytest.raises(HandlersInvalid, match="idempotent wants True or False"):
        feature("bad", idempotent=wrong)(bad)
