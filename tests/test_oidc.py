"""Tokens, verified with real keys that a server on loopback hands out."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.keyserver import (
    ACCOUNT,
    AUDIENCE,
    KeyServer,
    certificate,
    claims_of,
    jwk,
    jwks,
    private_key,
    public_pem,
    token,
)
from worker.certificates import CertificateStore
from worker.oidc import MAX_TOKEN, MAX_TOKENS, SKEW_SECONDS, Verifier
from worker.outcome import Refused

NOBODY = "stranger@other-project.iam.gserviceaccount.com"


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer("one", "two") as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(server: KeyServer, clock: Clock) -> Verifier:
    return Verifier(
        CertificateStore(f"{server.url}/certs", clock=clock), AUDIENCE, frozenset({ACCOUNT})
    )


@pytest.fixture(scope="module")
def offline() -> Verifier:
    """Knows the key `one`, asks nobody: for tests of many examples."""
    store = CertificateStore("https://certs.example", fetch=lambda _url: jwks(["one"]))
    return Verifier(store, AUDIENCE, frozenset({ACCOUNT}))


def refusal(verifier: Verifier, presented: str) -> Refused:
    with pytest.raises(Refused) as refused:
        verifier.check(presented)
    assert refused.value.reason.startswith("the token")
    return refused.value


def part(value: Any) -> str:
    """A segment of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize("path", ["/certs", "/jwks"])
def test_a_good_token_passes_with_either_form_of_the_keys(server: KeyServer, path: str) -> None:
    store = CertificateStore(server.url + path)

    Verifier(store, AUDIENCE, frozenset({ACCOUNT})).check(token("one"))
    Verifier(store, AUDIENCE, frozenset({NOBODY, ACCOUNT})).check(token("two"))

    assert len(server.calls) == 1


def test_an_unsigned_token_is_refused(verifier: Verifier) -> None:
    unsigned = jwt.encode(claims_of(), "", algorithm="none", headers={"kid": "one"})

    assert refusal(verifier, unsigned).status == 401
    assert refusal(verifier, unsigned.rpartition(".")[0] + ".").status == 401
    for spelling in ("None", "NONE", "nOnE"):
        head = part({"alg": spelling, "kid": "one", "typ": "JWT"})
        assert refusal(verifier, f"{head}.{part(claims_of())}.").status == 401


def test_a_token_of_another_kind_asks_for_no_keys(verifier: Verifier, server: KeyServer) -> None:
    for head in ({"alg": "HS256", "kid": "one"}, {"alg": "RS256"}, {"alg": "RS256", "kid": 1}):
        refusal(verifier, f"{part(head)}.{part(claims_of())}.eA")
    assert server.calls == []


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(verifier: Verifier) -> None:
    for secret in (public_pem("one"), certificate("one").encode()):
        signed = f"{part({'alg': 'HS256', 'kid': 'one', 'typ': 'JWT'})}.{part(claims_of())}"
        digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert refusal(verifier, f"{signed}.{part(digest)}").status == 401


def test_only_rs256_is_taken_even_from_the_right_key(verifier: Verifier) -> None:
    for algorithm in ("RS384", "RS512", "PS256"):
        other = jwt.encode(
            claims_of(), private_key("one"), algorithm=algorithm, headers={"kid": "one"}
        )
        assert refusal(verifier, other).status == 401


def test_a_key_that_the_token_brings_along_is_not_used(verifier: Verifier) -> None:
    own = jwt.encode(
        claims_of(),
        private_key("stranger"),
        algorithm="RS256",
        headers={"kid": "one", "jwk": jwk("stranger"), "jku": "http://127.0.0.1:1/jwks"},
    )

    assert refusal(verifier, own).status == 401


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"aud": "https://other.example/push"}, id="another audience"),
        pytest.param({"aud": AUDIENCE + "/"}, id="nearly the audience"),
        pytest.param({"aud": [AUDIENCE]}, id="a list of audiences"),
        pytest.param({"aud": ""}, id="an empty audience"),
        pytest.param({"iss": "https://accounts.example"}, id="another issuer"),
        pytest.param({"iss": "https://accounts.google.com.example"}, id="nearly the issuer"),
        pytest.param({"iss": ["https://accounts.google.com"]}, id="a list of issuers"),
        pytest.param({"exp": "soon"}, id="exp is no number"),
        pytest.param({"exp": float("inf")}, id="exp is infinite"),
        pytest.param({"exp": str(2**40)}, id="exp is a text"),
        pytest.param({"exp": 10**400}, id="exp is larger than any double"),
        pytest.param({"iat": [1]}, id="iat is a list"),
        pytest.param({"iat": True}, id="iat is true"),
        pytest.param({"nbf": "1"}, id="nbf is a text"),
        *(pytest.param({name: None}, id=f"no {name}") for name in ("exp", "iat", "aud", "iss")),
    ],
)
def test_a_token_that_is_not_for_us_is_refused(verifier: Verifier, changed: dict[str, Any]) -> None:
    assert refusal(verifier, token(**changed)).status == 401


