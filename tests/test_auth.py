"""PUSH_AUTH: one check per mode, first on its own, then in the whole server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.keyserver import ACCOUNT, AUDIENCE, KeyServer, token
from tests.support.pushes import wrapped
from tests.support.rawhttp import RawAnswer, RawConnection, post
from tests.support.server import ROOT, ServerProcess, with_probe_handlers
from tests.support.standin import unused_address
from worker.auth import authenticator, bearer_token
from worker.config import PushAuth, read_settings
from worker.message import Push
from worker.outcome import Refused

JSON = ("Content-Type", "application/json")


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with KeyServer("one", "two") as running:
        yield running


def oidc(keys: KeyServer, path: str = "/certs") -> dict[str, str]:
    return {
        "PUSH_AUTH": "oidc",
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_SERVICE_ACCOUNT": f"someone@demo-project.iam.gserviceaccount.com, {ACCOUNT}",
        "PUSH_CERTS_URL": keys.url + path,
    }


def with_headers(*values: str) -> Push:
    return Push(tuple(("authorization", value) for value in values), b"")


class TestBearerToken:
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
    def test_the_scheme_may_be_in_any_case(self, scheme: str) -> None:
        assert bearer_token(with_headers(f"{scheme} a.b.c")) == "a.b.c"

    def test_space_around_the_token_does_not_count(self) -> None:
        assert bearer_token(with_headers("Bearer   a.b.c ")) == "a.b.c"

    @pytest.mark.parametrize(
        "values",
        [
            (),
            ("",),
            ("Bearer",),
            ("Bearer ",),
            ("a.b.c",),
            ("Basic a.b.c",),
            ("Bearera.b.c",),
            ("Bearer a.b.c", "Bearer a.b.c"),
            ("Bearer a.b.c", ""),
        ],
        ids=str,
    )
    def test_anything_but_one_bearer_token_is_refused(self, values: tuple[str, ...]) -> None:
        with pytest.raises(Refused) as refused:
            bearer_token(with_headers(*values))

        assert refused.value.status == 401
        assert refused.value.reason == (
            "the Authorization header holds no bearer token"
            if len(values) == 1
            else f"{len(values)} Authorization headers, want one"
        )


class TestAuthenticator:
    @pytest.mark.parametrize("mode", [PushAuth.CLOUD_RUN_IAM, PushAuth.NONE])
    @pytest.mark.parametrize("values", [(), ("Bearer x",), ("Basic x", "Bearer y")], ids=str)
    def test_the_other_modes_accept_every_push(
        self, mode: PushAuth, values: tuple[str, ...]
    ) -> None:
        authenticator(read_settings({"PUSH_AUTH": mode}))(with_headers(*values))

    def test_oidc_checks_the_token_of_each_push(self, keys: KeyServer) -> None:
        authenticate = authenticator(read_settings(oidc(keys)))

        authenticate(with_headers(f"Bearer {token()}"))
        for values in ((), (f"Bearer {token(aud='other')}",), (f"Bearer {token()}",) * 2):
            with pytest.raises(Refused):
                authenticate(with_headers(*values))

    @pytest.mark.parametrize("mode", ["none", "cloud-run-iam"])
    def test_cryptography_is_loaded_with_oidc_only(self, mode: str) -> None:
        loaded = modules_of_a_worker(PUSH_AUTH=mode)
        assert not loaded & {"cryptography", "jwt", "worker.oidc"}

        loaded = modules_of_a_worker(
            PUSH_AUTH="oidc", PUSH_AUDIENCE=AUDIENCE, PUSH_SERVICE_ACCOUNT=ACCOUNT
        )
        assert loaded >= {"cryptography", "jwt", "worker.oidc"}


def modules_of_a_worker(**environment: str) -> set[str]:
    """What is imported in a process that serves with these settings."""
    script = (
        "import json, os, sys, worker.cli, worker.cli.serve, worker.server\n"
        "from worker.build import build\n"
        "from worker.config import read_settings\n"
        "build(read_settings(os.environ))\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def guarded(keys: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The whole server with PUSH_AUTH=oidc and every log line that it has."""
    folder = with_probe_handlers(tmp_path_factory.mktemp("guarded"))
    with ServerProcess(folder, {**oidc(keys), "LOG_LEVEL": "DEBUG"}) as server:
        yield server


def push(server: ServerProcess, *authorization: str, message_id: str = "1") -> RawAnswer:
    body = json.dumps(wrapped(message_id=message_id)).encode()
    headers = [JSON, *(("Authorization", value) for value in authorization)]
    return post(server.port, body, headers)


@pytest.mark.server
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_push_with_a_good_token_is_done(guarded: ServerProcess, scheme: str) -> None:
    answer = push(guarded, f"{scheme} {token()}", message_id=f"good-{scheme}")

    assert (answer.status, answer.json()["outcome"]) == (200, "done")


