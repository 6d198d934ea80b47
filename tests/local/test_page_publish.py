"""The Publish page: what its form makes, what is wrong with it, where it goes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.browser.sample import Told
from tests.browser.shopping import environment
from tests.browser.stage import Stage, stage
from tests.support.cli import nobody
from tests.support.standin import Call, Reply, StandIn
from worker.envelope import decode
from worker.local.errors import ApiError, Code
from worker.local.page import draft as drafts
from worker.local.page import faultpanel
from worker.local.page.presets import PRESETS
from worker.local.page.sending import Batches
from worker.local.pubsub.push.faults import FaultSettings
from worker.message import Form, PubsubMessage, Push

GOOD = {
    "feature": "resize_image",
    "requirements/source": "gs://uploads/harbour.jpg",
    "requirements/width": "640",
    "requirements/format": '"webp"',
    "requirements/quality": "0.8",
    "description": "from the shop",
    "via": "topic",
    "count": "1",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One for all that leave nothing behind: it has asked for its features once."""
    folder = tmp_path_factory.mktemp("stage")
    with stage(folder, environment=environment(folder)) as shared:
        yield shared


@pytest.fixture
def made(shared: Stage) -> Stage:
    shared.asked.published.clear()
    shared.site.faults.set(FaultSettings())
    return shared


def post(made: Stage, path: str = "/publish", **changes: str) -> TestResponse:
    values = {name: value for name, value in (GOOD | changes).items() if value != "-"}
    return made.app.test_client().post(path, data=values)


def get(made: Stage, path: str) -> TestResponse:
    return made.app.test_client().get(path)


def payload_of(made: Stage) -> Any:
    (_, message) = made.asked.published[-1]
    return json.loads(message.data)


def test_a_form_that_is_right_is_published_as_the_backend_would(made: Stage) -> None:
    answer = post(made)
    assert answer.status_code == 200
    assert "Published 1 message" in answer.text
    assert made.asked.published[0][0] == made.site.topic
    assert payload_of(made) == {
        "feature": "resize_image",
        "description": "from the shop",
        "requirements": {
            "source": "gs://uploads/harbour.jpg",
            "width": 640,
            "format": "webp",
            "quality": 0.8,
            "sharpen": False,
            "tags": [],
        },
    }


def test_what_the_worker_would_reject_is_said_at_its_field_and_not_sent(made: Stage) -> None:
    answer = post(made, **{"requirements/width": "9000", "requirements/quality": "0.81"})
    assert answer.status_code == 422
    assert made.asked.published == []
    assert (
        "bad payload: requirements.width: Input should be less than or equal to 8192" in answer.text
    )
    width = answer.text.partition('name="requirements/width"')[2].partition(">")[0]
    assert 'aria-invalid="true"' in width
    assert "autofocus" in width, "the focus goes to the first mistake"
    assert 'value="9000"' in width, "what was typed is kept"
    for note in re.findall(r'aria-describedby="([^"]*)"', width)[0].split():
        assert f'id="{note}"' in answer.text
    quality = answer.text.partition('name="requirements/quality"')[2].partition(">")[0]
    assert 'aria-invalid="true"' in quality
    assert "autofocus" not in quality


def test_it_can_be_sent_all_the_same(made: Stage) -> None:
    assert "Send it anyway" in post(made, **{"requirements/width": "0"}).text
    assert post(made, anyway="1", **{"requirements/width": "0"}).status_code == 200
    assert payload_of(made)["requirements"]["width"] == 0


def test_text_that_is_no_json_is_not_sent_even_then(made: Stage) -> None:
    answer = post(
        made, feature="send_invoice", anyway="1", **{"requirements/lines": "[{]"}
    )  # fmt: skip
    assert answer.status_code == 422
    assert "this is no JSON: " in answer.text
    assert made.asked.published == []


def test_a_mistake_in_an_item_is_said_at_the_list(made: Stage) -> None:
    lines = '[{"sku": "KB-87", "quantity": 0}]'
    fields = {"customer": "C-20417", "due": "2026-12-01", "currency": '"EUR"', "lines": lines}
    answer = post(
        made, feature="send_invoice", **{f"requirements/{k}": v for k, v in fields.items()}
    )
    assert answer.status_code == 422
    control = answer.text.partition('name="requirements/lines"')[2].partition(">")[0]
    assert 'aria-invalid="true"' in control


