"""Bodies that no publisher sends: each ends as what can never succeed ends, and is kept whole."""

import base64
import gzip
import json
import zlib
from pathlib import Path

import pytest

from tests.attacks.support import JSON, canonical, new_id
from tests.contracts.edge import PeakMemory, event_headers, metadata, serving_process
from tests.support.pushes import wrapped
from tests.support.rawhttp import Headers, RawAnswer, chunk, post, request, send
from tests.support.server import ServerProcess
from worker.body import MAX_BODY

pytestmark = pytest.mark.server

GOOD = b'{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
DEEP = 100_000
DIGITS = "1" * 1_000_000


def attack(server: ServerProcess, body: bytes, headers: Headers = ()) -> RawAnswer:
    """One push, its one canonical entry, and a good push behind it."""
    start, good = len(server.lines), new_id()
    answer = post(server.port, body, headers)
    assert post(server.port, GOOD, metadata(good)).json()["outcome"] == "done"
    server.canonical(good)
    first, second = canonical(server.lines[start:])
    assert (first["outcome"], first["status"]) == (answer.json()["outcome"], answer.status)
    assert second["message_id"] == good
    return answer


def with_requirements(text: str) -> bytes:
    return f'{{"feature":"smoke_test","requirements":{text}}}'.encode()


DATA: dict[str, tuple[bytes, str]] = {
    "deep lists": (b"[" * DEEP, "rejected"),
    "deep objects": (b'{"a":' * DEEP, "rejected"),
    "deep and closed": (b"[" * DEEP + b"]" * DEEP, "rejected"),
    "deep requirements": (with_requirements("[" * DEEP + "]" * DEEP), "rejected"),
    "deep in a field": (with_requirements('{"nonce":' * DEEP + "1" + "}" * DEEP), "rejected"),
    "a million digits": (with_requirements(DIGITS), "rejected"),
    "a million digits in a field": (with_requirements(f'{{"nonce":{DIGITS}}}'), "rejected"),
    "a million decimals": (with_requirements(f"0.{DIGITS}"), "rejected"),
    "1e400": (with_requirements("1e400"), "rejected"),
    "-1e400": (with_requirements('{"nonce":-1e400}'), "rejected"),
    "a huge exponent": (with_requirements("1e999999999999999999"), "rejected"),
    "NaN": (with_requirements("NaN"), "rejected"),
    "-Infinity": (with_requirements("-Infinity"), "rejected"),
    "the last of two features": (b'{"feature":"crash","feature":"smoke_test"}', "done"),
    "the last of two requirements": (
        b'{"feature":"smoke_test","requirements":{"nonce":["x"]},"requirements":{}}', "done",
    ),
    "many duplicates": (
        b'{"feature":"smoke_test"' + b',"description":"x"' * 1000 + b"}", "done",
    ),
    "an escaped NUL": (b'{"feature":"smoke_test","description":"\\u0000"}', "done"),
    "a raw NUL": (b'{"feature":"smoke_test","description":"\x00"}', "rejected"),
    "a lone surrogate": (b'{"feature":"smoke_test","description":"\\ud800"}', "rejected"),
    "a surrogate's bytes": (b'{"feature":"smoke_test","description":"\xed\xa0\x80"}', "rejected"),
    "overlong UTF-8": (b'{"feature":"smoke_test","description":"\xc0\x80"}', "rejected"),
    "latin-1": ('{"feature":"smoke_test","description":"é"}'.encode("latin-1"), "rejected"),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, "rejected"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "rejected"),
    "UTF-32": (GOOD.decode().encode("utf-32-le"), "rejected"),
    "raw newlines in a text": (b'{"feature":"smoke_test","description":"a\nb"}', "rejected"),
    "two objects": (GOOD + GOOD, "rejected"),
    "a trailing comma": (b'{"feature":"smoke_test",}', "rejected"),
    "a comment": (b'{"feature":"smoke_test"/**/}', "rejected"),
    "single quotes": (b"{'feature':'smoke_test'}", "rejected"),
    "null": (b"null", "rejected"),
    "a number": (b"1", "rejected"),
    "a list of good ones": (b"[" + GOOD + b"]", "rejected"),
    "only spaces": (b" " * 1_000_000, "rejected"),
    "spaces around": (b" " * 1_000_000 + GOOD + b"\n" * 1_000_000, "done"),
    "a path for a feature": (b'{"feature":"../../etc/passwd"}', "rejected"),
    "a module for a feature": (b'{"feature":"os.system"}', "rejected"),
    "a dunder for a feature": (b'{"feature":"__init__"}', "rejected"),
    "a long feature": (b'{"feature":"' + b"a" * 1_000_000 + b'"}', "rejected"),
    "a feature that looks the same": ('{"feature":"smоke_test"}'.encode(), "rejected"),  # noqa: RUF001 - is what is tested
    "a feature with a newline": (b'{"feature":"smoke_test\\n"}', "rejected"),
    "a long key": (b'{"feature":"smoke_test","' + b"k" * 1_000_000 + b'":1}', "rejected"),
    "many keys": (
        b'{"feature":"smoke_test"' + b"".join(b',"k%d":1' % n for n in range(50_000)) + b"}",
        "rejected",
    ),
    "__proto__": (b'{"feature":"smoke_test","__proto__":{"feature":"crash"}}', "rejected"),
    "many items": (with_requirements("[" + "1," * 1_000_000 + "1]"), "rejected"),
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_data_that_no_publisher_sends_is_done_or_rejected(
    trusting: ServerProcess, name: str
) -> None:
    data, outcome = DATA[name]

    answer = attack(trusting, json.dumps(wrapped(data, message_id=new_id())).encode(), [JSON])

    assert (answer.status, answer.json()["outcome"]) == (200, outcome)
    assert len(answer.body) < 1000


