"""YAML as nodes that know their lines, so that a finding can say where it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from worker.doctor.folder import Unreadable

_MOST_NODES = 20_000  # aliases can make a small file huge
_BLOCK = ("|", ">")


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, a list or a scalar; `line` is where it begins, from 1 on."""

    kind: str  # "map", "seq", or a scalar's: "str", "int", "float", "bool", "null", ...
    line: int
    text: str = ""  # of a scalar
    text_line: int = 0  # where the text begins: one below the `|` of a block
    items: dict[str, "Node"] = field(default_factory=dict)
    elements: tuple["Node", ...] = ()

    def get(self, name: str) -> "Node | None":
        """The value of a key, None where there is none."""
        return self.items.get(name)

    def get_text(self, name: str) -> str:
        """The text of a key's scalar, "" where there is none."""
        node = self.items.get(name)
        return node.text if node else ""

    def get_list(self, name: str) -> tuple["Node", ...]:
        """The elements of a key's list; a scalar counts as a list of one."""
        node = self.items.get(name)
        if node is None or node.kind in ("map", "null"):
            return ()
        return node.elements if node.kind == "seq" else (node,)

    def scalars(self) -> Iterator["Node"]:
        """Every scalar below, in the order of the file; the keys are not among them."""
        if self.kind not in ("map", "seq"):
            yield self
        for child in (*self.items.values(), *self.elements):
            yield from child.scalars()


def read_yaml(text: str) -> Node:
    """One document. Raises Unreadable with the line; an empty document is a null."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        return _Reading().node(root) if root else Node("null", 1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(f"is no YAML: {error.problem}", mark.line + 1 if mark else 0) from None
    except (yaml.YAMLError, ValueError):
        raise Unreadable("is no YAML: it holds a character that YAML does not allow") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None


class _Reading:
    def __init__(self) -> None:
        self._left = _MOST_NODES

    def node(self, node: yaml.Node) -> Node:
        line = node.start_mark.line + 1
        self._left -= 1
        if self._left < 0:  # an alias of itself ends here too
            raise Unreadable("is too large", line)
        if isinstance(node, yaml.MappingNode):
            return Node("map", line, items=self._items(node))
        if isinstance(node, yaml.SequenceNode):
            return Node("seq", line, elements=tuple(self.node(one) for one in node.value))
        style = getattr(node, "style", None)
        kind = str(node.tag).rpartition(":")[2]
        return Node(kind, line, str(node.value), line + (style in _BLOCK))

    def _items(self, mapping: yaml.MappingNode) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, value in mapping.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise Unreadable("has a key that is no text", line)
            name = str(key.value)
            if name in found:
                raise Unreadable(f"has the key {name[:40]!r} twice", line)
            found[name] = self.node(value)
        return found