@pytest.mark.parametrize(
    ("feature", "values", "wanted"),
    [
        ("heartbeat", {}, {"feature": "heartbeat"}),
        ("note", {"requirements": "a\r\nb"}, {"feature": "note", "requirements": "a\nb"}),
        ("note", {}, {"feature": "note", "requirements": ""}),
        ("smoke_test", {}, {"feature": "smoke_test"}),
        (
            "smoke_test",
            {"requirements/nonce": "n-1"},
            {"feature": "smoke_test", "requirements": {"nonce": "n-1"}},
        ),
    ],
)  # fmt: skip
def test_every_kind_of_requirements_can_be_published(
    made: Stage, feature: str, values: dict[str, str], wanted: Any
) -> None:
    answer = made.app.test_client().post("/publish", data={"feature": feature, **values})
    assert answer.status_code == 200, answer.text
    assert payload_of(made) == wanted


def test_attributes_and_an_ordering_key_go_with_it(made: Stage) -> None:
    post(made, attributes="tenant=a\r\nsource=shop=1\r\n\r\n", ordering_key="C-1")
    (_, message) = made.asked.published[-1]
    assert message.attributes == {"tenant": "a", "source": "shop=1"}
    assert message.ordering_key == "C-1"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"attributes": "tenant=a\nnonsense"}, "line 2: an attribute is written key=value"),
        ({"attributes": "=a"}, "line 1: an attribute is written key=value"),
        ({"count": "0"}, "a number from 1 to 1000"),
        ({"count": "1001"}, "a number from 1 to 1000"),
        ({"count": "\u0663"}, "a number from 1 to 1000"),
    ],
)
def test_a_mistake_beside_the_requirements_is_said_too(
    made: Stage, changes: dict[str, str], why: str
) -> None:
    answer = post(made, **changes)
    assert answer.status_code == 422
    assert why in answer.text
    assert made.asked.published == []


def test_copies_are_messages_of_their_own(made: Stage) -> None:
    answer = post(made, count="25")
    assert len(made.asked.published) == 25
    assert "Published 25 messages" in answer.text
    assert answer.text.count('<th scope="row" class="mono">70') == 10, "not all are shown"


def test_what_the_topic_refuses_is_said(tmp_path: Path) -> None:
    def refuse(topic: str, message: PubsubMessage) -> str:
        raise ApiError(Code.INVALID_ARGUMENT, "an attribute's key begins with goog")

    with stage(tmp_path, environment=environment(tmp_path), publish=refuse) as made:
        answer = post(made)
    assert answer.status_code == 400
    assert "not published: an attribute&#39;s key begins with goog" in answer.text


def test_its_outcome_comes_by_itself(made: Stage) -> None:
    (address,) = re.findall('hx-get="(/publish/sent/[0-9]+)"', post(made).text)
    again = get(made, address).text
    assert f'hx-get="{address}"' in again
    assert "pending" in again
    assert "Watching" in again


def test_a_message_that_waits_says_for_what(made: Stage, tmp_path: Path) -> None:
    made.site.faults.set(FaultSettings(paused=True))
    assert "Pushes are paused: it waits." in post(made).text
    with stage(
        tmp_path, environment=environment(tmp_path), worker_url=lambda: ""
    ) as stopped:  # fmt: skip
        assert "No worker serves now: it waits." in post(stopped).text


def test_when_nothing_more_will_happen_it_is_no_longer_asked(tmp_path: Path) -> None:
    def deliver(topic: str, message: PubsubMessage) -> str:
        delivery = there[0].site.deliveries.get(there[0].sample.message(Told(message.data)))
        assert delivery is not None
        return delivery.message_id

    there: list[Stage] = []
    with stage(tmp_path, environment=environment(tmp_path), publish=deliver) as made:
        there.append(made)
        made.site.run.begin()
        shown = post(made).text
    assert 'hx-get="/publish/sent/' not in shown
    assert "Nothing more will happen" in shown
    assert 'href="/deliveries/1"' in shown