@pytest.mark.parametrize("name", [name for name, (_, end) in DATA.items() if end == "rejected"])
def test_the_same_data_is_rejected_without_its_wrapper(trusting: ServerProcess, name: str) -> None:
    answer = attack(trusting, DATA[name][0], metadata(new_id()))

    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")


ENVELOPES: dict[str, bytes] = {
    "deep": b'{"message":' * DEEP,
    "deep attributes": b'{"message":{"attributes":' + b"[" * DEEP + b"]" * DEEP + b"}}",
    "deep in what is not read": b'{"message":{"data":"","more":'
    + b"[" * DEEP
    + b"]" * DEEP
    + b"}}",
    "a list": b'[{"message":{}}]',
    "message a text": b'{"message":"x"}',
    "message null": b'{"message":null}',
    "only a subscription": b'{"subscription":"s"}',
    "data a number": b'{"message":{"data":5}}',
    "data an object": b'{"message":{"data":{}}}',
    "data no base64": b'{"message":{"data":"%%%%"}}',
    "data half base64": b'{"message":{"data":"eyJ"}}',
    "data with a newline": b'{"message":{"data":"eyJh\\n"}}',
    "data beyond ASCII": '{"message":{"data":"é"}}'.encode(),
    "attributes a list": b'{"message":{"data":"","attributes":[]}}',
    "an attribute a number": b'{"message":{"data":"","attributes":{"a":1}}}',
    "id a number": b'{"message":{"data":"","messageId":1}}',
    "id empty": b'{"message":{"data":"","messageId":""}}',
    "id a lone surrogate": b'{"message":{"data":"","messageId":"\\ud800"}}',
    "time a word": b'{"message":{"data":"","publishTime":"soon"}}',
    "time without a zone": b'{"message":{"data":"","publishTime":"2026-11-22T00:00:00"}}',
    "time beyond every calendar": b'{"message":{"data":"","publishTime":"99999-01-01T00:00:00Z"}}',
    "time of a million digits": b'{"message":{"data":"","publishTime":' + b"1" * 1_000_000 + b"}}",
    "attempt negative": b'{"message":{"data":""},"deliveryAttempt":-1}',
    "attempt 1e400": b'{"message":{"data":""},"deliveryAttempt":1e400}',
    "attempt a text": b'{"message":{"data":""},"deliveryAttempt":"1"}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(wrapped()).encode(),
    "UTF-16": json.dumps(wrapped()).encode("utf-16"),
    "empty": b"",
    "NUL": b"\x00",
    "not UTF-8": b'{"message":{"data":"","attributes":{"a":"\xff"}}}',
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_that_pubsub_does_not_make_is_rejected(
    trusting: ServerProcess, name: str
) -> None:
    answer = attack(trusting, ENVELOPES[name], [JSON])

    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")
    assert len(answer.body) < 1000


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("binary", "google.cloud.pubsub.topic.v1.messagePublished"),
        ("attributes", "com.example.x"),
        ("structured", ""),
    ],
)
@pytest.mark.parametrize(
    "body", [b"[" * DEEP, b"\xff", b"1" * 1_000_000], ids=["deep", "ff", "long"]
)
def test_an_event_around_it_changes_nothing(
    trusting: ServerProcess, form: str, kind: str, body: bytes
) -> None:
    headers = event_headers(new_id(), kind)
    if form == "structured":
        headers = [("Content-Type", "application/cloudevents+json")]

    answer = attack(trusting, body, headers)

    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")


