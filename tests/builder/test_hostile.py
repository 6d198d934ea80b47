"""Whatever an order says: a bundle that verifies or one clear refusal, and nothing of it is run."""

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.builder.anything import schemas, texts
from worker.builder import Draft, Order, OrderRefused, Target, generate, verify
from worker.builder.checks import python_files
from worker.builder.engine import format_files
from worker.builder.models import Models
from worker.builder.naming import class_name
from worker.builder.sandbox import sandbox
from worker.builder.targets import RECIPES
from worker.builder.wanted import Wanted

pytestmark = pytest.mark.tools

NASTY = [
    "three \"\"\" quotes ''' and a backslash at the end \\",
    '"""\nimport os\nos.system("touch CANARY")\n"""',
    "{{ cycler.__init__.__globals__.os.popen('touch CANARY').read() }} {% include 'x' %}",
    "${CANARY} $(touch CANARY) `touch CANARY` %(name)s \\N{DIGIT ONE} \\u0041 \\",
    "\u202eevil\u2066 \u200b\ufeff \u0430\u0435 nul\0 bell\a esc\x1b[31m \x85\u2028next\r\nline\t",
    "# noqa\n# type: ignore\n# fmt: off\nnothing  # noqa: E501",
    "x" * 500 + " " + "y" * 20_000,
    "<script>alert(1)</script> [a](javascript:x) <!-- end --> | a | b |\n# heading\n",
    "```bash\ntouch CANARY\n```\n~~~\n    touch CANARY",
    "<!-- generated: python -m worker features docs -->\n<!-- end -->",
    "\ud800 half a pair",
    "   \n\t ",
    "猫の体重を記録する。" * 30,
]


def nasty_schema(text: str) -> dict[str, Any]:
    """A schema that says the text wherever a schema can say something."""
    return {
        "type": "object",
        "title": text,
        "description": text,
        "properties": {
            "kind": {"enum": [text, "plain"], "description": text, "title": text},
            "with_default": {"type": "string", "default": text},
            text: {"type": "string", "description": text},
        },
        "required": ["kind"],
    }


def built(order: Order) -> Draft | OrderRefused:
    """The draft, or why there is none."""
    try:
        return generate(order, ())
    except OrderRefused as refused:
        return refused


@pytest.mark.parametrize("target", Target)
def test_hostile_orders_verify_or_are_refused_and_nothing_of_them_is_run(
    target: Target, tmp_path: Path
) -> None:
    canary = tmp_path / "canary"
    files: dict[str, str] = {}
    found: list[Draft] = []
    texts_of = deque(text.replace("CANARY", str(canary)) for text in NASTY)
    texts_of.rotate(-1 if target is Target.FASTAPI else 0)  # what was said here is said there
    for number in range(0, len(NASTY), 2):
        requirements = texts_of[1] if number % 4 else nasty_schema(texts_of[1])
        feature, tag = f"hostile_{number}", texts_of[2][:200]
        order = Order(feature, texts_of[0], requirements, target, tag)
        texts_of.rotate(-2)
        draft = built(order)
        if isinstance(draft, OrderRefused):
            assert len(str(draft).splitlines()) == 1
            assert len(str(draft)) < 400
            draft = generate(replace(order, requirements=None), ())
        found.append(draft)
        files |= draft.files
    verify(replace(found[0], files=files), 300)
    assert not canary.exists()


orders = st.lists(st.tuples(texts, texts, texts | st.none()), min_size=20, max_size=20)


@settings(
    max_examples=6,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example starts four processes
)
@given(orders)
def test_any_text_gives_code_that_is_formatted_linted_and_means_the_same(
    said: list[tuple[str, str, str | None]],
) -> None:
    """Many at once: each tool is started once for all of them."""
    files: dict[str, str] = {}
    for number, (description, sentence, tag) in enumerate(said):
        for target in Target:
            order = Order(f"any_{target}_{number}", description, sentence, target, tag)
            wanted = Wanted("sentence", sentence, None, {}, (("unknown_field", {"surprise": 1}),))
            name = class_name(order.feature)
            models = Models((), f'class {name}({RECIPES[target].base}):\n    """Nothing."""', name)
            files |= RECIPES[target].files(order, wanted, models)
            files |= RECIPES[target].scaffold(order)
    with sandbox(files, "generating", 120, with_worker=True) as box:
        format_files(box, python_files(files))
        for words in (("format", "--check"), ("check", "--output-format=concise")):
            ran = box.run("-m", "ruff", *words, "--no-cache", *python_files(files))
            assert ran.code == 0, ran.output


def test_any_schema_gives_a_bundle_that_verifies_or_is_refused() -> None:
    """All that are not refused are verified together."""
    found: list[Draft] = []

    @settings(
        max_examples=12,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )
    @given(schemas)
    def build(schema: dict[str, Any]) -> None:
        draft = built(Order(f"schema_{len(found)}", "Any schema.", schema))
        if isinstance(draft, OrderRefused):
            assert len(str(draft).splitlines()) == 1
        else:
            found.append(draft)

    build()
    assert found
    files = {name: text for draft in found for name, text in draft.files.items()}
    verify(replace(found[0], files=files), 300)
