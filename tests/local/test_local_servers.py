"""The two servers of the laptop cloud: one port for HTTP and gRPC, refusals with Google's codes."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import pytest
import requests
from flask import Flask, request
from google.protobuf.wrappers_pb2 import StringValue

from tests.support.rawhttp import send
from worker.local.errors import ApiError, Code, PortUnusable
from worker.local.guard import guard
from worker.local.rpc import RpcServer, streaming, unary
from worker.local.web import WebServer


def echo(message: StringValue) -> StringValue:
    if message.value == "refuse":
        raise ApiError(Code.NOT_FOUND, "there is no such thing: make it first")
    return StringValue(value=message.value * 2)


@contextmanager
def servers() -> Iterator[tuple[WebServer, RpcServer]]:
    handlers = {
        "Echo": unary(StringValue, echo),
        "EchoAll": streaming(StringValue, lambda messages, _: map(echo, messages)),
    }
    rpc = RpcServer([grpc.method_handlers_generic_handler("test.Echo", handlers)], 0)
    app = Flask("test", static_folder=None)
    guard(app)
    app.add_url_rule("/", "hello", lambda: "hello")
    app.add_url_rule("/length", "length", lambda: str(len(request.data)), methods=["POST"])
    web = WebServer(app, 0, rpc.port)
    try:
        rpc.start()
        web.start()
        yield web, rpc
    finally:
        web.stop()
        rpc.stop()


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[WebServer, RpcServer]]:
    with servers() as started:
        yield started


@pytest.fixture(scope="module")
def port(both: tuple[WebServer, RpcServer]) -> int:
    return both[0].port


def call(port: int, value: str) -> str:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.unary_unary(
            "/test.Echo/Echo",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        return str(method(StringValue(value=value), timeout=30).value)


@pytest.mark.parametrize("which", [0, 1], ids=["the port of HTTP", "its own port"])
def test_grpc_is_answered_at(which: int, both: tuple[WebServer, RpcServer]) -> None:
    assert call(both[which].port, "ab") == "abab"


def test_large_messages_pass_the_shared_port(port: int) -> None:
    assert len(call(port, "x" * 2_000_000)) == 4_000_000


def test_a_stream_goes_on_both_ways(port: int) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.stream_stream(
            "/test.Echo/EchoAll",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        answers = method(iter([StringValue(value="a"), StringValue(value="b")]), timeout=30)
        assert [answer.value for answer in answers] == ["aa", "bb"]


def test_a_refusal_has_googles_code_and_our_words(port: int) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        call(port, "refuse")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "there is no such thing: make it first"


@pytest.mark.parametrize("code", Code)
def test_the_codes_are_those_of_grpc(code: Code) -> None:
    assert grpc.StatusCode[code.name].value[0] == code.number
    assert ApiError(code, "why").body()["error"] == {
        "code": code.status, "message": "why", "status": code.name,
    }  # fmt: skip


def test_http_is_answered_and_a_large_body_is_read(port: int) -> None:
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=30).text == "hello"
    body = b"x" * 15_000_000
    assert requests.post(f"http://127.0.0.1:{port}/length", body, timeout=30).text == "15000000"


def test_a_client_that_says_nothing_or_a_part_of_a_preface_harms_nobody(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"PRI")
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=30).text == "hello"


def test_a_port_that_is_taken_is_one_line(both: tuple[WebServer, RpcServer]) -> None:
    web, rpc = both
    with pytest.raises(PortUnusable, match=f"127.0.0.1:{web.port}: Address already in use"):
        WebServer(Flask("other"), web.port, 0)
    with pytest.raises(PortUnusable, match=f"cannot listen on 127.0.0.1:{rpc.port}: "):
        RpcServer([], rpc.port)


def ask(port: int, method: str, **headers: str) -> int:
    lines = {"Host": f"127.0.0.1:{port}", "Content-Length": "0", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    path = "/" if method == "GET" else "/length"
    return send(port, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode()).status


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "LOCALHOST:1", "[::1]:8085", "127.0.0.1:80"]
)
def test_names_of_this_machine_are_welcome(host: str, port: int) -> None:
    assert ask(port, "GET", Host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:8085", "127.0.0.1@evil.example", ""],
)
def test_another_name_is_refused_although_it_leads_here(host: str, port: int) -> None:
    assert ask(port, "GET", Host=host) in (400, 403)


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost", "", "http://["],
)
def test_another_origin_may_change_nothing(origin: str, port: int) -> None:
    assert ask(port, "POST", Origin=origin) == 403
    assert ask(port, "GET", Origin=origin) == 200


def test_this_page_may_change_things(port: int) -> None:
    assert ask(port, "POST", Origin=f"http://127.0.0.1:{port}") == 200
