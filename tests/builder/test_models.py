"""Models made of schemas: they take and refuse what the schema does, and look like ours."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from tests.support.server import ROOT
from worker.builder import models
from worker.builder.conformity import validator_of
from worker.builder.models import Models, models_of
from worker.builder.order import BuildFailed, OrderRefused
from worker.builder.rewrite import rewritten
from worker.builder.skeleton import planned
from worker.builder.wanted import Wanted, read_wanted

HOSTILE = '"""\nimport os\nos.system("touch CANARY")\n\\ \u202e {braces} \u0430 \x1b[31m'
ONE = {"type": "number", "minimum": 1}
PET: dict[str, Any] = {
    "type": "object",
    "description": "A pet that visits.",
    "properties": {
        "pet_id": {"format": "uuid", "description": "whose visit it is"},
        "weightKg": {"type": "number", "exclusiveMinimum": 0, "maximum": 200},
        "kind": {"enum": ["cat", "dog", HOSTILE]},
        "date": {"type": "string", "format": "date", "default": "2026-01-31"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "owner": {"$ref": "#/$defs/owner"},
        "tags": {"type": "array", "items": {"pattern": "^[a-z]+$"}, "minItems": 1},
        "codes": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        "either": {"anyOf": [{"type": "integer", "minimum": 2}, {"$ref": "#/$defs/owner"}]},
        "pair": {"prefixItems": [{"type": "string"}, ONE], "items": False, "minItems": 2},
        "prices": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        "sure": {"type": "boolean", "default": True},
        "limit": {"type": "integer", "default": 3, "minimum": 1},
        "names": {"type": "array", "items": {"type": "string"}, "default": [HOSTILE]},
        "class": {"type": "string", "description": HOSTILE, "default": HOSTILE},
        HOSTILE: {"type": "string", "description": HOSTILE, "examples": [HOSTILE]},
        "model_config": {"const": 1},
        "copy": {"type": "string", "format": "email"},
        "str": {"type": "string", "format": "hostname"},
        "anything": True,
    },
    "required": ["pet_id", "weightKg", "owner"],
    "$defs": {
        "owner": {
            "type": "object",
            "description": HOSTILE,
            "properties": {
                "name": {"type": "string", "pattern": "^\\S", "maxLength": 40},
                "friends": {"type": "array", "items": {"$ref": "#/$defs/owner"}},
                "best": {"$ref": "#/$defs/owner"},
                "pet": {"$ref": "#"},
                "field": {"type": "object", "properties": {"x": {"type": "null"}}},
            },
            "additionalProperties": {"type": "integer"},
            "required": ["name"],
        }
    },
}  # fmt: skip


def made(requirements: Any, base: str = "BaseModel", name: str = "VetVisit") -> Models:
    """Its models."""
    about = f"What {name} requires."
    return models_of(read_wanted(requirements), name=name, base=base, about=about, seconds=60)


def written(found: Models, path: Path) -> Path:
    """The models as a module, formatted."""
    bases = ["from pydantic import BaseModel", "from worker import Requirements"]
    base = next(line for line in bases if f"({line.split()[-1]})" in found.source)
    lines = ['"""Models."""', "", *found.imports, base, "", "", found.source]
    path.write_bytes("\n".join(lines).encode())
    (path.parent / "__init__.py").touch()
    _tool("ruff", "check", "--select=I", "--fix", "-q", "--no-cache", str(path))
    _tool("ruff", "format", "-q", "--no-cache", str(path))
    return path


def imported(path: Path) -> ModuleType:
    """The module at that place."""
    spec = importlib.util.spec_from_file_location(f"made_{path.parent.name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where pydantic looks for names in quotes
    spec.loader.exec_module(module)
    return module


def _tool(*words: str) -> None:
    config = ["--config", str(ROOT / "pyproject.toml")] if words[0] == "ruff" else []
    command = [sys.executable, "-m", *words, *config]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]


def accepts(model: type[BaseModel], value: Any, *, strict: bool = False) -> bool:
    """Whether a model takes a value of JSON."""
    try:
        model.model_validate_json(json.dumps(value), strict=strict)
    except ValidationError:
        return False
    return True


@pytest.fixture(scope="module")
def pet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(made(PET), tmp_path_factory.mktemp("pet") / "models.py")


@pytest.mark.parametrize(
    "line",
    [
        "class VetVisit(BaseModel):",
        "A pet that visits.",
        'pet_id: UUID = Field(description="whose visit it is")',
        'weight_kg: float = Field(gt=0, le=200, alias="weightKg")',
        'date: Annotated[dt.date, Field(default="2026-01-31", validate_default=True)]',
        "at: AwareDatetime | None = None",
        'owner: "Owner"',
        'tags: list[Annotated[str, Field(pattern="^[a-z]+$")]] | None = Field(None, min_length=1)',
        "codes: Annotated[list[int] | None, AfterValidator(_each_once)] = None",
        'either: "Annotated[int, Field(ge=2)] | Owner | None" = None',
        "pair: tuple[str, Annotated[float, Field(ge=1)]] | None = None",
        "prices: dict[str, Annotated[float, Field(ge=0)]] | None = None",
        "sure: bool = True",
        "limit: int = Field(3, ge=1)",
        'field_model_config: Literal[1] | None = Field(None, alias="model_config")',
        "anything: Any = None",
        "__pydantic_extra__: dict[str, int]",
        'model_config = ConfigDict(extra="allow")',
        'best: "Owner | None" = None',
        "pet: VetVisit | None = None",
        "class VetVisitField(BaseModel):",
        "x: None = None",
    ],
)
def test_the_source_is_what_a_person_would_write(pet: Path, line: str) -> None:
    assert f"    {line}\n" in f"    {pet.read_text()}".replace("\nclass", "\n    class")


@pytest.mark.tools
@pytest.mark.parametrize("base", ["BaseModel", "Requirements"])
def test_our_linter_and_types_accept_it(base: str, tmp_path: Path) -> None:
    path = written(made(PET, base), tmp_path / "models.py")
    rules = "--extend-ignore=E501"  # long texts of the author: the engine exempts their lines
    _tool("ruff", "check", "--no-cache", rules, str(path))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    if base == "BaseModel":
        _tool("mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(path))


def test_nothing_of_the_author_is_executed_and_all_of_it_is_kept(pet: Path) -> None:
    model: type[BaseModel] = imported(pet).VetVisit
    field = next(one for one in model.model_fields.values() if one.alias == HOSTILE)
    assert field.description == HOSTILE
    assert field.examples == [HOSTILE]
    assert model.model_fields["class_"].default == HOSTILE
    assert not Path("CANARY").exists()
    wanted = read_wanted(PET)
    one = model.model_validate_json(json.dumps(wanted.example))
    assert one.model_dump(mode="json", by_alias=True, exclude_unset=True) == {
        **wanted.example, "date": "2026-01-31"
    }  # fmt: skip
    assert accepts(model, {**wanted.example, "kind": HOSTILE, "codes": [1, 2]})
    assert not accepts(model, {**wanted.example, "codes": [1, 1]})
    assert not accepts(model, {**wanted.example, "owner": {"name": "x", "y": "z"}})


def test_a_default_that_is_left_out_has_the_type_of_its_field(pet: Path) -> None:
    model = imported(pet).VetVisit
    example = {key: value for key, value in read_wanted(PET).example.items() if key != "date"}
    assert repr(model.model_validate(example).date) == "datetime.date(2026, 1, 31)"


def test_none_and_a_sentence_make_a_model_without_fields(tmp_path: Path) -> None:
    found = models_of(Wanted("none"), name="Ping", base="Requirements", about="x", seconds=60)
    model = imported(written(found, tmp_path / "models.py")).Ping
    assert accepts(model, {})
    assert not accepts(model, {"a": 1})


def test_the_same_order_gives_the_same_source() -> None:
    assert made(PET) == made(json.loads(json.dumps(PET)))


def test_a_class_that_the_library_adds_is_noticed() -> None:
    schema = read_wanted({"a": "int"}).schema
    assert schema is not None
    plan = planned(schema, "Pet", "x")
    good = "class C0(BaseModel):\n    f0: int\n"
    assert rewritten(good, plan)["C0"]["f0"].annotation == "int"
    for bad in [
        good + "class C7(BaseModel):\n    x: int\n",
        "class C0(Other):\n    f0: int\n",
        good.replace("int", "Literal['os']"),
        good.replace("int", "print(1)"),
        good.replace("int", "'Pet'"),
        good.replace("f0", "f1"),
    ]:
        with pytest.raises(BuildFailed, match="unknown"):
            rewritten(bad, plan)


@pytest.mark.parametrize(("program", "again"), [("1/0", False), ("while True: pass", True)])
def test_a_library_that_fails_or_hangs_is_one_line(
    program: str, again: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "codegen.py").write_text(program)
    monkeypatch.setattr(models, "_CODEGEN", tmp_path / "codegen.py")
    with pytest.raises(BuildFailed) as failed:
        models_of(Wanted("none"), name="A", base="BaseModel", about="", seconds=1)
    assert (failed.value.stage, failed.value.again) == ("generating", again)
    assert failed.value.reason.isprintable()


TEXTS = st.sampled_from(["a", "abc", "12", "", "2026-01-31", 'q"', "\\", "x y"])
NUMBERS = st.sampled_from([0, 1, 2, 3, 10, -3, 2.5, 0.5])
LIMIT = st.integers(0, 3)
SCALARS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": LIMIT,
            "maxLength": st.integers(3, 9),
            "pattern": st.sampled_from(["^[a-z]+$", r"\d{2,4}", "^(a|b)c?$"]),
            "format": st.sampled_from(["date", "uuid", "email", "uri", "ipv4", "time", "odd"]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={"minimum": NUMBERS, "exclusiveMaximum": st.just(50), "multipleOf": st.just(2)},
    ),
    st.fixed_dictionaries({"enum": st.lists(TEXTS | st.none(), min_size=1, unique=True)}),
    st.sampled_from([{"type": ["string", "null"]}, {"type": ["integer", "null", "string"]}]),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"$ref": "#/$defs/Pet"}, True]),
)  # fmt: skip
NAMES = st.sampled_from(["id", "class", "model_x", "copy", "date", "a b", "A", "a", "__init__", ""])
NODES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"minItems": LIMIT}, optional={"items": inner}),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
        st.fixed_dictionaries(
            {"properties": st.dictionaries(NAMES, inner, min_size=1, max_size=3)},
            optional={"required": st.lists(NAMES, max_size=1), "additionalProperties": inner},
        ),
    ),
    max_leaves=6,
)  # fmt: skip
VALUES = st.recursive(
    TEXTS | NUMBERS | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=4,
)