@pytest.mark.parametrize(
    ("claim", "seconds"),
    [("exp", -SKEW_SECONDS - 5), ("iat", SKEW_SECONDS + 5), ("nbf", SKEW_SECONDS + 5)],
)
def test_a_token_that_is_over_or_has_not_begun_is_refused(
    verifier: Verifier, claim: str, seconds: float
) -> None:
    changed: dict[str, Any] = {claim: time.time() + seconds}

    assert refusal(verifier, token(**changed)).status == 401


def test_clocks_may_differ_by_the_skew(verifier: Verifier) -> None:
    verifier.check(token(exp=time.time() - SKEW_SECONDS / 3))
    verifier.check(token(iat=time.time() + SKEW_SECONDS / 3))


def test_the_issuer_may_lack_its_scheme(verifier: Verifier) -> None:
    verifier.check(token(iss="accounts.google.com"))


@pytest.mark.parametrize(
    "changed",
    [
        {"email": NOBODY},
        {"email": ACCOUNT.upper()},
        {"email": None},
        {"email": [ACCOUNT]},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email_verified": None},
    ],
    ids=str,
)
def test_a_good_token_of_another_or_unverified_account_is_refused_with_403(
    verifier: Verifier, changed: dict[str, Any]
) -> None:
    assert refusal(verifier, token(**changed)).status == 403
    assert refusal(verifier, token(**changed)).status == 403  # and not remembered
    said = "is not verified" if "email_verified" in changed else "PUSH_SERVICE_ACCOUNT"
    assert refusal(verifier, token(**changed)).reason.endswith(said)


def test_a_token_whose_signature_cloud_run_removed_is_refused(verifier: Verifier) -> None:
    head, claims, _ = token().split(".")

    assert refusal(verifier, f"{head}.{claims}.SIGNATURE_REMOVED_BY_GOOGLE").status == 401


def test_a_token_that_was_changed_is_refused(verifier: Verifier) -> None:
    head, _, signature = token().split(".")

    verifier.check(token())
    assert refusal(verifier, f"{head}.{part(claims_of(sub='other'))}.{signature}").status == 401


@pytest.mark.parametrize("added", ["=", "==", " ", "\n", ",", "!", ".", ".eA", "é"])
def test_nothing_may_be_added_to_a_good_token(verifier: Verifier, added: str) -> None:
    for presented in (f"{token()}{added}", f"{added}{token()}", token().replace(".", added + ".")):
        assert refusal(verifier, presented).status == 401


def test_what_a_token_says_twice_is_refused_although_signed(verifier: Verifier) -> None:
    claims = json.dumps(claims_of())
    twice = claims.replace("{", f'{{"email": "{NOBODY}", ', 1).encode()
    signed = jwt.api_jws.encode(
        twice, private_key("one"), algorithm="RS256", headers={"kid": "one"}
    )
    assert refusal(verifier, signed).reason == "the token says something twice"
    head = part(b'{"alg":"none","alg":"RS256","kid":"one"}')
    assert refusal(verifier, f"{head}.{part(claims_of())}.eA").reason.endswith("twice")


def test_a_signature_of_another_key_is_refused(verifier: Verifier) -> None:
    assert refusal(verifier, token("stranger", kid="one")).status == 401
    assert refusal(verifier, token("two", kid="one")).status == 401


@pytest.mark.parametrize("kid", [None, 1, ["one"], {"one": 1}, ""])
def test_a_key_id_of_any_type_is_refused(verifier: Verifier, kid: Any) -> None:
    head = part({"alg": "RS256", "typ": "JWT", "kid": kid})

    assert refusal(verifier, f"{head}.{part(claims_of())}.{part(b'x' * 256)}").status == 401


def test_a_token_that_is_too_long_is_refused_before_it_is_read(
    verifier: Verifier, server: KeyServer
) -> None:
    assert refusal(verifier, token(padding="x" * MAX_TOKEN)).status == 401
    assert server.calls == []
    assert refusal(verifier, "x" * MAX_TOKEN).reason != "the token is too long"
    assert refusal(verifier, "x" * (MAX_TOKEN + 1)).reason == "the token is too long"


@pytest.mark.parametrize(
    "presented",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c.d.e",
        "null",
        "e30.e30.",
        part([]) + "." + part([]) + ".",
        part(b"[" * 5000) + ".e30.",
        part(b'{"alg":' + b"[" * 5000) + ".e30.",
        part(b"\xff\xfe") + ".e30.",
        part({"alg": "RS256", "kid": "one", "crit": ["exp"]}) + ".e30.eA",
        part({"alg": "RS256", "kid": "one", "b64": False}) + ".e30.eA",
        part({"alg": ["RS256"], "kid": "one"}) + ".e30.eA",
        "\ud800.\udfff.x",
        "é.é.é",
        "\x00",
    ],
)
def test_what_is_no_token_is_refused(verifier: Verifier, presented: str) -> None:
    assert refusal(verifier, presented).status == 401


