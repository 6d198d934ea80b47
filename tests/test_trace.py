"""Which trace a request belongs to: two headers, and what is not valid in them."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.pushes import push_of
from worker.message import Form, Message
from worker.trace import Trace, publisher_trace, trace_of

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"
W3C = f"00-{TRACE}-{SPAN}-01"
OTHER = "f" * 32


def found(traceparent: str | None = None, cloud: str | None = None) -> Trace | None:
    headers = {"traceparent": traceparent, "x-cloud-trace-context": cloud}
    return trace_of(push_of(b"", {name: v for name, v in headers.items() if v is not None}))


@pytest.mark.parametrize(
    ("flags", "sampled"), [("00", False), ("01", True), ("03", True), ("02", False), ("ff", True)]
)
def test_a_traceparent_gives_trace_span_and_sampling(flags: str, sampled: bool) -> None:
    assert found(f"00-{TRACE}-{SPAN}-{flags}") == Trace(TRACE, SPAN, sampled)


@pytest.mark.parametrize("header", [f"01-{TRACE}-{SPAN}-01", f"fe-{TRACE}-{SPAN}-01-what-ever"])
def test_a_later_version_may_add_parts(header: str) -> None:
    assert found(header) == Trace(TRACE, SPAN, sampled=True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        W3C + "-extra",
        W3C + "-",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}0-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"01-{TRACE}-{SPAN}-01extra",
        W3C + "\n",
        W3C.replace("0", "\N{ARABIC-INDIC DIGIT ZERO}"),
        f"{W3C},{W3C}",
    ],
)
def test_a_bad_traceparent_is_ignored(header: str) -> None:
    assert found(header) is None
    assert found(header, f"{OTHER}/5;o=1") == Trace(OTHER, "0000000000000005", sampled=True)


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"{TRACE}/12345;o=1", Trace(TRACE, "0000000000003039", sampled=True)),
        (f"{TRACE}/12345;o=0", Trace(TRACE, "0000000000003039")),
        (f"{TRACE}/12345", Trace(TRACE, "0000000000003039")),
        (f"{TRACE.upper()}/1;o=1", Trace(TRACE, "0000000000000001", sampled=True)),
        (f"{TRACE}/{2**64 - 1};o=1", Trace(TRACE, "f" * 16, sampled=True)),
        (f"{TRACE}/{2**64};o=1", Trace(TRACE, "", sampled=True)),
        (f"{TRACE}/0;o=1", Trace(TRACE, "", sampled=True)),
        (f"{TRACE};o=1", Trace(TRACE, "", sampled=True)),
        (TRACE, Trace(TRACE)),
    ],
)
def test_a_cloud_trace_context_has_its_decimal_span_converted(header: str, trace: Trace) -> None:
    assert found(cloud=header) == trace


@pytest.mark.parametrize(
    "header",
    [
        "",
        "not-a-trace-id_zz/1;o=1",
        f"{'0' * 32}/1;o=1",
        f"{TRACE}/{SPAN};o=1",
        f"{TRACE}/-1;o=1",
        f"{TRACE}/1;o=",
        f"{TRACE}/1;o=1;x=1",
        f"{TRACE}/٣;o=1",
        f"{TRACE}/{'9' * 21}",
        f"{TRACE}0/1",
        f"{TRACE}/1\n",
    ],
)
def test_a_bad_cloud_trace_context_is_ignored(header: str) -> None:
    assert found(cloud=header) is None


def test_traceparent_counts_before_the_cloud_header() -> None:
    assert found(W3C, f"{OTHER}/5;o=0") == Trace(TRACE, SPAN, sampled=True)


def test_without_a_header_there_is_no_trace() -> None:
    assert found() is None


def test_the_fields_of_an_entry_name_the_project() -> None:
    assert Trace(TRACE, SPAN, sampled=True).fields("demo") == {
        "logging.googleapis.com/trace": f"projects/demo/traces/{TRACE}",
        "logging.googleapis.com/spanId": SPAN,
        "logging.googleapis.com/trace_sampled": True,
    }


def test_without_a_project_or_a_span_the_fields_say_what_there_is() -> None:
    assert Trace(TRACE).fields("") == {
        "logging.googleapis.com/trace": TRACE,
        "logging.googleapis.com/trace_sampled": False,
    }


NEARLY = st.text("0123456789abcdefABCDEF-/;o=,g\n", max_size=70) | st.from_regex(
    r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?|[0-9a-fA-F]{32}(/[0-9]*)?(;o=[0-9]*)?"
)


@given(st.text(st.characters()) | NEARLY, st.text(st.characters()) | NEARLY)
@example(f"00-{TRACE}-{SPAN}-01", "")
def test_any_header_text_is_a_valid_trace_or_none(traceparent: str, cloud: str) -> None:
    trace = found(traceparent, cloud)
    if trace is not None:
        assert re.fullmatch("[0-9a-f]{32}", trace.trace_id)
        assert int(trace.trace_id, 16)
        assert trace.span_id == "" or re.fullmatch("[0-9a-f]{16}", trace.span_id)
        assert trace.span_id == "" or int(trace.span_id, 16)


def published(**attributes: str) -> Message:
    return Message("1", b"", attributes, Form.WRAPPED)


def test_the_trace_of_a_publisher_is_a_field_of_its_own() -> None:
    message = published(traceparent=f"00-{TRACE}-{SPAN}-01")
    assert publisher_trace(message) == {"publisher_trace": TRACE}


@pytest.mark.parametrize(
    "message", [None, published(), published(traceparent=""), published(traceparent="00-x-y-01")]
)
def test_a_message_without_a_publishers_trace_has_no_such_field(message: Message | None) -> None:
    assert publisher_trace(message) == {}