def sampled(count: int) -> list[tuple[Any, list[Any]]]:
    """Schemas, each with some values, the same in each run."""
    found: list[tuple[Any, list[Any]]] = []

    @settings(
        max_examples=count, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(NODES, st.lists(VALUES, min_size=8, max_size=8))
    def collect(schema: Any, values: list[Any]) -> None:
        found.append((schema, values))

    collect()
    return found


def readable(schema: Any) -> bool:
    """Whether an order with this property is not refused."""
    try:
        read_wanted(one_property(schema))
    except OrderRefused:
        return False
    return True


def one_property(schema: Any) -> dict[str, Any]:
    """A document with this property and no others."""
    return whole({"p": schema})


def whole(schemas: dict[str, Any]) -> dict[str, Any]:
    """A document with these properties, each needed."""
    pet = {"properties": {"name": {"type": "string"}, "of": {"$ref": "#/$defs/Pet"}}}
    required = list(schemas)
    return {"type": "object", "properties": schemas, "required": required, "$defs": {"Pet": pet}}


def test_a_model_takes_what_its_schema_takes_and_nothing_else(tmp_path: Path) -> None:
    drawn = [(schema, values) for schema, values in sampled(100) if readable(schema)]
    assert len(drawn) > 50
    document = whole({f"p{at}": schema for at, (schema, _) in enumerate(drawn)})
    model: type[BaseModel] = imported(written(made(document), tmp_path / "m.py")).VetVisit
    wanted = read_wanted(document)
    assert wanted.schema is not None
    validator = validator_of(wanted.schema)
    assert accepts(model, wanted.example)
    for what, fault in wanted.invalid:
        assert not accepts(model, fault), what
    for at, (schema, values) in enumerate(drawn):
        for value in values:
            fits = not any(validator.descend(value, wanted.schema["properties"][f"p{at}"]))
            tried = {**wanted.example, f"p{at}": value}
            assert accepts(model, tried, strict=True) == fits, (schema, value)