def test_a_batch_that_nobody_knows_any_more_is_not_found(made: Stage) -> None:
    batches = Batches(made.site)
    for _ in range(51):
        batches.publish(PubsubMessage(b"{}"), 1)
    assert batches.progress(1) is None
    assert batches.progress(51) is not None
    assert get(made, "/publish/sent/99").status_code == 404


@pytest.mark.parametrize("form", list(Form))
def test_every_form_goes_straight_to_the_worker(tmp_path: Path, form: Form) -> None:
    def worker(call: Call) -> Reply:
        answer = {"outcome": "done", "reason": "handled by resize_image", "message_id": "m-1"}
        return Reply.json(answer)

    with StandIn(worker) as there, stage(
        tmp_path, environment=environment(tmp_path), worker_url=lambda: there.url
    ) as made:  # fmt: skip
        answer = post(made, via=form, count="3")
    assert answer.status_code == 200
    assert "The worker answered" in answer.text
    assert "handled by resize_image" in answer.text
    assert made.asked.published == []
    assert len(there.calls) == 3
    read = decode(Push(tuple(there.calls[0].headers.items()), there.calls[0].body))
    assert read.form is form
    assert json.loads(read.data)["requirements"]["width"] == 640


def test_what_a_form_does_not_carry_is_said(made: Stage) -> None:
    answer = post(made, via=Form.UNWRAPPED_NO_METADATA, attributes="a=b", ordering_key="c")
    assert "carries no attributes and no ordering key" in answer.text


def test_a_worker_that_is_gone_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        nobody() as address,
        stage(
            tmp_path, environment=environment(tmp_path), worker_url=lambda: f"http://{address}"
        ) as made,
    ):
        assert "nobody listens there" in post(made, via="wrapped").text
    with stage(tmp_path / "b", environment=environment(tmp_path), worker_url=lambda: "") as stopped:
        assert "no worker serves now" in post(stopped, via="wrapped").text


def test_any_payload_goes_as_it_is(made: Stage) -> None:
    post(made, feature="", payload='{"feature": \r\n', encoding="text")
    assert made.asked.published[-1][1].data == b'{"feature": \n'
    post(made, feature="", payload="gIGC\r\ngw==", encoding="base64")
    assert made.asked.published[-1][1].data == b"\x80\x81\x82\x83"
    answer = post(made, feature="", payload="~", encoding="base64")
    assert answer.status_code == 422
    assert "this is no Base64" in answer.text


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_wrong_message_can_be_tried_with_a_click(made: Stage, preset: Any) -> None:
    shown = get(made, f"/publish?feature=&preset={preset.name}")
    assert shown.status_code == 200
    values = {"feature": "", "payload": preset.payload, "encoding": preset.encoding}
    assert made.app.test_client().post("/publish", data=values).status_code == 200
    assert made.asked.published[-1][1].data != b""


def test_an_example_of_the_author_fills_the_form_in(made: Stage) -> None:
    shown = get(made, "/publish?feature=resize_image&example=1").text
    assert 'value="gs://uploads/lake.png"' in shown
    assert ">\nlake\nwinter</textarea>" in shown
    assert get(made, "/publish?feature=resize_image&example=7").status_code == 200
    assert get(made, "/publish?feature=resize_image&example=x").status_code == 200


def test_the_command_follows_the_form(made: Stage) -> None:
    shown = post(made, "/publish/preview", attributes="tenant=a").text
    assert "gcloud pubsub topics publish features --project=demo" in shown
    assert "--attribute=tenant=a" in shown
    assert "&#34;width&#34;: 640" in shown
    assert made.asked.published == []


def test_a_feature_that_is_not_there_is_said(made: Stage) -> None:
    assert "no feature is called nope" in get(made, "/publish?feature=nope").text
    answer = post(made, feature="nope")
    assert answer.status_code == 422
    assert made.asked.published == []


def test_handlers_that_cannot_be_loaded_are_one_line_and_the_page_stays(tmp_path: Path) -> None:
    broken = environment(tmp_path, HANDLERS="no_such_handlers")
    with stage(tmp_path, environment=broken) as made:
        shown = get(made, "/publish")
        assert shown.status_code == 200
        assert "the handlers cannot be loaded: cannot import no_such_handlers" in shown.text
        assert "Traceback" not in shown.text
        assert post(made, feature="", payload="{}").status_code == 200


