"""worker.local.pubsub.push.wire: one request, one answer, one deadline."""

import contextlib
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from hypothesis import given
from hypothesis import strategies as st

from tests.support.keyserver import private_key
from tests.support.push_delivery import WAIT_SECONDS
from tests.support.standin import Call, Reply, StandIn, talks, unused_address
from worker.local.pubsub.push.bodies import PushRequest
from worker.local.pubsub.push.connection import ANSWER_LIMIT
from worker.local.pubsub.push.wire import Missed, NoAnswer, Stopped, Wire, address_of

REQUEST = PushRequest((("content-type", "application/json"), ("x-name", "ä")), b"{}")


@pytest.fixture
def wire() -> Iterator[Wire]:
    with contextlib.closing(Wire()) as made:
        yield made


Talk = Callable[[socket.socket], None]


@contextlib.contextmanager
def server(talk: Talk) -> Iterator[str]:
    """The URL of a server that reads the head and body of a request, and then does this."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                while self.request.recv(65536):
                    talk(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}/"
        listening.shutdown()


def says(raw: bytes) -> Talk:
    return lambda connection: connection.sendall(raw)


def test_the_request_arrives_as_it_is(wire: Wire) -> None:
    with StandIn(lambda _: Reply(201, b"made", {"X-Said": "yes"})) as endpoint:
        answer = wire.post(f"{endpoint.url}/push?token=a%20b#part", REQUEST, WAIT_SECONDS)
        (call,) = endpoint.calls
    assert (answer.status, answer.body, answer.headers["X-Said"]) == (201, b"made", "yes")
    assert (call.method, call.path, call.body) == ("POST", "/push?token=a%20b", b"{}")
    assert call.headers == {
        "host": endpoint.address,
        "content-length": "2",
        "content-type": "application/json",
        "x-name": "ä".encode().decode("latin-1"),
    }


def test_a_connection_is_kept_for_the_next_request(wire: Wire) -> None:
    with StandIn(lambda _: Reply(200, b"body")) as endpoint:
        for _ in range(3):
            wire.post(endpoint.url, REQUEST, WAIT_SECONDS)
    assert len({call.connection for call in endpoint.calls}) == 1


def test_a_connection_that_was_closed_meanwhile_is_not_used(wire: Wire) -> None:
    hung_up = threading.Semaphore(0)

    def answer_and_hang_up(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_RDWR)
        hung_up.release()

    with server(answer_and_hang_up) as url:
        for _ in range(3):
            assert wire.post(url, REQUEST, WAIT_SECONDS).status == 200
            assert hung_up.acquire(timeout=WAIT_SECONDS)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 500 Late\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Unasked\r\n\r\n",
    ],
)
def test_a_connection_that_cannot_go_on_is_given_up(wire: Wire, answer: bytes) -> None:
    calls = []

    def talk(connection: socket.socket) -> None:
        calls.append(connection.getpeername())
        connection.sendall(answer)
        if b"1.0" in answer:
            connection.shutdown(socket.SHUT_RDWR)

    with server(talk) as url:
        first, second = (wire.post(url, REQUEST, WAIT_SECONDS) for _ in range(2))
    assert first.status == second.status < 300
    assert calls[0] != calls[1]


def test_a_connection_that_is_not_used_any_more_is_closed(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    with StandIn(lambda _: Reply(200)) as endpoint:
        assert not wire.tidy()
        wire.post(endpoint.url, REQUEST, WAIT_SECONDS)
        assert wire.tidy()
        monkeypatch.setattr("worker.local.pubsub.push.wire.IDLE_SECONDS", 0.0)
        assert not wire.tidy()
        wire.post(endpoint.url, REQUEST, WAIT_SECONDS)
    assert len({call.connection for call in endpoint.calls}) == 2


def test_a_redirect_is_an_answer_and_not_followed(wire: Wire) -> None:
    def redirect(call: Call) -> Reply:
        return Reply(302, b"", {"Location": "/elsewhere"}) if call.path == "/" else Reply()

    with StandIn(redirect) as endpoint:
        assert wire.post(endpoint.url, REQUEST, WAIT_SECONDS).status == 302
    assert [call.path for call in endpoint.calls] == ["/"]


def test_a_proxy_of_the_environment_is_not_asked(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{unused_address()}")
    with StandIn(lambda _: Reply(204)) as endpoint:
        assert wire.post(endpoint.url, REQUEST, WAIT_SECONDS).status == 204


def test_processing_is_an_answer_of_its_own(wire: Wire) -> None:
    with server(says(b"HTTP/1.1 102 Processing\r\n\r\n")) as url:
        assert wire.post(url, REQUEST, WAIT_SECONDS).status == 102


def test_other_interim_answers_are_passed_over(wire: Wire) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    final = b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno"
    with server(says(interim + final)) as url:
        answer = wire.post(url, REQUEST, WAIT_SECONDS)
    assert (answer.status, answer.body) == (503, b"no")


def test_a_silent_endpoint_misses_the_deadline(wire: Wire) -> None:
    with (
        StandIn(lambda _: Reply(hang=True)) as endpoint,
        pytest.raises(Missed, match=r"no answer within 0\.2 s"),
    ):
        wire.post(endpoint.url, REQUEST, 0.2)


def test_an_answer_that_drips_does_not_prolong_the_deadline(wire: Wire) -> None:
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b".")
            if ended.wait(0.02):  # 20 s in all
                return

    with server(drip) as url:
        began = time.monotonic()
        with pytest.raises(Missed):
            wire.post(url, REQUEST, 0.3)
        assert time.monotonic() - began < 10
        ended.set()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsh",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 1000 + b"\r\n",
    ],
)
def test_an_answer_that_is_none_or_not_whole_does_not_count(wire: Wire, raw: bytes) -> None:
    with talks(raw) as address, pytest.raises(NoAnswer) as raised:
        wire.post(f"http://{address}/", REQUEST, WAIT_SECONDS)
    assert type(raised.value) is NoAnswer
    assert str(raised.value)


def test_of_an_endless_answer_the_beginning_is_read(wire: Wire) -> None:
    ended = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.is_set():
            connection.sendall(b"x" * 65536)

    with server(talk) as url:
        answer = wire.post(url, REQUEST, WAIT_SECONDS)
        ended.set()
    assert (answer.status, len(answer.body)) == (200, ANSWER_LIMIT)


def test_the_answer_of_a_server_that_did_not_read_everything_counts(wire: Wire) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)

    large = PushRequest((), b"x" * 14_000_000)
    with server(refuse) as url, contextlib.suppress(NoAnswer):  # a reset may overtake the answer
        assert wire.post(url, large, WAIT_SECONDS).status == 413


def test_a_large_body_arrives_whole(wire: Wire) -> None:
    body = bytes(range(256)) * 40_000
    with StandIn(lambda _: Reply()) as endpoint:
        wire.post(endpoint.url, PushRequest((), body), WAIT_SECONDS)
    assert endpoint.calls[0].body == body


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1/", "no address"),
        ("http://", "no address"),
        ("http://127.0.0.1:70000/", "no address"),
        ("http://[::1/", "no address"),
        (f"http://{'a' * 70}ä.example/", "no address"),
    ],
)
def test_an_endpoint_that_is_no_address_has_no_answer(wire: Wire, url: str, reason: str) -> None:
    with pytest.raises(NoAnswer, match=reason):
        wire.post(url, REQUEST, WAIT_SECONDS)


def test_an_endpoint_where_nobody_listens_has_no_answer(wire: Wire) -> None:
    with pytest.raises(NoAnswer, match="nobody listens at the push endpoint"):
        wire.post(f"http://{unused_address()}", REQUEST, WAIT_SECONDS)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_address_is_read_or_a_value_error(url: str) -> None:
    for text in (url, f"http://h/{url}"):
        with contextlib.suppress(ValueError):
            assert address_of(text).target.isprintable()
            assert " " not in address_of(text).target


def test_close_ends_what_is_under_way_at_once() -> None:
    wire, arrived = Wire(), threading.Event()

    def hang(_: Call) -> Reply:
        arrived.set()
        return Reply(hang=True)

    def close() -> None:
        arrived.wait(WAIT_SECONDS)
        wire.close()

    with StandIn(hang) as endpoint:
        closing = threading.Thread(target=close)
        closing.start()
        with pytest.raises(Stopped):
            wire.post(endpoint.url, REQUEST, WAIT_SECONDS)
        closing.join()
        with pytest.raises(Stopped):
            wire.post(endpoint.url, REQUEST, WAIT_SECONDS)


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file."""
    key, now = private_key("tls"), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "endpoint")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "endpoint.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


def test_https_is_spoken_with_whom_we_trust_and_nobody_else(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with StandIn(lambda _: Reply(200, b"safe")) as endpoint:
        endpoint._server.socket = context.wrap_socket(endpoint._server.socket, server_side=True)
        url = endpoint.url.replace("http:", "https:")
        with contextlib.closing(Wire(ssl.create_default_context(cafile=path))) as trusting:
            for _ in range(2):
                assert trusting.post(url, REQUEST, WAIT_SECONDS).body == b"safe"
        with (
            contextlib.closing(Wire()) as other,
            pytest.raises(NoAnswer, match="TLS: CERTIFICATE_VERIFY_FAILED"),
        ):
            other.post(url, REQUEST, WAIT_SECONDS)
