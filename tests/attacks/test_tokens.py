"""Every token that is not ours is refused, learns nothing, and leaves nothing in the log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests.attacks.support import (
    HEADER,
    JSON,
    REFUSED,
    bearing,
    canonical,
    new_id,
    part,
    pushing,
    signed,
    written_since,
)
from tests.attacks.tokens import TABLE
from tests.support.keyserver import (
    ACCOUNT,
    AUDIENCE,
    KeyServer,
    certificate,
    jwk,
    token,
)
from tests.support.pushes import wrapped
from tests.support.rawhttp import RawAnswer, chunk, post, request, send
from tests.support.server import ServerProcess, with_probe_handlers

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyServer]:
    with KeyServer("one", "two") as running:
        yield running


@pytest.fixture(scope="module")
def strangers() -> Iterator[KeyServer]:
    """The attacker's key server: whoever asks it for keys is lost."""
    with KeyServer("stranger") as running:
        yield running
        assert running.calls == []


@pytest.fixture(scope="module")
def server(keys: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = with_probe_handlers(tmp_path_factory.mktemp("tokens"))
    environment = {
        "PUSH_AUTH": "oidc",
        "PUSH_AUDIENCE": AUDIENCE,
        "PUSH_SERVICE_ACCOUNT": ACCOUNT,
        "PUSH_CERTS_URL": f"{keys.url}/certs",
        "LOG_LEVEL": "DEBUG",
    }
    with ServerProcess(folder, environment) as running:
        yield running
    assert running.stderr() == ""


def values_in(value: Any) -> Iterator[str]:
    """The texts in a header or in claims."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from values_in(inner)


def leaks(presented: str, written: bytes) -> list[str]:
    """What of a token was written: a piece of a part, or a value that it holds."""
    pieces = [presented[at : at + 16] for at in range(0, max(1, len(presented) - 16), 8)]
    for segment in presented.split("."):
        try:
            held = jwt.utils.base64url_decode(segment)
            pieces += values_in(json.loads(held))
        except (ValueError, RecursionError):
            continue
    return [one for one in pieces if len(one) >= 8 and one.encode("utf-8", "replace") in written]


def attack(server: ServerProcess, data: bytes, secret: str) -> RawAnswer:
    """Send these bytes, then a good push; what was written of the first is clean."""
    start = len(server.lines)
    answer = send(server.port, data)
    good = new_id()
    assert send(server.port, pushing([("Authorization", f"Bearer {token()}")], good)).status == 200
    server.canonical(good)
    assert leaks(secret, written_since(server, start)) == []
    first, second = canonical(server.lines[start:])
    assert (first["outcome"], second["outcome"]) == ("refused", "done")
    assert first["message_id"] is None
    return answer


@pytest.mark.parametrize("name", TABLE)
def test_a_token_that_is_not_ours_is_refused_without_a_reason(
    server: ServerProcess, name: str
) -> None:
    presented = TABLE[name]()

    answer = attack(server, bearing(presented), presented)

    assert answer.status in (401, 403)
    assert answer.json() == REFUSED
    assert set(answer.headers) == {"date", "content-type", "content-length"}


@pytest.mark.parametrize("header", ["jku", "x5u", "jwk", "x5c", "x5t", "kid and jku"])
def test_keys_that_a_token_brings_or_names_are_not_used(
    server: ServerProcess, strangers: KeyServer, header: str
) -> None:
    brought: dict[str, dict[str, Any]] = {
        "jku": {"jku": f"{strangers.url}/jwks"},
        "x5u": {"x5u": f"{strangers.url}/certs"},
        "jwk": {"jwk": jwk("stranger")},
        "x5c": {"x5c": ["".join(certificate("stranger").splitlines()[1:-1])]},
        "x5t": {"x5t": part(b"x" * 20)},
        "kid and jku": {"kid": f"{strangers.url}/jwks", "jku": f"{strangers.url}/jwks"},
    }
    presented = signed({**HEADER, **brought[header]}, key="stranger")

    answer = attack(server, bearing(presented), presented)

    assert (answer.status, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        ["Authorization: "],
        ["Authorization: Bearer"],
        ["Authorization: Bearer\t{good}"],
        ["Authorization: Bearer\N{NO-BREAK SPACE}{good}"],
        ["Authorization: {good}"],
        ["Authorization: Token {good}"],
        ["Authorization: Basic {good}"],
        ["Authorization: Bearer={good}"],
        ["Authorization: Bearer:{good}"],
        ["Authorization: Bearer Bearer {good}"],
        ["Authorization: Bearer {good}", "Authorization: Bearer {good}"],
        ["Authorization: Bearer {good}", "authorization: Bearer {good}"],
        ["Authorization: Bearer {good}", "Authorization: Basic eDp5"],
        ["Authorization: Bearer {good}", "Authorization: "],
        ["Authorization: ", "Authorization: Bearer {good}"],
        ["X-Serverless-Authorization: Bearer {good}"],
        ["Proxy-Authorization: Bearer {good}"],
        ["Cookie: Authorization=Bearer {good}"],
        ["X-Authorization: Bearer {good}", "Authorisation: Bearer {good}"],
        ["X-Forwarded-Authorization: Bearer {good}", "X-Goog-Authenticated-User-Email: " + ACCOUNT],
        ["x-goog-iap-jwt-assertion: {good}"],
    ],
    ids=str,
)
def test_a_good_token_in_the_wrong_place_is_refused(
    server: ServerProcess, headers: list[str]
) -> None:
    good = token(sub=new_id())
    pairs = [line.replace("{good}", good).partition(": ") for line in headers]

    answer = attack(server, pushing([(name, value) for name, _, value in pairs]), good)

    assert (answer.status, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize("place", ["target", "trailer"])
def test_a_good_token_in_the_target_or_in_a_trailer_and_the_body_is_refused(
    server: ServerProcess, place: str
) -> None:
    good = token(sub=new_id())
    body = json.dumps({**wrapped(), "authorization": f"Bearer {good}"}).encode()
    chunked = request("POST", "/", [JSON, ("Transfer-Encoding", "chunked")], None)
    data = {
        "target": request("POST", f"/?access_token={good}", [JSON], body),
        "trailer": chunked + chunk(body) + f"0\r\nAuthorization: Bearer {good}\r\n\r\n".encode(),
    }[place]

    answer = attack(server, data, good)

    assert (answer.status, answer.json()) == (401, REFUSED)


@pytest.mark.parametrize(
    "value",
    ["Bearer {good}", "bearer {good}", "BEARER {good}", "Bearer   {good}", "Bearer {good} \t"],
)
def test_what_http_allows_around_a_good_token_is_fine(server: ServerProcess, value: str) -> None:
    answer = send(server.port, pushing([("Authorization", value.replace("{good}", token()))]))

    assert (answer.status, answer.json()["outcome"]) == (200, "done")


def test_no_token_is_in_the_quarantine_of_a_push_that_was_let_in(
    server: ServerProcess, tmp_path: Path
) -> None:
    good = token(sub=new_id())
    places = ("Authorization", "X-Serverless-Authorization", "Proxy-Authorization", "Cookie")
    headers = [(place, f"Bearer {good}") for place in places]

    answer = post(server.port, b'{"message": 5}', [JSON, *headers])

    assert answer.json()["outcome"] == "rejected"
    folder = Path(f"/proc/{server.process.pid}/cwd").readlink() / "quarantine"
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    assert leaks(good, kept) == []
