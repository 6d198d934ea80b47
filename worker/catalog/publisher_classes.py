"""Which classes the typed publisher has, and their generated source with names and texts put in.

The generator sees neither: it gets C0, C1... for names and no texts, so that what somebody wrote
into a description can become nothing but a string.
"""

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.builder.text import docstring, literal
from worker.catalog.described import Described

_TEXTS = frozenset({"title", "description", "examples", "$comment", "$schema", "$defs"})
_PLAIN = (str, int, float, bool, type(None))
# Text here, the worker checks it: addresses are written as text, the others need packages.
_UNCHECKED = frozenset(
    {"uri", "uri-reference", "email", "idn-email", "password", "binary", "byte", "base64url"}
)
_CONSTRAINED = {"constr": "str", "conint": "int", "confloat": "float", "conbytes": "bytes"}


@dataclass(slots=True)
class Classes:
    """`features`: class to those that take it. The rest is by C0, C1...: see the module."""

    schema: str = ""
    features: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    schemas: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    by_content: dict[tuple[str, str], str] = field(default_factory=dict)


def classes_of(described: Sequence[Described]) -> Classes:
    """The classes of all features; those that are the same in two of them are one."""
    classes = Classes()
    definitions: dict[str, Any] = {}
    for one in described:
        if one.requirements is None or one.requirements_name in (None, "str"):
            continue
        name, own = _split(one)
        refs = {key: _add(classes, key, [own, key]) for key in own}
        definitions |= {refs[key]: _bare(schema, refs) for key, schema in own.items()}
        main = classes.names[refs[name]]
        classes.features[main] = (*classes.features.get(main, ()), one.name)
    classes.schema = json.dumps({"$defs": definitions})
    return classes


def _split(one: Described) -> tuple[str, dict[str, Any]]:
    """The name of the class of the requirements, and every definition by its name."""
    schema = dict(one.requirements or {})
    definitions = dict(schema.pop("$defs", {}))
    if "$ref" in schema:  # a model that holds itself
        return schema["$ref"].rpartition("/")[2], definitions
    return str(one.requirements_name), {**definitions, str(one.requirements_name): schema}


def _add(classes: Classes, key: str, content: Any) -> str:
    """Its C number: that of the same class in another feature, or a new one with a free name."""
    own, _ = content
    same = json.dumps(content, sort_keys=True)
    number = classes.by_content.setdefault((key, same), f"C{len(classes.names)}")
    if number not in classes.names:
        wanted = re.sub(r"\W", "_", key)
        taken, name, count = set(classes.names.values()), wanted, 1
        while name in taken:
            count += 1
            name = f"{wanted}{count}"
        classes.names[number], classes.schemas[number] = name, own[key]
    return number


def _bare(schema: Any, refs: Mapping[str, str]) -> Any:
    """The schema without texts, with the references renamed; only plain defaults are kept."""
    if isinstance(schema, list):
        return [_bare(one, refs) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _TEXTS}
    if kept.get("format") in _UNCHECKED:
        del kept["format"]
    if "format" in kept or "$ref" in kept or not isinstance(kept.get("default"), _PLAIN):
        kept.pop("default", None)  # absent: the worker's own default counts
    return {key: _bare_value(key, value, refs) for key, value in kept.items()}


def _bare_value(key: str, value: Any, refs: Mapping[str, str]) -> Any:
    match key:
        case "$ref":
            return f"#/$defs/{refs[value.rpartition('/')[2]]}"
        case "properties":
            return {name: _bare(one, refs) for name, one in value.items()}
        case "discriminator":
            mapping = {tag: _bare_value("$ref", to, refs) for tag, to in value["mapping"].items()}
            return {**value, "mapping": mapping}
        case "const" | "enum" | "default":
            return value
    return _bare(value, refs)


def with_texts(source: str, classes: Classes) -> str:
    """The generated source with the names of the classes, their texts and their features."""
    tree = _Named(classes.names).visit(ast.parse(source))
    by_name = {name: classes.schemas[number] for number, name in classes.names.items()}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in by_name:
            _tell(node, by_name[node.name], classes.features.get(node.name, ()))
    imports = "from typing import Annotated, ClassVar\nfrom pydantic import Field\n"
    return imports + ast.unparse(ast.fix_missing_locations(tree))


class _Named(ast.NodeTransformer):
    """Gives the classes their names, and writes constrained types as type checkers read them."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.name = self._names.get(node.name, node.name)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self._names.get(node.id, node.id)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = self.visit(node.annotation)  # the value is the schema's, not ours
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
        if not (isinstance(node.value, ast.Name) and node.value.id == "Literal"):
            self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if isinstance(node.value, str):  # a class that is defined further down, in quotes
            node.value = self._names.get(node.value, node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        plain = _CONSTRAINED.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if plain is None:
            return node
        limits = ast.Call(ast.Name("Field"), [], node.keywords)
        both = ast.Tuple([ast.Name(plain), limits])
        return ast.Subscript(ast.Name("Annotated"), both)


def _tell(node: ast.ClassDef, schema: Mapping[str, Any], features: tuple[str, ...]) -> None:
    about = schema.get("description", "")
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign):
            _describe(statement, schema.get("properties", {}))
    first = ast.parse(docstring(about, 4)).body if about.strip() else []
    if features:
        first += ast.parse(f"feature_names: ClassVar[tuple[str, ...]] = {features!r}").body
    node.body[:0] = first


def _describe(statement: ast.AnnAssign, properties: Mapping[str, Any]) -> None:
    """Give the field the description that its property has."""
    assert isinstance(statement.target, ast.Name)  # noqa: S101 - the generator writes fields so
    value = statement.value
    given = value.keywords if isinstance(value, ast.Call) else []
    alias = [ast.literal_eval(one.value) for one in given if one.arg == "alias"]
    text = properties.get((alias or [statement.target.id])[0], {}).get("description", "")
    if not text:
        return
    if not isinstance(value, ast.Call):
        value = ast.Call(ast.Name("Field"), [value or ast.Constant(...)], [])
    value.keywords.append(ast.keyword("description", ast.parse(literal(text), mode="eval").body))
    statement.value = value
