"""fetch_url: addresses that lead into our own network, and servers that mean no good."""

import http.client
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.provisional import urls

from handlers import fetch_url as module
from handlers.fetch_url import MOST_BYTES, FetchUrl, fetch_url, is_public
from tests.support.keyserver import certificate, private_key
from tests.support.standin import Reply, StandIn, talks
from worker.testing import Delivered, deliver

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",  # noqa: S104 - nothing binds to it here
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fc00::1", "fd20:ce::254", "ff02::1", "2001:db8::1", "2001::1",
    "2002:7f00:1::", "2002:808:808::", "100::1",
]  # fmt: skip
SPELLINGS = [
    "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "127.0.0.1.", "localhost",
    "LOCALHOST", "[::1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "0",
    "\uff11\uff12\uff17.0.0.1",
]  # fmt: skip
NO_URLS = [
    "", "SECRET", "//SECRET/", "http:///", "ftp://SECRET/", "file:///SECRET", "gopher://SECRET/",
    "data:text/plain,SECRET", "http://[::1", "http://SECRET:99999/", 17, None, ["http://SECRET/"],
]  # fmt: skip


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")


def fetched(url: object, **parts: Any) -> Delivered:
    delivered = deliver(fetch_url, {"url": url}, **parts)
    assert "SECRET" not in delivered.reason
    return delivered


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_the_internets_is_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", SPELLINGS)
def test_this_machine_is_refused_in_every_spelling(host: str) -> None:
    with StandIn(lambda _: Reply()) as server:
        port = server.address.partition(":")[2]
        delivered = fetched(f"http://{host}:{port}/")

    assert delivered.outcome in ("rejected", "retry")
    assert delivered.result is None
    assert server.calls == []


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_address_is_rejected(url: object) -> None:
    delivered = fetched(url)

    assert delivered.outcome == "rejected"
    assert delivered.reason.startswith("bad payload: requirements.url")


def test_a_password_is_not_sent_on() -> None:
    delivered = fetched("http://user:SECRET@example.com/")

    assert delivered.outcome == "rejected"
    assert delivered.reason == "url: a user or password in it would be lost"


def answers(*addresses: str) -> Any:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["10.0.0.1", "8.8.8.8"]]
)
def test_a_name_with_one_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: answers(*addresses))

    assert fetched("http://SECRET.example/").reason == "url: leads into a private network"


