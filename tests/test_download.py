"""A document over HTTP: whole, or an error in time."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.support.inprocess import WAIT_SECONDS, in_thread
from tests.support.keyserver import private_key
from tests.support.standin import Reply, StandIn, talks, unused_address
from worker.download import download


def test_a_document_is_there_whole() -> None:
    body = bytes(range(256)) * 4096
    with StandIn(lambda _call: Reply(200, body)) as server:
        assert download(server.url, len(body), WAIT_SECONDS) == body
        assert download(server.url, 10, WAIT_SECONDS) == body[:10]


def test_a_redirection_is_followed() -> None:
    with StandIn(lambda _call: Reply(200, b"there")) as there:
        moved = Reply(302, headers={"Location": there.url})
        with StandIn(lambda _call: moved) as here:
            assert download(here.url, 100, WAIT_SECONDS) == b"there"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 404 No\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
    ids=["nothing", "no HTTP", "not found", "an endless header"],
)
def test_what_is_no_document_is_an_error(raw: bytes) -> None:
    with talks(raw) as address, pytest.raises((OSError, HTTPException)):
        download(f"http://{address}", 100, WAIT_SECONDS)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(OSError, match="refused"):
        download(f"http://{unused_address()}", 100, WAIT_SECONDS)


class Dripping:
    """Sends `raw`, then a byte now and then, for ever."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.ended = threading.Event()
        in_thread(self._serve)

    def _serve(self) -> None:
        link, _ = self._listener.accept()
        with link, suppress(OSError):  # it is hung up on
            link.sendall(self._raw)
            while not self.ended.wait(0.01):
                link.sendall(b"x")

    def close(self) -> None:
        self.ended.set()
        self._listener.close()


@pytest.fixture(
    params=[
        b"",
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["status", "header", "body", "chunk", "until it closes"],
)
def dripping(request: pytest.FixtureRequest) -> Iterator[Dripping]:
    server = Dripping(request.param)
    yield server
    server.close()


def test_a_server_that_drips_is_given_up_although_each_byte_is_in_time(dripping: Dripping) -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        download(dripping.url, 1_000_000, 0.5)
    assert time.monotonic() - began < WAIT_SECONDS  # it would never end: 0.01 s for each byte


class TestTls:
    """https goes the same way, and the server has to show a certificate that is trusted."""

    @pytest.fixture
    def pem(self, tmp_path: Path) -> Path:
        """A key, and a certificate of it for this machine."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        start = datetime.now(UTC) - timedelta(days=1)
        certificate = (
            x509.CertificateBuilder(name, name, private_key("tls").public_key())
            .serial_number(1)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(private_key("tls"), hashes.SHA256())
        )
        key = private_key("tls").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path = tmp_path / "tls.pem"
        path.write_bytes(key + certificate.public_bytes(serialization.Encoding.PEM))
        return path

    @pytest.fixture
    def url(self, pem: Path) -> Iterator[str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            in_thread(lambda: self.answer_once(context, listener))
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"

    def answer_once(self, context: ssl.SSLContext, listener: socket.socket) -> None:
        link, _ = listener.accept()
        with link, suppress(OSError), context.wrap_socket(link, server_side=True) as secure:
            secure.recv(10_000)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nthere")

    def test_a_server_that_is_trusted_is_read(
        self, url: str, pem: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert download(url, 100, WAIT_SECONDS) == b"there"

    def test_a_server_that_is_not_trusted_is_not_read(self, url: str) -> None:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            download(url, 100, WAIT_SECONDS)
