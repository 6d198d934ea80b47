"""Names of features, classes and fields: all that is hard in Python is refused or renamed."""

import ast
import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import create_model

from worker import Requirements
from worker.builder.naming import (
    check_name,
    class_name,
    class_names,
    field_names,
    readable_class,
    singular,
)
from worker.builder.order import OrderRefused, Target

FINE = ["vet_visit", "a", "smoke_test", "invoice_total", "pet2", "x" * 64, "health", "calendar",
        "statistics", "uuid", "setup_account", "email", "queue", "attest", "a_b_c"]  # fmt: skip
BAD = [
    "", "Vet", "vet-visit", "1st", "_vet", "vet_", "vet__visit", "x" * 65, "vet visit", "vet\n",
    "../vet", "/etc/passwd", "vet/visit", "vet.py", "vet\0", "v\u0435t", "\uff56et", "caf\u00e9",
    "class", "import", "match", "type", "case", "print", "list", "open", "exec", "id",
    "context", "want", "feature", "requirements", "result", "worker", "handlers", "pytest",
    "deliver", "models", "router", "service", "dt", "field", "base_model", "any",
    "literal", "value_error", "l", "exception", "config_dict", "decimal",
]  # fmt: skip


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("target", Target)
def test_a_plain_name_is_taken(name: str, target: Target) -> None:
    check_name(name, {"echo"}, target)


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("target", Target)
def test_a_name_that_would_do_harm_is_refused_in_one_line(name: str, target: Target) -> None:
    with pytest.raises(OrderRefused) as refused:
        check_name(name, (), target)
    assert str(refused.value).startswith("feature: ")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("name", ["vet_visit", "vet1", "test_visit", "testimony", "setup_module"])
def test_a_handler_clashes_with_others_and_with_pytest(name: str) -> None:
    with pytest.raises(OrderRefused, match="feature: "):
        check_name(name, {"vet_visit", "vet_1"}, Target.WORKER)
    check_name(name, {"vet_visit", "vet_1"}, Target.FASTAPI)


@given(st.text(st.characters(), max_size=80) | st.from_regex(r"[a-z_0-9]{1,70}", fullmatch=True))
def test_any_text_is_a_good_name_or_refused(text: str) -> None:
    try:
        check_name(text, (), Target.WORKER)
    except OrderRefused:
        return
    ast.parse(f"def {text}() -> None: ...\nclass {class_name(text)}: ...")


def test_names_are_said_as_classes() -> None:
    assert class_name("invoice_total") == "InvoiceTotal"
    assert readable_class("pet's owner") == "PetSOwner"
    assert readable_class("\u732b") == ""
    assert [singular(name) for name in ("Visits", "Bodies", "Address", "Status")] == [
        "Visit", "Body", "Address", "Status"
    ]  # fmt: skip


def test_classes_do_not_collide_with_what_the_module_has() -> None:
    wanted = ["VetVisit", "VetVisitResult", "Field", "Requirements", "Exception", "Owner", "UUID"]
    names = class_names(wanted, "VetVisit")
    assert names["Owner"] == "Owner"
    assert len(set(names.values())) == len(wanted)
    assert set(names.values()) & {*wanted} == {"Owner"}


HARD = ["class", "l", "model_config", "model_x", "copy", "schema", "json", "_private", "__class__",
        "petId", "pet_id", "PetId", "str", "list", "dt", "self", "1st", "", "\u00dcn\u00ef",
        "\u732b", "a b", "feature_names", "model_fields_set", "None", "validate",
        "a" * 100]  # fmt: skip


@given(st.lists(st.sampled_from(HARD) | st.text(st.characters(), max_size=30), unique=True))
def test_fields_of_any_properties_are_fields_that_pydantic_takes(properties: list[str]) -> None:
    names = field_names(properties)
    assert list(names) == properties
    assert len(set(names.values())) == len(properties)
    for name in names.values():
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert not name.startswith("_")
    fields: dict[str, tuple[type, int]] = dict.fromkeys(names.values(), (int, 1))
    assert len(create_model("Any", __base__=Requirements, **fields).model_fields) == len(fields)  # type: ignore[call-overload]  # names that nobody can know


def test_usual_properties_keep_their_names() -> None:
    usual = ["pet_id", "date", "type", "id", "name", "kind", "format", "min", "time", "owner2"]
    assert field_names(usual) == dict(zip(usual, usual, strict=True))
    assert field_names(["petId", "class"]) == {"petId": "pet_id", "class": "class_"}