def test_a_name_that_leads_elsewhere_the_second_time_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding: what is connected to is the address that was checked."""
    lookups = [answers("8.8.8.8"), answers("127.0.0.1")]
    connected: list[object] = []

    def connect(address: object, _timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: lookups.pop(0))
    monkeypatch.setattr(socket, "create_connection", connect)

    assert fetched("http://example.com/").outcome == "retry"
    assert connected == [("8.8.8.8", 80)]


def test_a_name_that_is_not_known_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "SECRET")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert fetched("http://SECRET.example/").outcome == "retry"


def test_a_name_that_no_server_could_have_is_no_crash() -> None:
    assert fetched(f"http://{'a' * 70}.invalid/").outcome in ("retry", "rejected")


# --- servers that mean no good


@contextmanager
def drips(head: bytes, drop: bytes) -> Iterator[str]:
    """The address of a server that sends the head, and then a drop every 20 ms for ever."""
    ended = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(head)
            while not ended.wait(0.02):
                try:
                    self.request.sendall(drop)
                except OSError:
                    return

    with socketserver.TCPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            ended.set()
            server.shutdown()


@pytest.mark.parametrize(
    ("head", "drop"),
    [(b"", b"H"), (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), (b"HTTP/1.1 200 OK\r\n\r\n", b"x")],
    ids=["status", "headers", "body"],
)
def test_a_server_that_drips_is_given_up_in_time(
    public_loopback: None, head: bytes, drop: bytes
) -> None:
    """The whole call is bounded, though no single wait is long."""
    with drips(head, drop) as address:
        delivered = fetched(f"http://{address}/", budget_seconds=1.0)

    assert (delivered.outcome, delivered.status) in (("retry", 503), ("timed_out", 504))


def test_an_answer_without_end_is_refused(public_loopback: None) -> None:
    with drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000) as address:
        delivered = fetched(f"http://{address}/", budget_seconds=60.0)

    assert delivered.outcome == "rejected"
    assert delivered.reason == f"the answer is larger than {MOST_BYTES} bytes"


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\r\n", b"SSH-2.0-SECRET\r\n", b"HTTP/1.1 200", b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_half_an_answer_is_none(public_loopback: None, answer: bytes) -> None:
    with talks(answer) as address:
        delivered = fetched(f"http://{address}/")

    assert delivered.outcome == "retry"
    assert delivered.reason.startswith("the server cannot be reached: ")


def test_an_answer_in_chunks_is_put_together(public_loopback: None) -> None:
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
    with talks(raw) as address:
        assert fetched(f"http://{address}/").result["bytes"] == 5


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_that_nobody_vouches_for_is_refused(
    public_loopback: None, tmp_path: Path, host: str
) -> None:
    asked = []

    def answer(call: object) -> Reply:
        asked.append(call)
        return Reply()

    with StandIn(answer) as server:
        secure(server, tmp_path)
        port = server.address.partition(":")[2]
        delivered = fetched(f"https://{host}:{port}/")

    assert delivered.outcome in ("retry", "rejected")  # rejected: localhost is ::1 as well
    assert asked == []


def secure(server: StandIn, folder: Path) -> None:
    """From now on it speaks TLS, with a certificate of its own making."""
    from cryptography.hazmat.primitives import serialization

    (folder / "cert.pem").write_text(certificate("one"))
    secret = private_key("one").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    server._server.socket = context.wrap_socket(server._server.socket, server_side=True)


# --- anything


class Link:
    """A connection that remembers what was sent and gives these bytes."""

    def __init__(self, received: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.sent = b""
        self._received = received

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, _size: int) -> bytes:
        chunk, self._received = self._received, b""
        return chunk

    def settimeout(self, _seconds: float) -> None:
        """It never waits."""


likely = st.sampled_from([
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404 x\r\n", b"HTTP/9 ", b"\r\n", b"Content-Length: 3\r\n",
    b"Content-Length: -1\r\n", b"Content-Length: x\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Content-Type: \xff\r\n", b"3\r\nabc\r\n", b"0\r\n", b" folded\r\n", b"HTTP/1.1 100 x\r\n",
    b"HTTP/1.1 99999 x\r\n", b"HTTP/1.1 000 x\r\n", b"HTTP/1.1 -1 x\r\n",
])  # fmt: skip


@settings(max_examples=200)
@given(answer=st.lists(likely | st.binary(max_size=20), max_size=8).map(b"".join))
def test_any_answer_ends_well(answer: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_connect", lambda *_: Link(answer))
        assert fetched("http://example.com/").outcome in ("done", "rejected", "retry")


@settings(max_examples=200)
@given(
    url=urls() | st.text("ab/?#%&\r\n\t :@é\\.\"'", max_size=20).map("http://h.example/".__add__)
)
def test_any_address_makes_one_request_line_and_nothing_else(url: str) -> None:
    link = Link()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_connect", lambda *_: link)
        outcome = fetched(url).outcome
    if outcome == "done":
        head = link.sent.decode("ascii").split("\r\n")
        assert len(head) == 7
        assert head[0].count(" ") == 2
        assert head[1] == f"Host: {host_of(url)}"
        assert head[5:] == ["", ""]


def host_of(url: str) -> str:
    parts = FetchUrl.model_validate({"url": url}).url
    default = http.client.HTTP_PORT if parts.scheme == "http" else http.client.HTTPS_PORT
    return f"{parts.host}" if parts.port == default else f"{parts.host}:{parts.port}"
