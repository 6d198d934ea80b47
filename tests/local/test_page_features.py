"""The Features page: what can be asked for, how, and how it went lately."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.browser.sample import Told
from tests.browser.shopping import environment
from tests.browser.stage import Stage, stage
from worker.local.page.markdown import html_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with stage(folder, environment=environment(folder)) as made:
        made.site.run.begin()
        for outcome in ("done", "rejected", "done"):
            data = b'{"feature": "smoke_test"}'
            made.sample.message(Told(data, outcomes=(outcome,), feature="smoke_test"))
        yield made


def get(made: Stage, path: str) -> str:
    answer = made.app.test_client().get(path)
    assert answer.status_code == 200
    return answer.text


def text_of(html: str) -> str:
    return " ".join(re.sub("<[^>]*>", " ", html).split())


def test_every_feature_is_listed_with_its_outcomes(made: Stage) -> None:
    shown = get(made, "/features")
    for name in ("heartbeat", "hostile", "note", "resize_image", "send_invoice", "smoke_test"):
        assert f'href="/features/{name}"' in shown
        assert f'href="/publish?feature={name}"' in shown
    rows = text_of(shown)
    assert "Write one log entry and change nothing. SmokeTest 2 done 1 rejected" in rows
    assert "Say that somebody is there. none nothing yet" in rows


def test_a_feature_is_told_with_its_requirements(made: Stage) -> None:
    shown = text_of(get(made, "/features/resize_image"))
    assert "width whole number from 1 to 8192 required Pixels. The height follows." in shown
    choices = "one of &#34;webp&#34;, &#34;avif&#34;, &#34;jpeg&#34;"
    assert f"format choice {choices} &#34;webp&#34; The format of the result." in shown
    assert "crop.left whole number at least 0 0 pixels from the left" in shown
    assert "&#34;source&#34;: &#34;gs://uploads/harbour.jpg&#34;" in shown, "the author's example"


def test_a_feature_without_requirements_says_so(made: Stage) -> None:
    assert "It takes none." in get(made, "/features/heartbeat")


def test_a_feature_has_its_page_of_docs_and_its_latest_outcomes(made: Stage) -> None:
    shown = get(made, "/features/smoke_test")
    assert "docs/features/smoke_test.md" in shown
    assert "Verifies the service and its logging from end to end." in shown
    assert "2 done 1 rejected" in text_of(shown)
    assert "docs/features/note.md" in get(made, "/features/note")


def test_a_feature_that_is_not_there_is_not_found(made: Stage) -> None:
    answer = made.app.test_client().get("/features/%3Cscript%3Ealert(1)")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text
    assert "these are the ones that are" in answer.text


def test_what_a_hostile_author_wrote_is_shown_only(made: Stage) -> None:
    for path in ("/features", "/features/hostile"):
        shown = re.sub(' data-copy="[^"]*"', "", get(made, path))  # is copied as it was written
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "\u202e" not in shown


def test_handlers_that_cannot_be_loaded_are_one_line(tmp_path: Path) -> None:
    broken = environment(tmp_path, HANDLERS="no_such_handlers")
    with stage(tmp_path, environment=broken) as made:
        shown = get(made, "/features")
    assert "the handlers cannot be loaded: cannot import no_such_handlers" in shown


# Markdown


ALLOWED = re.compile(
    r"</?(p|h[3-6]|ul|ol|li|strong|code|thead|tbody|tr|td)>"
    r'|</?pre( class="code" tabindex="0")?>|</?table( class="data")?>|</?div( class="scroll")?>'
    r'|</?th( scope="col")?>|<a href="https?://[^"<>]*" rel="noreferrer">|</a>'
)
_pieces = st.sampled_from(
    ["# ", "- ", "1. ", "| a | b |", "|---|---|", "```", "`", "**", "[", "](", ")", "<!--", "-->",
     "<script>", "https://x.y", "javascript:alert(1)", "\n", "\n\n", "&", '"', "'", "\0", "\u202e"]
)  # fmt: skip


@given(st.lists(_pieces | st.text(max_size=5), max_size=40).map("".join))
def test_any_text_makes_html_of_the_allowed_tags_only(text: str) -> None:
    html = str(html_of(text))
    rest = ALLOWED.sub("", html)
    assert "<" not in rest
    assert "\u202e" not in html
    assert "\0" not in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# One\ntwo\nthree", "<h3>One</h3>\n<p>two three</p>"),
        ("- a\n  b\n- `c`", "<ul><li>a b</li><li><code>c</code></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>b</li></ol>"),
        ("```json\n{\n\n}\n```\nx", '<pre class="code" tabindex="0">{\n\n}</pre>\n<p>x</p>'),
        ("```\nnever closed", '<pre class="code" tabindex="0">never closed</pre>'),
        ("**a** <b> &", "<p><strong>a</strong> &lt;b&gt; &amp;</p>"),
        ("[c](https://d.e)", '<p><a href="https://d.e" rel="noreferrer">c</a></p>'),
        ("[a](../b.md) [c](javascript:d)", "<p>a c</p>"),
        ("<!-- a -->b", "<p>b</p>"),
    ],
)  # fmt: skip
def test_markdown_becomes_html(text: str, html: str) -> None:
    assert str(html_of(text)).strip() == html


def test_a_table_has_heads_and_cells() -> None:
    html = str(html_of("| a | b |\n|---|---|\n| `1` | 2 |\nafter"))
    assert '<tr><th scope="col">a</th><th scope="col">b</th></tr>' in html
    assert "<tbody><tr><td><code>1</code></td><td>2</td></tr></tbody>" in html
    assert html.endswith("<p>after</p>")
