"""What the library wrote -> the models of the feature, with the author's words back in place.

The library names each limited item in a class of its own (`class F3Item(RootModel[str])`); they
go back to where they are used, so that a list of texts is a list of texts.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from worker.builder.order import BuildFailed
from worker.builder.skeleton import EXTRA, Plan
from worker.builder.text import literal

_TEXT = re.compile(r"s\d+")
_TIMES = {
    "date": "dt.date",
    "time": "dt.time",
    "datetime": "dt.datetime",
    "timedelta": "dt.timedelta",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The type of a field as source, and the limits that go into its Field(...)."""

    annotation: str
    limits: tuple[str, ...]


def rewritten(source: str, plan: Plan) -> dict[str, dict[str, Typed]]:
    """Of each class, in the library's order, the types of its fields, all by the library's names.

    Raises BuildFailed when the library wrote something that we do not know.
    """
    reader = _Types(plan)
    classes = {}
    for node in ast.parse(source).body:
        match node:
            case ast.ClassDef(name=name, bases=[ast.Subscript(value=ast.Name(id="RootModel"))]):
                reader.inline[name] = _root(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[_, value])):
                reader.inline[name] = value
            case ast.ClassDef(name=name, bases=[ast.Name(id="BaseModel")]):
                classes[name] = node
    if classes.keys() != plan.classes.keys():
        raise _unknown()
    types = {name: dict(_fields(node, reader)) for name, node in classes.items()}
    if any(types[name].keys() - {EXTRA} != plan.classes[name].fields.keys() for name in types):
        raise _unknown()
    return types


def _root(node: ast.ClassDef) -> ast.expr:
    for line in node.body:
        if isinstance(line, ast.AnnAssign):
            return line.annotation
    raise _unknown()


def _fields(node: ast.ClassDef, reader: "_Types") -> Iterator[tuple[str, Typed]]:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            yield line.target.id, reader.typed(line.annotation)


def _unknown() -> BuildFailed:
    return BuildFailed("generating", "datamodel-code-generator wrote something unknown to us")


class _Types:
    """Annotations as source: names and texts of the author, aliases put in place."""

    def __init__(self, plan: Plan) -> None:
        self.inline: dict[str, ast.expr] = {}
        self._plan = plan

    def typed(self, annotation: ast.expr) -> Typed:
        """Of a field: its limits apart, since they stand in the Field(...) of the field."""
        limits: tuple[str, ...] = ()
        match annotation:
            case ast.Subscript(
                value=ast.Name(id="Annotated"),
                slice=ast.Tuple(elts=[inner, ast.Call(keywords=keywords)]),
            ):
                annotation = inner
                limits = tuple(self._limit(one) for one in keywords)
        return Typed(self._type(annotation), limits)

    def _limit(self, said: ast.keyword) -> str:
        value = said.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return f"{said.arg}={self._text(value.value)}"
        if isinstance(value, ast.Constant) and isinstance(value.value, float):
            number = value.value
            return f"{said.arg}={int(number) if number.is_integer() else number}"
        return f"{said.arg}={ast.unparse(value)}"

    def _text(self, placeholder: str) -> str:
        if not _TEXT.fullmatch(placeholder):
            raise _unknown()
        return literal(self._plan.texts[int(placeholder[1:])])

    def _type(self, node: ast.expr) -> str:
        match node:
            case ast.Name(id=name):
                return self._named(name)
            case ast.Constant(value=None):
                return "None"
            case ast.Constant(value=str(name)) if name in self._plan.classes:
                return f'"{self._named(name)}"'  # the class comes further down
            case ast.BinOp() | ast.Subscript(value=ast.Name(id="Optional" | "Union")):
                return self._either([node])
            case ast.Subscript(value=ast.Name(id=name), slice=inner):
                return self._generic(name, inner.elts if isinstance(inner, ast.Tuple) else [inner])
        raise _unknown()

    def _named(self, name: str) -> str:
        if name in self.inline:
            return self._type(self.inline[name])
        if name in self._plan.classes:
            return self._plan.classes[name].name
        return _TIMES.get(name, name)

    def _either(self, branches: list[ast.expr]) -> str:
        """Each type once, None last."""
        every = list(dict.fromkeys(self._type(one) for one in self._branches(branches)))
        if "Any" in every:
            return "Any"
        said = " | ".join(one.strip('"') for one in sorted(every, key=lambda one: one == "None"))
        if any(one.startswith('"') for one in every):
            said = said.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{said}"'
        return said

    def _branches(self, nodes: list[ast.expr]) -> Iterator[ast.expr]:
        """Of unions in unions, each type."""
        for node in nodes:
            match node:
                case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                    yield from self._branches([left, right])
                case ast.Subscript(value=ast.Name(id="Union"), slice=ast.Tuple(elts=inner)):
                    yield from self._branches(inner)
                case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
                    yield from self._branches([inner, ast.Constant(None)])
                case _:
                    yield node

    def _generic(self, name: str, inner: list[ast.expr]) -> str:
        if name == "Literal":
            return f"Literal[{', '.join(map(self._choice, inner))}]"
        if name == "Annotated" and isinstance(inner[1], ast.Call):
            limits = ", ".join(self._limit(one) for one in inner[1].keywords)
            return f"Annotated[{self._type(inner[0])}, Field({limits})]"
        return f"{name}[{', '.join(map(self._type, inner))}]"

    def _choice(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._text(node.value)
        return ast.unparse(node)