@pytest.mark.server
@pytest.mark.parametrize(
    ("make", "status"),
    [
        pytest.param(list, 401, id="no token"),
        pytest.param(lambda: [f"Bearer {token()}"] * 2, 401, id="the same token twice"),
        pytest.param(lambda: [f"Bearer {token()}", "Basic eDp5"], 401, id="two kinds"),
        pytest.param(lambda: ["Bearer nonsense"], 401, id="nonsense"),
        pytest.param(lambda: [f"Bearer {token('stranger', kid='one')}"], 401, id="wrong key"),
        pytest.param(lambda: [f"Bearer {token('stranger')}"], 401, id="unknown key"),
        pytest.param(lambda: [f"Bearer {token(aud='https://other.example')}"], 401, id="audience"),
        pytest.param(lambda: [f"Bearer {token(email='x@y.example')}"], 403, id="account"),
        pytest.param(
            lambda: [f"Bearer {token().rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"],
            401,
            id="signature removed",
        ),
    ],
)
def test_a_caller_that_is_refused_learns_nothing(
    guarded: ServerProcess, make: Any, status: int
) -> None:
    answer = push(guarded, *make(), message_id="SECRET-ID")

    assert answer.status == status
    assert answer.json() == {"outcome": "refused", "message_id": None, "reason": "refused"}
    assert set(answer.headers) <= {"server", "date", "connection", "content-type", "content-length"}


@pytest.mark.server
def test_a_refused_push_is_not_read_and_a_broken_one_tells_a_stranger_nothing(
    guarded: ServerProcess,
) -> None:
    for body in (b"not json", b"\xff", b'{"message": 5}'):
        answer = post(guarded.port, body, [JSON])
        assert (answer.status, answer.json()["reason"]) == (401, "refused")

    answer = post(guarded.port, b'{"message": 5}', [JSON, ("Authorization", f"Bearer {token()}")])
    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")


@pytest.mark.server
def test_the_health_routes_need_no_token(guarded: ServerProcess) -> None:
    for path in ("/health/live", "/health/ready", "/smoke-test/", "/api/v1/health/smoke-test"):
        assert guarded.request("GET", path)[0] == 200


@pytest.mark.server
def test_no_part_of_a_token_reaches_the_log_or_the_quarantine(
    keys: KeyServer, tmp_path: Path
) -> None:
    """At LOG_LEVEL=DEBUG, for pushes of every fate, the broken ones included."""
    presented = [
        token(),
        token("stranger", kid="one"),
        token(aud="other"),
        token(email="x@y.example"),
        f"{token(sub='7')[:-20]}SIGNATURE_REMOVED",
    ]
    folder = with_probe_handlers(tmp_path)
    with ServerProcess(folder, {**oidc(keys), "LOG_LEVEL": "DEBUG"}) as server:
        for number, one in enumerate(presented):
            for feature in ("smoke_test", "never", "crash", "see_attributes", "unheard_of"):
                body = json.dumps(wrapped({"feature": feature}, message_id=f"{number}-{feature}"))
                post(server.port, body.encode(), [JSON, ("Authorization", f"Bearer {one}")])
            unwrapped = [("x-goog-pubsub-message-id", f"u{number}"), ("x-any", "1")]
            post(
                server.port,
                b'{"feature":"see_attributes"}',
                [*unwrapped, ("Authorization", f"Bearer {one}"), ("Proxy-Authorization", one)],
            )
            # Requests that are broken behind the token.
            for rest in ("Broken line\r\n\r\n", "Content-Length: x\r\n\r\n"):
                head = f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {one}\r\n{rest}"
                send_and_close(server, head.encode())
            send_and_close(
                server, f"POST / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {one}\r\n\r\n".encode()
            )
            send_and_close(server, f"POST / HTTP/1.1\r\nAuthorization: Bearer {one}\r\n".encode())
        assert server.stop() == 0

    written = b"".join(server.lines) + server.stderr().encode()
    written += b"".join(path.read_bytes() for path in folder.glob("quarantine/*"))
    assert written.count(b"message.processed") >= 30
    for one in presented:
        for segment in one.split("."):
            for at in range(0, len(segment) - 16, 16):
                part = segment[at : at + 16].encode()
                assert part not in written, f"{part!r} of a token was written"


def send_and_close(server: ServerProcess, data: bytes) -> None:
    with RawConnection(server.port) as connection:
        connection.send(data)
        connection.finish_sending()
        while not connection.ended():
            continue


@pytest.mark.server
def test_while_no_keys_can_be_had_a_push_is_asked_for_again(
    tmp_path: Path, keys: KeyServer
) -> None:
    environment = {**oidc(keys), "PUSH_CERTS_URL": f"http://{unused_address()}/certs"}
    with ServerProcess(with_probe_handlers(tmp_path), environment) as server:
        answer = push(server, f"Bearer {token()}")

    assert (answer.status, answer.json()["outcome"]) == (503, "retry")


@pytest.mark.server
@pytest.mark.parametrize("mode", ["cloud-run-iam", "none"])
def test_the_other_modes_take_pushes_with_any_token_or_none(tmp_path: Path, mode: str) -> None:
    cut = f"Bearer {token().rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE"
    with ServerProcess(with_probe_handlers(tmp_path), {"PUSH_AUTH": mode}) as server:
        for number, authorization in enumerate([(), (cut,), (cut, "Basic eDp5")]):
            answer = push(server, *authorization, message_id=str(number))
            assert (answer.status, answer.json()["outcome"]) == (200, "done")
