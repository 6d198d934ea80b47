"""The HTML catalogue: one file, complete, and what authors write is text on it."""

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, create_model

from tests.catalog.zoo import ZOO, hostile, maybe, pair, pet
from worker import Context, Requirements, feature
from worker.catalog.commands import Where
from worker.catalog.described import describe
from worker.catalog.page import html_of

HERE = Where("features", "feature-worker")
VOID = {"meta", "input", "br", "link", "img", "hr"}


class Reader(HTMLParser):
    """Elements with their attributes; text; whether each element that was opened is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.comments = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments += 1


def read(*features: Any, where: Where = HERE) -> Reader:
    return Reader(html_of([describe(one) for one in features], where))


def test_the_page_is_well_formed_and_its_ids_are_unique() -> None:
    page = read(*ZOO)
    assert page.open == []
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    labels = {found.get("aria-labelledby") for _, found in page.elements} - {None}
    assert labels <= set(ids)


def test_everything_of_a_feature_is_on_it() -> None:
    page = read(pet, pair)
    for text in (
        "With all of its visits.", "visits[].weight_kg", "above 0 and at most 200", "cat or dog",
        '"feature": "pet"', "gcloud pubsub topics publish features --message=",
        "gcloud logging read", 'jsonPayload.feature="pet"', '"additionalProperties": false',
        "how many", "yes: it may run again when a message comes twice",
        "no: a message that comes twice runs it once", "tests.catalog.zoo.pet",
    ):  # fmt: skip
        assert text in page.text, text


def test_every_example_is_shown() -> None:
    page = read(maybe)
    assert '"nonce": "run-7"' in page.text
    assert '"requirements": "none"' in page.text


def test_the_page_asks_nobody_for_anything() -> None:
    page = read(*ZOO)
    for tag, found in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "form")
        assert not {"src", "srcset", "style"} & set(found), tag
        assert [name for name in found if name.startswith("on")] == []
        target = found.get("href") or "#"
        assert target.startswith(("#", "https://console.cloud.google.com/logs/query;query="))
    policy = next(found for _, found in page.elements if found.get("http-equiv"))["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_project_is_in_the_link_if_it_is_known() -> None:
    targets = [found.get("href") or "" for _, found in read(pet).elements]
    assert not any("project=" in target for target in targets)
    there = read(pet, where=Where("pets", "vet", "my-project"))
    assert any(
        (found.get("href") or "").endswith("?project=my-project") for _, found in there.elements
    )
    assert "in my-project" in re.sub(r"\s+", " ", there.text)


def test_a_worker_without_features_has_a_page_too() -> None:
    assert "There is no feature." in read().text


def test_the_same_features_give_the_same_page() -> None:
    described = [describe(one) for one in ZOO]
    assert html_of(described, HERE) == html_of([describe(one) for one in ZOO], HERE)


def test_what_cannot_be_seen_is_shown() -> None:
    page = html_of([describe(hostile)], HERE)
    assert re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", page) is None
    assert "\\u202e" in page


def made_of(text: str, name: str) -> Any:
    about = {"it": (str, Field("a", alias=name or "it", description=text, examples=[text]))}
    model: Any = create_model("Made", __base__=Requirements, __doc__=text, **about)  # type: ignore[call-overload]

    def handler(want: Any, context: Context) -> None: ...

    handler.__annotations__ = {"want": model, "context": Context, "return": None}
    handler.__doc__ = f"{text}\n\n{text}"
    return feature("made")(handler)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    [
        "</script>",
        "</style><script>",
        "<!--",
        "]]>",
        "{{ 7*7 }}{% raw %}",
        "&lt;",
        '" autofocus x="',
    ]
)


@given(TEXT, TEXT)
@settings(max_examples=60)
def test_any_text_of_an_author_adds_no_element_and_no_attribute(text: str, name: str) -> None:
    def shape(page: Reader) -> list[tuple[str, list[str]]]:
        return [(tag, sorted(found)) for tag, found in page.elements]

    page, plain = read(made_of(text, name)), read(made_of("a", "a"))
    assert page.open == []
    assert page.comments == 0
    paragraphs = text.strip().split("\n\n")
    if len(paragraphs) == 1 and text.strip():
        assert shape(page) == shape(plain)
