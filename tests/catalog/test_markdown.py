"""The generated part of a feature's page: what it says, and what it leaves alone."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.catalog.zoo import HOSTILE, ZOO, beat, hostile, maybe, pair, pet, say
from worker.catalog.commands import Where
from worker.catalog.described import describe
from worker.catalog.markdown import BEGIN, END, PageInvalid, is_generated, renewed
from worker.feature import Feature

HERE = Where("features", "feature-worker")


def page_of(one: Feature[Any], there: str | None = None) -> str:
    return renewed(there, describe(one), HERE)


def test_a_new_page_has_the_docstring_and_the_generated_part() -> None:
    page = page_of(pet)
    assert page.startswith(f"# pet\n\nKeep a pet.\n\nWith all of its visits.\n\n{BEGIN}\n")
    assert page.endswith(f"\n{END}\n")
    assert is_generated(page)
    assert not is_generated("# pet\n")


def test_payload_result_and_query_are_told() -> None:
    page = page_of(pet)
    assert '| `kind` | string | yes | one of "cat", "dog" | cat or dog |\n' in page
    assert "| `count` | integer | how many |\n" in page
    assert 'jsonPayload.feature="pet"' in page
    assert "\ngcloud pubsub topics publish features --message='{" in page
    assert "--project" not in page


def test_the_example_that_is_shown_is_the_first_one() -> None:
    block = re.search(r"```json\n(.*?)\n```", page_of(maybe), re.DOTALL)
    assert block is not None
    assert json.loads(block[1]) == describe(maybe).examples[0]


def test_what_takes_and_answers_nothing_has_no_tables() -> None:
    page = page_of(beat)
    assert "It takes no requirements." in page
    assert "|" not in page
    assert "## The result" not in page


def test_free_text_is_one_row() -> None:
    assert "| Requirement | Type | Needed |\n|---|---|---|\n| `requirements` | string | no |\n" in (
        page_of(say)
    )


def test_an_idempotent_feature_says_so() -> None:
    assert "it is idempotent" in page_of(pair)
    assert "it is idempotent" not in page_of(pet)


def test_the_code_is_linked_from_where_the_page_is() -> None:
    code = (Path("handlers/pet.py"), Path("docs/features"))
    page = renewed(None, describe(pet), HERE, code)
    assert " in [`handlers/pet.py`](../../handlers/pet.py)." in page


def test_what_people_wrote_around_the_part_stays() -> None:
    before, after = "# pet\n\nMine.\n\n", "\n## More\n\nMine, too.\n"
    old = f"{before}{BEGIN}\nold\n{END}\n{after}"
    page = page_of(pet, old)
    assert page.startswith(before + BEGIN)
    assert page.endswith(END + "\n" + after)
    assert "\nold\n" not in page


def test_the_end_that_counts_is_the_one_behind_the_beginning() -> None:
    page = page_of(pet, f"{END}\nMine.\n{BEGIN}\nold\n{END}\nMine, too.\n")
    assert page.startswith(f"{END}\nMine.\n{BEGIN}\n")
    assert page.endswith(f"{END}\nMine, too.\n")
    assert page.count("Mine.") == 1


def test_line_ends_of_other_systems_and_odd_characters_stay() -> None:
    old = f"# pet\r\n\x0c\u2028\r\n{BEGIN}\r\nold\r\n{END}\r\nMine.\r\n"
    page = page_of(pet, old)
    assert page.startswith("# pet\r\n\x0c\u2028\r\n" + BEGIN)
    assert page.endswith(f"{END}\nMine.\r\n")
    assert page.count("\nold") == 0


def test_a_page_without_the_part_gets_it_at_its_end() -> None:
    page = page_of(pet, "# Mine\n\nText.\n\n\n")
    assert page.startswith(f"# Mine\n\nText.\n\n{BEGIN}\n")


def test_a_part_without_an_end_is_one_line() -> None:
    with pytest.raises(PageInvalid, match=r"\A[^\n]*<!-- end -->[^\n]*\Z"):
        page_of(pet, f"# pet\n\n{BEGIN}\ntext\n")


def test_an_end_before_the_beginning_is_no_end() -> None:
    with pytest.raises(PageInvalid):
        page_of(pet, f"{END}\n{BEGIN}\n")


@pytest.mark.parametrize("one", ZOO, ids=lambda one: one.name)
def test_renewing_a_page_again_changes_nothing(one: Feature[Any]) -> None:
    page = page_of(one)
    assert page_of(one, page) == page
    assert page_of(one, f"# A\n{page}## B\n") == f"# A\n{page}## B\n"


def shape_of(page: str) -> list[tuple[str, str]]:
    """The elements that a Markdown reader makes of it, without their text."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark", {"linkify": False}).enable("table").parse(page)
    inside = [child for token in tokens for child in token.children or [] if child.type != "text"]
    spans = [one for one in inside if one.type not in ("text_special", "softbreak")]
    return [
        (token.type, token.content if token.type == "html_block" else "")
        for token in [*tokens, *spans]
        if token.type != "inline"
    ]


def test_hostile_texts_are_text() -> None:
    hostile_one = describe(hostile)
    tame = replace(hostile_one, about="a\n\na")
    for schema in ("requirements", "payload"):
        text = json.dumps(getattr(hostile_one, schema))
        text = text.replace(json.dumps(HOSTILE)[1:-1], "a").replace(
            json.dumps("\"><script>alert(1)</script> | '")[1:-1], "'"
        )
        tame = replace(tame, **{schema: json.loads(text)})
    assert shape_of(renewed(None, hostile_one, HERE)) == shape_of(renewed(None, tame, HERE))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(str.strip))
@settings(max_examples=150)
def test_any_text_stays_in_its_cell_and_in_its_paragraph(text: str) -> None:
    one = describe(maybe)
    assert one.requirements is not None
    properties = {"it": {"type": "string", "description": text}}
    said = replace(one, about=f"A\n\n{text}", requirements={"properties": properties})
    plain = replace(
        one,
        about="A\n\na",
        requirements={"properties": {"it": {**properties["it"], "description": "a"}}},
    )
    paragraphs = len([part for part in text.split("\n\n") if part.strip()])
    if paragraphs == 1:
        assert shape_of(renewed(None, said, HERE)) == shape_of(renewed(None, plain, HERE))
    assert renewed(renewed(None, said, HERE), said, HERE) == renewed(None, said, HERE)