@pytest.mark.parametrize("body", [b"[" * 5000, b"[]", b"null", b'"x"', b"\xff", b"", b"NaN", b"{"])
def test_claims_that_are_no_claims_are_refused_although_signed(
    verifier: Verifier, body: bytes
) -> None:
    signed = jwt.api_jws.encode(body, private_key("one"), algorithm="RS256", headers={"kid": "one"})

    assert refusal(verifier, signed).status == 401


@given(st.text(max_size=200))
def test_any_text_is_refused_and_raises_nothing_else(offline: Verifier, text: str) -> None:
    assert refusal(offline, text).status == 401


SEGMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["alg", "kid", "exp", "iat", "aud", "iss", "email", "typ", "crit"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=5,
)


@given(head=SEGMENTS, claims=SEGMENTS, signature=st.binary(max_size=300))
def test_any_segments_are_refused_and_raise_nothing_else(
    offline: Verifier, head: Any, claims: Any, signature: bytes
) -> None:
    known = {"alg": "RS256", "kid": "one", **(head if isinstance(head, dict) else {})}

    for one in (head, known):
        refusal(offline, f"{part(one)}.{part(claims)}.{part(signature)}")


@given(
    st.dictionaries(
        st.sampled_from(["exp", "iat", "nbf", "aud", "iss", "email", "email_verified", "sub"]),
        SEGMENTS,
        min_size=1,
    )
)
def test_any_claims_that_are_signed_are_refused_or_pass_and_raise_nothing_else(
    offline: Verifier, changed: dict[str, Any]
) -> None:
    try:
        offline.check(token(**changed))
    except Refused:
        return
    assert claims_of(**changed)["email"] == ACCOUNT


def test_a_reason_names_what_was_wrong(verifier: Verifier) -> None:
    assert (
        refusal(verifier, token(aud="x")).reason == "the token is not valid: InvalidAudienceError"
    )
    assert refusal(verifier, token(exp=1)).reason == "the token is not valid: ExpiredSignatureError"
    assert refusal(verifier, "\ud800").reason == "the token is not three parts in base64url"
    assert refusal(verifier, "eA.eA.eA").reason == "the token cannot be read: JSONDecodeError"
    unsigned = f"{part({'alg': 'none'})}.e30.eA"
    assert refusal(verifier, unsigned).reason == "the token is not RS256 with a key id"


def test_a_reason_says_nothing_of_the_token(verifier: Verifier) -> None:
    for presented in (
        token(aud="SECRET"),
        token(iss="SECRET"),
        token(email="SECRET"),
        token(exp="SECRET"),
        token(kid="SECRET"),
        "SECRET.SECRET.SECRET",
        part({"alg": "SECRET", "kid": "one"}) + ".e30.eA",
        part({"alg": "RS256", "kid": "one", "crit": ["SECRET"], "SECRET": 1}) + ".e30.eA",
        part(b"SECRET") + ".e30.eA",
    ):
        assert "SECRET" not in refusal(verifier, presented).reason


class TestRemembered:
    @pytest.fixture
    def checked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The tokens whose signature was checked."""
        seen: list[str] = []
        decode = jwt.decode

        def counted(presented: str, *args: Any, **kwargs: Any) -> Any:
            seen.append(presented)
            return decode(presented, *args, **kwargs)

        monkeypatch.setattr(jwt, "decode", counted)
        return seen

    def test_a_token_is_checked_once_until_it_expires(
        self, server: KeyServer, checked: list[str]
    ) -> None:
        now = Clock()
        now.now = time.time()
        store = CertificateStore(f"{server.url}/certs")
        verifier = Verifier(store, AUDIENCE, frozenset({ACCOUNT}), now=now)
        good = token(exp=int(now.now) + 600)

        for _ in range(5):
            verifier.check(good)
        assert checked == [good]

        now.now += 600 + SKEW_SECONDS - 1
        verifier.check(good)
        assert checked == [good]

        now.now += 2
        verifier.check(good)
        assert checked == [good, good]

    def test_a_token_that_was_refused_is_not_remembered(
        self, verifier: Verifier, checked: list[str]
    ) -> None:
        bad = token(email=NOBODY)

        for _ in range(2):
            refusal(verifier, bad)

        assert checked == [bad, bad]

    def test_the_memory_is_bounded(
        self, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifier, "_claims", lambda presented: claims_of() | {"sub": presented})
        for number in range(3 * MAX_TOKENS):
            verifier.check(f"token-{number}")
            assert len(verifier._verified) <= MAX_TOKENS

    def test_tokens_themselves_are_not_kept(self, verifier: Verifier) -> None:
        good = token()
        verifier.check(good)

        assert good not in str(vars(verifier))
