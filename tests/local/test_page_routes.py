"""The pages of deliveries and logs, asked without a browser."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import flask
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.browser.sample import Told, payload
from tests.browser.stage import Stage, stage
from worker.local import page as page_package
from worker.local.errors import ApiError, Code
from worker.local.page import create_blueprint
from worker.local.page.delivery import timeline
from worker.local.pubsub.push.deliveries import Attempt, Delivery


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as stood:
        yield stood


def text(made: Stage, path: str, status: int = 200) -> str:
    answer = made.app.test_client().get(path)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/deliveries/1", "/logs", "/page/head"])
def test_every_page_says_what_a_browser_may_do_with_it(made: Stage, path: str) -> None:
    made.sample.message(Told(payload("smoke_test")))
    headers = made.app.test_client().get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/deliveries/1", "/logs", "/logs?query=)"])
def test_no_page_has_a_style_or_a_script_of_its_own(made: Stage, path: str) -> None:
    made.sample.message(Told(payload("smoke_test")))
    page = made.app.test_client().get(path).get_data(as_text=True)
    assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", page)
    assert "<style" not in page
    assert re.findall(r"<script(?![^>]* src=)", page) == []
    outside = r"""(?:src|href|action)=["'](?:https?:)?//(?!console\.cloud\.google\.com/)"""
    assert not re.search(outside, page)


@given(q=st.text(max_size=20), before=st.text(max_size=30), outcome=st.text(max_size=8))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_address_of_the_list_is_an_error(made: Stage, q: str, before: str, outcome: str) -> None:
    client = made.app.test_client()
    asked = {"q": q, "before": before, "outcome": outcome}
    query = "&".join(f"{key}={quote(value, errors='replace')}" for key, value in asked.items())
    assert client.get(f"/?{query}").status_code == 200


@given(query=st.text(max_size=30), cursor=st.text(max_size=10))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_is_more_than_a_mistake(made: Stage, query: str, cursor: str) -> None:
    asked = f"query={quote(query, errors='replace')}&cursor={quote(cursor, errors='replace')}"
    status = made.app.test_client().get(f"/logs?{asked}").status_code
    assert status in (200, 303, 400)


def test_what_others_wrote_is_what_its_note_says() -> None:
    vendor = Path(page_package.__file__).parent / "static" / "vendor"
    digest = hashlib.sha256((vendor / "htmx.min.js").read_bytes()).hexdigest()
    assert digest in (vendor / "README.md").read_text()
    assert (vendor / "htmx.LICENSE").is_file()


def test_a_delivery_that_is_not_there_is_a_404(made: Stage) -> None:
    for path in ("/deliveries/7", "/deliveries/7/events", f"/deliveries/{10**30}"):
        assert "No such delivery" in text(made, path, 404)
    client = made.app.test_client()
    assert client.post("/deliveries/7/again").status_code == 404
    assert client.post("/deliveries/7/copy").status_code == 404


def test_what_changes_something_is_a_post(made: Stage) -> None:
    number = made.sample.message(Told(payload("smoke_test")))
    client = made.app.test_client()
    for path in ("again", "copy"):
        assert client.get(f"/deliveries/{number}/{path}").status_code == 405
    assert client.post(f"/deliveries/{number}/again").status_code == 303
    assert made.asked.redelivered == [number]


def test_a_refusal_is_one_line_on_the_page(made: Stage) -> None:
    def refuse(*_: object) -> Any:
        raise ApiError(Code.NOT_FOUND, "the topic is gone: create it again")

    number = made.sample.message(Told(payload("smoke_test")))
    site = replace(made.site, publish=refuse, redeliver=refuse)
    app = flask.Flask("refusing")
    app.register_blueprint(create_blueprint(site))
    for path in ("again", "copy"):
        answer = app.test_client().post(f"/deliveries/{number}/{path}")
        assert answer.status_code == 404
        assert "the topic is gone: create it again" in answer.get_data(as_text=True)


def test_a_large_message_is_copied_whole(made: Stage) -> None:
    large = b"x" * 100_000
    number = made.sample.message(Told(large))
    assert "Only the first 64 KiB" in text(made, f"/deliveries/{number}")
    made.app.test_client().post(f"/deliveries/{number}/copy")
    ((_, message),) = made.asked.published
    assert message.data == large


def test_a_number_of_a_page_beyond_the_last_is_an_empty_page(made: Stage) -> None:
    made.sample.message(Told(payload("smoke_test")))
    assert "No message" in text(made, f"/?before=1&q={'x' * 10}")


def test_the_tail_of_a_wrong_query_says_why(made: Stage) -> None:
    assert "line 1, column 1" in text(made, "/logs/tail?query=)", 400)


def test_a_text_that_is_no_text_is_shown_all_the_same(made: Stage) -> None:
    data = b'{"feature": "\\ud800", "\\udfff": "\\u202e"}'
    number = made.sample.message(Told(data))
    shown = text(made, f"/deliveries/{number}")
    assert "⟨U+D800⟩" in shown
    assert "⟨U+202E⟩" in shown
    assert "⟨U+D800⟩" in text(made, "/")


def attempt(started: float, seconds: float) -> Attempt:
    return Attempt(1, 1, "s", "m", 1, "http://e/", started, seconds, 200, "ack")


def delivery(published: float) -> Delivery:
    return Delivery(1, "s", "m", "t", published, b"", 0, {}, "", 1, "done", published)


def test_attempts_are_drawn_in_time_with_the_gaps_between_them() -> None:
    first, second = timeline(delivery(100.0), [attempt(101.0, 1.0), attempt(105.0, 5.0)])
    assert (first.x, first.width, first.gap) == pytest.approx((10.0, 10.0, 1.0))
    assert (second.x, second.width, second.gap) == pytest.approx((50.0, 50.0, 3.0))


times = st.floats(min_value=0, max_value=1e10)


@given(times, st.lists(st.tuples(times, st.floats(min_value=0, max_value=700)), max_size=5))
def test_every_bar_is_within_the_width(published: float, tries: list[tuple[float, float]]) -> None:
    for shown in timeline(delivery(published), [attempt(*each) for each in tries]):
        assert 0 <= shown.x <= shown.x + shown.width <= 100.001
        assert shown.gap >= 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("style.css", 200),
        ("icon.svg", 200),
        ("../site.py", 404),
        ("%2e%2e/site.py", 404),
        ("x", 404),
    ],
)
def test_the_assets_are_served_and_nothing_else(made: Stage, name: str, status: int) -> None:
    answer = made.app.test_client().get(f"/page/static/{name}")
    assert answer.status_code == status
    if status == 200:
        assert answer.mimetype in ("text/css", "image/svg+xml")
