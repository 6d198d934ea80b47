"""Source of models is declarations and nothing else, or it is not used."""

import pytest

from worker.builder.guard import check_source
from worker.builder.order import BuildFailed

NAMES = ("BaseModel", "Field", "ConfigDict", "Annotated", "Literal", "Any", "dt")
HELPER = "def helper(items: Any) -> Any:\n    return items\n"
GOOD = '''
class Owner(BaseModel):
    """Whose pet it is."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, pattern="import os", description="__import__('os')")
    kind: Literal["dog", "os.system('x')", None] | None = None
    since: dt.date
    parent: "Owner | None" = None
    pets: list["Owner"] = Field(default=[{"name": "x"}, -1])


class Visit(BaseModel):
    owner: Annotated[Owner, Field(title="x")]
'''


def test_declarations_are_taken() -> None:
    check_source(GOOD, NAMES)
    check_source(HELPER + GOOD, NAMES, HELPER)


BODIES = [
    "x: int = print(1)",
    "x: int = __import__('os')",
    "x: int = eval('1')",
    "x: int = Field(default_factory=lambda: 1)",
    "x: int = [1 for _ in y]",
    "x: int = Field(title=f'{Field}')",
    "x: int = Field.__class__",
    "x: dt.sys",
    "x: int = Field(1).default",
    "x: unknown",
    "x: int = unknown",
    "x: print",
    "x: \"print('x')\"",
    "x: list[\"__import__('os')\"]",
    "x: 'list[\"exit()\"]'",
    "x: Annotated[int, print(1)]",
    "x: 'no type at all'",
    "print(1)",
    "import os",
    "def f(self): pass",
    "class Inner: pass",
    "if True: pass",
    "x: int = (y := 1)",
    "x: int = 1 if True else 2",
    "x: int = await_",
    "del x",
    "x: int = Field(**{})",
    "x: int = Field(*[])",
    "assert False",
    "x[0] = 1",
    "x.y = 1",
    "x = 1",
    "Field = 1",
]


@pytest.mark.parametrize("body", BODIES)
def test_anything_else_in_a_class_is_not(body: str) -> None:
    with pytest.raises(BuildFailed):
        check_source(f"class Owner(BaseModel):\n    {body}\n", NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "print(1)",
        HELPER,
        HELPER.replace("return items", "return print(items)"),
        "class Owner(print(1)): pass",
        "class Owner(BaseModel, metaclass=Any): pass",
        "@Field\nclass Owner(BaseModel):\n    x: int",
        "class Owner(BaseModel):\n    x: int\nx = 1",
        "class Owner(BaseModel):\n    x: int\nclass Owner(BaseModel):\n    x: int",
        "class Field(BaseModel):\n    x: int",
        "class Owner(BaseModel) x: int",
        "\0",
    ],
)
def test_anything_else_in_the_module_is_not(source: str) -> None:
    with pytest.raises(BuildFailed):
        check_source(source, NAMES)
