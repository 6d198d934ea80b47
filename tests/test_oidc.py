"""Tokens, verified with real keys that a server on loopback hands out."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

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
    pem_map,
    private_key,
    public_pem,
    token,
)
from tests.support.standin import Reply, StandIn, talks
from worker.oidc import (
    MAX_AGE_SECONDS,
    MAX_CERTS,
    MAX_TOKEN,
    MAX_TOKENS,
    REFRESH_SECONDS,
    SKEW_SECONDS,
    CertificateStore,
    Verifier,
    read_keys,
)
from worker.outcome import Refused, Retry

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
        pytest.param({"iat": [1]}, id="iat is a list"),
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
    assert refusal(verifier, "\ud800").reason == "the token cannot be read: UnicodeEncodeError"
    unsigned = f"{part({'alg': 'none'})}.e30."
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


class TestKeys:
    def test_strangers_cause_one_fetch_in_ten_seconds(
        self, verifier: Verifier, server: KeyServer, clock: Clock
    ) -> None:
        for number in range(50):
            refusal(verifier, token("stranger", kid=f"made-up-{number}"))
        assert len(server.calls) == 1

        clock.now += REFRESH_SECONDS
        for number in range(50):
            refusal(verifier, token("stranger", kid=f"made-up-{number}"))
        assert len(server.calls) == 2

    def test_strangers_at_the_same_time_cause_one_fetch(
        self, verifier: Verifier, server: KeyServer
    ) -> None:
        with ThreadPoolExecutor(20) as pool:
            for refused in pool.map(
                lambda number: refusal(verifier, token("stranger", kid=f"made-up-{number}")),
                range(40),
            ):
                assert refused.status == 401

        assert len(server.calls) == 1

    def test_a_new_key_is_accepted_at_once(
        self, verifier: Verifier, server: KeyServer, clock: Clock
    ) -> None:
        verifier.check(token("one"))
        clock.now += REFRESH_SECONDS
        server.names = ("two", "three")

        verifier.check(token("three"))

        assert refusal(verifier, token("one", sub="new")).status == 401  # the key was withdrawn

    def test_a_withdrawn_key_stops_working_within_the_hour(
        self, verifier: Verifier, server: KeyServer, clock: Clock
    ) -> None:
        verifier.check(token("one"))
        server.names = ("two",)

        clock.now += MAX_AGE_SECONDS + 1

        assert refusal(verifier, token("one", sub="new")).status == 401

    def test_known_keys_go_on_while_the_server_is_down(
        self, verifier: Verifier, server: KeyServer, clock: Clock
    ) -> None:
        verifier.check(token("one"))
        server.down = True
        clock.now += 10 * MAX_AGE_SECONDS

        verifier.check(token("one", sub="new"))
        verifier.check(token("two"))

    def test_without_any_key_the_push_is_asked_for_again(
        self, verifier: Verifier, server: KeyServer, clock: Clock
    ) -> None:
        server.down = True
        with pytest.raises(Retry):
            verifier.check(token("one"))

        server.down = False
        clock.now += REFRESH_SECONDS
        verifier.check(token("one"))

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b"not json",
            b'{"keys": []}',
            b'{"keys": [{"kty": "EC", "kid": "one"}]}',
            b'{"keys": [{"kty": "RSA", "kid": "one", "n": 5, "e": "AQAB"}]}',
            b'{"keys": [{"kty": "RSA", "kid": "one", "n": "", "e": ""}]}',
            b'{"one": "not a certificate"}',
            b'{"one": 5}',
            b"[" * 100_000,
            b"\xff",
            pem_map(["one"])[:-200],
        ],
        ids=lambda body: repr(body[:30]),
    )
    def test_an_answer_without_keys_is_as_good_as_none(self, body: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_keys(body)
        store = CertificateStore("https://certs.example", fetch=lambda _url: body)
        with pytest.raises(Retry):
            store.key("one")

    @pytest.mark.parametrize(
        "raw",
        [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"],
        ids=["nothing", "no HTTP", "a part"],
    )
    def test_a_server_that_speaks_no_http_is_as_good_as_none(self, raw: bytes) -> None:
        with talks(raw) as address:
            store = CertificateStore(f"http://{address}/certs")
            with pytest.raises(Retry):
                store.key("one")

    def test_one_broken_entry_does_not_hide_the_others(self) -> None:
        pems = {"broken": "x", **json.loads(pem_map(["one"])), "other": 5}
        assert set(read_keys(json.dumps(pems).encode())) == {"one"}
        broken = {"kty": "RSA", "kid": "broken", "n": 1}
        keys = [broken, {"kty": "EC"}, jwk("one"), broken, 5]
        assert set(read_keys(json.dumps({"keys": keys}).encode())) == {"one"}

    def test_an_endless_answer_is_not_read_to_its_end(self) -> None:
        padded = Reply(200, b" " * MAX_CERTS + jwks(["one"]))
        with StandIn(lambda _call: padded) as server, pytest.raises(Retry):
            CertificateStore(f"{server.url}/jwks").key("one")

    def test_a_server_that_never_answers_is_waited_for_a_few_seconds(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waited: list[float] = []

        def never(url: str, *, timeout: float) -> NoReturn:
            waited.append(timeout)
            raise TimeoutError(url)

        monkeypatch.setattr("urllib.request.urlopen", never)
        with pytest.raises(Retry):
            CertificateStore("https://certs.example").key("one")
        assert waited == [5]

    @given(
        st.binary(max_size=100)
        | SEGMENTS.map(lambda value: json.dumps(value).encode())
        | SEGMENTS.map(lambda value: json.dumps({"keys": [value]}).encode())
        | st.fixed_dictionaries(
            {"kty": st.just("RSA"), "kid": st.just("x"), "n": SEGMENTS, "e": SEGMENTS}
        ).map(lambda value: json.dumps({"keys": [value]}).encode())
    )
    def test_any_answer_is_keys_or_a_value_error(self, body: bytes) -> None:
        with contextlib.suppress(ValueError):
            assert read_keys(body)

    def test_known_keys_are_used_while_another_thread_fetches(self) -> None:
        fetching, go_on = threading.Event(), threading.Event()
        answers: list[Callable[[], bytes]] = [lambda: jwks(["one"])]

        def fetch(_url: str) -> bytes:
            return answers[-1]()

        def slowly() -> bytes:
            fetching.set()
            go_on.wait()
            return jwks(["one"])

        clock = Clock()
        store = CertificateStore("https://certs.example", fetch=fetch, clock=clock)
        store.key("one")
        answers.append(slowly)
        clock.now += MAX_AGE_SECONDS + 1
        with ThreadPoolExecutor(2) as pool:
            try:
                refreshing = pool.submit(store.key, "one")
                assert fetching.wait(30)
                pool.submit(store.key, "one").result(timeout=10)  # does not wait for the other
            finally:
                go_on.set()
            refreshing.result()


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


def test_a_server_that_redirects_is_followed() -> None:
    with KeyServer("one") as target:
        moved = Reply(302, headers={"Location": f"{target.url}/certs"})
        with StandIn(lambda _call: moved) as first:
            CertificateStore(f"{first.url}/certs").key("one")
