"""echo."""

from handlers.echo import echo
from worker.testing import deliver


def test_a_text_is_logged_and_comes_back() -> None:
    delivered = deliver(echo, "Grüße, {you}\n")

    assert delivered.result == {"text": "Grüße, {you}\n"}
    assert delivered.event("echo.heard")["text"] == "Grüße, {you}\n"


def test_nothing_is_a_text_too() -> None:
    assert deliver(echo, "none").result == {"text": ""}


def test_what_is_no_text_is_rejected() -> None:
    assert (
        deliver(echo, {"text": "SECRET"}).reason == "bad payload: requirements: should be a string"
    )