def test_an_id_a_thousand_times_larger_than_pubsubs_is_an_id(trusting: ServerProcess) -> None:
    body = json.dumps(wrapped(message_id="9" * 20_000, attributes={"a" * 5000: "b" * 50_000}))

    assert attack(trusting, body.encode(), [JSON]).json()["outcome"] == "done"


def test_of_two_ids_the_last_one_counts(trusting: ServerProcess) -> None:
    first, last = new_id(), new_id()
    body = json.dumps(wrapped(message_id=last)).replace(
        '"message": {', f'"message": {{"messageId": "{first}", ', 1
    )

    assert attack(trusting, body.encode(), [JSON]).json()["message_id"] == last


CODINGS = ["gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, gzip", "aes128gcm"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("form", ["wrapped", "unwrapped"])
def test_a_compressed_body_is_rejected_and_kept_as_it_came(
    trusting: ServerProcess, coding: str, form: str
) -> None:
    plain = GOOD if form == "unwrapped" else json.dumps(wrapped()).encode()
    body = zlib.compress(plain) if coding == "deflate" else gzip.compress(plain + new_id().encode())
    headers = metadata(new_id()) if form == "unwrapped" else [JSON]

    answer = attack(trusting, body, [*headers, ("Content-Encoding", coding)])

    assert answer.status == 200
    assert answer.json()["outcome"] == "rejected"
    assert answer.json()["reason"] == (
        "bad envelope: content-encoding: a compressed body is not read"
    )
    folder = Path(f"/proc/{trusting.process.pid}/cwd").readlink()
    entry = canonical(trusting.lines)[-2]
    record = json.loads((folder / entry["quarantine"]).read_text())
    assert base64.b64decode(record["body"]) == body
    assert record["headers"]["content-encoding"] == coding


def test_a_compressed_body_is_not_read_although_another_header_says_identity(
    trusting: ServerProcess,
) -> None:
    headers = [("Content-Encoding", "identity"), ("Content-Encoding", "gzip"), JSON]

    answer = attack(trusting, gzip.compress(json.dumps(wrapped()).encode()), headers)

    assert answer.json()["outcome"] == "rejected"


def test_a_body_that_says_it_is_not_compressed_is_read(trusting: ServerProcess) -> None:
    headers = [("Content-Encoding", "Identity"), *metadata(new_id())]

    assert attack(trusting, GOOD, headers).json()["outcome"] == "done"


def test_a_bomb_is_not_unpacked(trusting: ServerProcess) -> None:
    bomb = gzip.compress(bytes(200_000_000), 1)

    with PeakMemory(serving_process(trusting)) as memory:
        answer = post(trusting.port, bomb, [JSON, ("Content-Encoding", "gzip")])

    assert answer.json()["outcome"] == "rejected"
    assert memory.grown < 50 * 1024  # KiB


def test_chunks_of_two_bytes_cost_no_more_than_their_bytes(trusting: ServerProcess) -> None:
    tiny = chunk(b"xx") * 50_000

    with PeakMemory(serving_process(trusting)) as memory:
        head = request("POST", "/", [("Transfer-Encoding", "chunked")], None)
        answer = send(trusting.port, head + tiny * 50 + chunk(b""))  # 5 MB in 2,500,000 chunks

    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")
    assert memory.grown < 4 * MAX_BODY / 1024
