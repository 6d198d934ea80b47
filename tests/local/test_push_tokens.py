"""worker.local.pubsub.push.tokens: our own verifier accepts them, and nobody else's."""

import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
from flask import Flask

from tests.support.standin import Reply, StandIn
from worker.certificates import CertificateStore
from worker.local.clock import Clock
from worker.local.database import StateUnusable
from worker.local.pubsub.push.faults import Faults
from worker.local.pubsub.push.routes import blueprint
from worker.local.pubsub.push.tokens import Tokens
from worker.oidc import Verifier
from worker.outcome import Refused

ACCOUNT = "pusher@demo.iam.gserviceaccount.com"
AUDIENCE = "http://127.0.0.1:8080/"


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path)


@pytest.fixture
def google(tokens: Tokens) -> Iterator[StandIn]:
    """Our routes, where Google's certificates would be."""
    app = Flask(__name__)
    app.register_blueprint(blueprint(tokens, Faults(), Clock()))
    with StandIn(lambda call: Reply(200, app.test_client().get(call.path).data)) as serving:
        yield serving


@pytest.mark.parametrize("path", ["/oauth2/v1/certs", "/oauth2/v3/certs"])
def test_the_worker_accepts_them_with_either_document(
    path: str, google: StandIn, tokens: Tokens
) -> None:
    verifier = Verifier(CertificateStore(google.url + path), AUDIENCE, frozenset({ACCOUNT}))
    verifier.check(tokens.token(ACCOUNT, AUDIENCE))
    with pytest.raises(Refused, match="InvalidAudienceError"):
        verifier.check(tokens.token(ACCOUNT, "http://elsewhere/"))
    with pytest.raises(Refused, match="another account"):
        verifier.check(tokens.token("other@demo.iam.gserviceaccount.com", AUDIENCE))


def test_a_key_of_another_folder_is_refused(
    google: StandIn, tmp_path: Path, tokens: Tokens
) -> None:
    certificates = CertificateStore(google.url + "/oauth2/v1/certs")
    verifier = Verifier(certificates, AUDIENCE, frozenset({ACCOUNT}))
    with pytest.raises(Refused):
        verifier.check(Tokens(tmp_path / "other").token(ACCOUNT, AUDIENCE))


def test_the_claims_are_those_of_pubsub(tokens: Tokens) -> None:
    claims = jwt.decode(tokens.token(ACCOUNT, AUDIENCE), options={"verify_signature": False})
    assert claims == {
        "aud": AUDIENCE,
        "azp": claims["sub"],
        "email": ACCOUNT,
        "email_verified": True,
        "exp": claims["iat"] + 3600,
        "iat": claims["iat"],
        "iss": "https://accounts.google.com",
        "sub": claims["sub"],
    }
    assert claims["sub"].isdigit()
    assert len(claims["sub"]) == 21


def test_a_token_is_used_until_five_minutes_before_its_end(tmp_path: Path) -> None:
    now = [1_000_000.0]
    tokens = Tokens(tmp_path, now=lambda: now[0])
    first = tokens.token(ACCOUNT, AUDIENCE)
    now[0] += 3300
    assert tokens.token(ACCOUNT, AUDIENCE) == first
    now[0] += 1
    assert tokens.token(ACCOUNT, AUDIENCE) != first
    assert tokens.token(ACCOUNT, "other") != tokens.token(ACCOUNT, AUDIENCE)


def test_the_key_survives_a_restart_and_is_private(tmp_path: Path, tokens: Tokens) -> None:
    assert Tokens(tmp_path).jwks() == tokens.jwks()
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "PRIVATE" not in json.dumps([tokens.jwks(), dict(tokens.certificates())])
    assert "d" not in tokens.jwks()["keys"][0]


def test_two_that_begin_at_once_share_one_key(tmp_path: Path) -> None:
    made = []
    threads = [threading.Thread(target=lambda: made.append(Tokens(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({json.dumps(one.jwks()) for one in made}) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_is_no_key_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "push-key.pem").write_text("nonsense")
    with pytest.raises(StateUnusable, match=r"push-key\.pem cannot be used: it holds no key"):
        Tokens(tmp_path)
