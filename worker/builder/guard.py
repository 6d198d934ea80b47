"""Is this source nothing but declarations? The last look at models before anybody imports them."""

import ast
from collections.abc import Collection, Iterator

from worker.builder.order import BuildFailed

_CALLED = frozenset(("Field", "ConfigDict", "AfterValidator"))
_BUILTINS = frozenset(("str", "int", "float", "bool", "list", "dict", "tuple"))
_ALLOWED = (
    ast.AnnAssign, ast.Assign, ast.Attribute, ast.BinOp, ast.BitOr, ast.Call, ast.ClassDef,
    ast.Constant, ast.Dict, ast.Expr, ast.List, ast.Load, ast.Name, ast.Store, ast.Subscript,
    ast.Tuple, ast.UnaryOp, ast.USub, ast.keyword,
)  # fmt: skip


def check_source(source: str, names: Collection[str], helper: str = "") -> None:
    """Raise BuildFailed when it does more than to define classes with fields.

    `names` are those that it may use besides its own classes; `helper` is the source of the one
    function that it may define.
    """
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        raise _refused("is no Python") from None
    body = [one for one in module.body if ast.dump(one) not in _dumps(helper)]
    classes = {one.name for one in body if isinstance(one, ast.ClassDef)}
    if len(classes) != len(body) or classes & {*names, *_BUILTINS}:
        raise _refused("has more than classes of its own, each once")
    for one in body:
        _check(one, {*names, *classes, *_BUILTINS, "__pydantic_extra__", "model_config"})


def _dumps(source: str) -> list[str]:
    return [ast.dump(one) for one in ast.parse(source).body]


def _check(node: ast.stmt, names: Collection[str]) -> None:
    """A class of plain bases whose body is a docstring and fields."""
    for inner in _nodes(node):
        match inner:
            case ast.ClassDef() if inner is not node or inner.decorator_list or inner.keywords:
                raise _refused("has more than plain classes")
            case ast.Name(id=name, ctx=ast.Load()) if name not in names:
                raise _refused("uses a name that is not known")
            case ast.Attribute() if not _is_time(inner):
                raise _refused("reads an attribute")
            case ast.Call() if not _is_known_call(inner):
                raise _refused("calls a function")
            case ast.Assign() if [ast.unparse(one) for one in inner.targets] != ["model_config"]:
                raise _refused("sets a name")
            case ast.Expr(value=value) if not isinstance(value, ast.Constant):
                raise _refused("has a statement")
            case _ if not isinstance(inner, _ALLOWED):
                raise _refused("has more than declarations")


def _is_known_call(node: ast.Call) -> bool:
    """Of a function that only describes, its arguments named or plain."""
    named = all(one.arg is not None for one in node.keywords)
    return named and isinstance(node.func, ast.Name) and node.func.id in _CALLED


def _nodes(node: ast.stmt) -> Iterator[ast.AST]:
    """All of them, and what is quoted in annotations, which somebody will evaluate."""
    for one in ast.walk(node):
        yield one
        if isinstance(one, ast.AnnAssign):
            yield from _quoted(one.annotation)


def _quoted(annotation: ast.expr) -> Iterator[ast.AST]:
    """Names in quotes, wherever they stand; a text of a Literal or a Field is no name."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                inner = ast.parse(text, mode="eval").body
            except (SyntaxError, ValueError):
                raise _refused("has an annotation that is no type") from None
            yield from ast.walk(inner)
            yield from _quoted(inner)
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
        case ast.Subscript(slice=ast.Tuple(elts=inner)):
            for one in inner:
                yield from _quoted(one)
        case ast.Subscript(slice=inner):
            yield from _quoted(inner)
        case ast.BinOp(left=left, right=right):
            yield from _quoted(left)
            yield from _quoted(right)


def _is_time(node: ast.Attribute) -> bool:
    kinds = {"date", "time", "datetime", "timedelta"}
    return isinstance(node.value, ast.Name) and node.value.id == "dt" and node.attr in kinds


def _refused(what: str) -> BuildFailed:
    return BuildFailed("generating", f"the models' source {what}")