def test_hostile_handlers_and_values_are_shown_only(made: Stage) -> None:
    evil = "</textarea><script>alert(1)</script>\u202e\x00\ud800".encode(
        "utf-8", "replace"
    ).decode()
    for shown in (
        get(made, "/publish?feature=hostile").text,
        get(made, "/publish?feature=%3Cscript%3Ealert(1)%3C/script%3E").text,
        post(made, description=evil, attributes=evil, ordering_key=evil, count=evil).text,
        post(made, feature="", payload=evil, encoding=evil, via=evil).text,
        post(made, "/publish/preview", feature="", payload=evil).text,
    ):
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert "</textarea><script" not in shown


@given(st.text(), st.text(), st.text(), st.text(), st.sampled_from(["text", "base64", ""]))
def test_any_text_in_the_free_form_makes_a_message_or_a_problem(
    payload: str, attributes: str, count: str, via: str, encoding: str
) -> None:
    values = {
        "payload": payload,
        "attributes": attributes,
        "count": count,
        "via": via,
        "encoding": encoding,
    }
    draft = drafts.read(None, values)
    assert 1 <= draft.count <= drafts.MOST_COPIES
    assert draft.via in {drafts.TOPIC, *Form}
    assert isinstance(draft.shown, str)
    assert draft.problems.keys() <= {"payload", "attributes", "count"}


# faults


@given(
    st.builds(
        FaultSettings,
        duplicate=st.integers(0, 100).map(lambda percent: percent / 100),
        reorder=st.booleans(),
        delay_seconds=st.integers(0, 600_000).map(lambda ms: ms / 1000),
        drop_answer=st.integers(0, 100).map(lambda percent: percent / 100),
        burst=st.integers(0, 100),
        paused=st.booleans(),
    )
)
def test_switches_as_they_are_shown_mean_the_same_settings(settings: FaultSettings) -> None:
    assert faultpanel.settings_of(faultpanel.texts_of(settings)) == (settings, {})


@given(st.dictionaries(st.sampled_from([one.name for one in faultpanel.SWITCHES]), st.text()))
def test_any_text_in_the_switches_makes_settings_or_a_problem(values: dict[str, str]) -> None:
    settings, problems = faultpanel.settings_of(values)
    assert 0 <= settings.duplicate <= 1
    assert 0 <= settings.burst <= 100
    assert all(said.startswith("a ") for said in problems.values())


def test_faults_are_set_and_switched_off(made: Stage) -> None:
    client = made.app.test_client()
    values = {"duplicate": "25", "delay": "300", "paused": "on", "feature": "note"}
    answer = client.post("/publish/faults", data=values)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/publish?feature=note#faults")
    wanted = FaultSettings(duplicate=0.25, delay_seconds=0.3, paused=True)
    assert made.site.faults.get() == wanted
    assert 'id="fault-duplicate"' in get(made, "/publish?feature=note").text
    client.post("/publish/faults", data={"off": "1", "duplicate": "nonsense"})
    assert made.site.faults.get() == FaultSettings()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"duplicate": "101"}, "a number from 0 to 100"),
        ({"delay": "nan"}, "a number from 0 to 600000"),
        ({"burst": "1.5"}, "a whole number from 0 to 100"),
        ({"drop_answer": "-1"}, "a number from 0 to 100"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_beside_its_switch(
    made: Stage, values: dict[str, str], why: str
) -> None:
    answer = made.app.test_client().post("/publish/faults", data={"paused": "on", **values})
    assert answer.status_code == 422
    assert why in answer.text
    assert made.site.faults.get() == FaultSettings()


def test_googles_emulator_has_no_switches(tmp_path: Path) -> None:
    with stage(tmp_path, environment=environment(tmp_path), emulated=True) as made:
        shown = get(made, "/publish").text
        assert "it has no such switches" in shown
        assert 'name="duplicate"' not in shown
        assert "What the worker did is in the logs" in post(made).text
