"""The tokens that are not ours: what is wrong with each, and how it is made."""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from tests.attacks.support import HEADER, part, signed, with_mac
from tests.support.keyserver import (
    ACCOUNT,
    AUDIENCE,
    certificate,
    claims_of,
    jwk,
    jwks,
    private_key,
    public_pem,
    token,
)
from worker.oidc import MAX_TOKEN

NOW = int(time.time())
LONG = 1_000_000  # seconds: longer than the tests take
NOBODY = "stranger@other-project.iam.gserviceaccount.com"
CYRILLIC = ACCOUNT.replace("e", "\N{CYRILLIC SMALL LETTER IE}")


def der(name: str) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat
    return private_key(name).public_key().public_bytes(encoding, form.SubjectPublicKeyInfo)


def pkcs1(name: str) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PublicFormat
    return private_key(name).public_key().public_bytes(encoding, form.PKCS1)


def other_algorithm(name: str) -> str:
    return jwt.encode(claims_of(), private_key("one"), algorithm=name, headers={"kid": "one"})


def on_a_curve() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims_of(), key, algorithm="ES256", headers={"kid": "one"})


def with_hash(algorithm: hashes.HashAlgorithm) -> str:
    """Says RS256, and is signed over another hash."""
    text = f"{part(HEADER)}.{part(claims_of())}"
    signature = private_key("one").sign(text.encode(), padding.PKCS1v15(), algorithm)
    return f"{text}.{part(signature)}"


def said_twice(name: str, value: Any) -> bytes:
    """Good claims, with one of them before that says something else."""
    return json.dumps(claims_of()).replace("{", f'{{"{name}": {json.dumps(value)}, ', 1).encode()


def changed(position: int) -> str:
    """A good token with another character there."""
    good = token()
    other = "A" if good[position] != "A" else "B"
    return good[:position] + other + (good[position:][1:])


def unsigned(alg: Any) -> str:
    return f"{part({**HEADER, 'alg': alg})}.{part(claims_of())}."


def named(kid: Any) -> str:
    """Signed with a key of the attacker's that has this id."""
    return signed({**HEADER, "kid": kid}, key="stranger")


UNSIGNED: list[Any] = ["none", "None", "NONE", "nOnE", "", None, 0, [], "RS256"]
MISNAMED: list[Any] = ["none", "rs256", "RS256 ", "RS257", "HS256", "", None, 1, ["RS256"], {}]
ALGORITHMS: dict[str, Callable[[], str]] = {
    **{f"alg {alg!r} and no signature": partial(unsigned, alg) for alg in UNSIGNED},
    **{
        f"alg {alg!r} and a good signature": partial(signed, {**HEADER, "alg": alg})
        for alg in MISNAMED
    },
    "no alg": lambda: signed({"kid": "one"}),
    "two algs": lambda: signed(b'{"alg":"none","alg":"RS256","kid":"one"}'),
    "the public key in PEM as a secret": lambda: with_mac(public_pem("one")),
    "without its last newline": lambda: with_mac(public_pem("one").strip()),
    "the public key in PKCS1 as a secret": lambda: with_mac(pkcs1("one")),
    "the public key in DER as a secret": lambda: with_mac(der("one")),
    "the certificate as a secret": lambda: with_mac(certificate("one").encode()),
    "the JWK as a secret": lambda: with_mac(json.dumps(jwk("one")).encode()),
    "the JWKS as a secret": lambda: with_mac(jwks(["one"])),
    "the modulus as a secret": lambda: with_mac(jwk("one")["n"].encode()),
    "an empty secret": lambda: with_mac(b""),
    "HS384": lambda: with_mac(public_pem("one"), "HS384"),
    "HS512": lambda: with_mac(public_pem("one"), "HS512"),
    "RS384": lambda: other_algorithm("RS384"),
    "RS512": lambda: other_algorithm("RS512"),
    "PS256": lambda: other_algorithm("PS256"),
    "ES256": on_a_curve,
    "SHA-1 under RS256": lambda: with_hash(hashes.SHA1()),  # noqa: S303 - is what must be refused
    "SHA-512 under RS256": lambda: with_hash(hashes.SHA512()),
}

SIGNATURES: dict[str, Callable[[], str]] = {
    "another key": lambda: token("stranger", kid="one"),
    "another key of ours": lambda: token("two", kid="one"),
    "no signature": lambda: token().rpartition(".")[0],
    "an empty signature": lambda: token().rpartition(".")[0] + ".",
    "a signature cut off by one": lambda: token()[:-1],
    "a signature cut in half": lambda: token()[:-170],
    "a signature of zeros": lambda: f"{token().rpartition('.')[0]}.{part(bytes(256))}",
    "a signature of one": lambda: f"{token().rpartition('.')[0]}.{part(bytes(255) + b'1')}",
    "a longer signature": lambda: f"{token()}AAAA",
    "another last character": lambda: changed(-1),
    "another first character of the signature": lambda: changed(-342),
    "padding": lambda: f"{token()}==",
    "removed by Cloud Run": lambda: f"{token().rpartition('.')[0]}.SIGNATURE_REMOVED_BY_GOOGLE",
    "of another token": lambda: f"{token(sub='x').rpartition('.')[0]}.{token().rpartition('.')[2]}",
    "the claims of another": lambda: ".".join(
        [token().split(".")[0], part(claims_of(email=NOBODY)), token().split(".")[2]]
    ),
}

KEY_IDS: dict[str, Callable[[], str]] = {
    "no kid": lambda: signed({"alg": "RS256"}, key="stranger"),
    **{
        f"kid {kid!r:.40}": partial(named, kid)
        for kid in [
            "../../../../../../dev/null", "/dev/null", "file:///etc/passwd", "one' OR '1'='1",
            "one;--", "one\x00", "one\n", " one", "ONE", "", "*", "__class__", "keys", "k" * 5000,
            "\ud800", "öne", 1, 1.5, True, None, ["one"], {"one": 1},
        ]
    },
}  # fmt: skip

CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": NOW - 60},
    "expired by a text": {"exp": str(NOW + LONG)},
    "exp huge": {"exp": 10**400},
    "exp larger than a double": {"exp": 2**1024},
    "exp infinite": {"exp": float("inf")},
    "exp NaN": {"exp": float("nan")},
    "exp true": {"exp": True},
    "exp a list": {"exp": [NOW + LONG]},
    "exp an object": {"exp": {"seconds": NOW + LONG}},
    "exp null": {"exp": ...},
    "no exp": {"exp": None},
    "iat in the future": {"iat": NOW + LONG},
    "iat a text": {"iat": str(NOW)},
    "iat null": {"iat": ...},
    "no iat": {"iat": None},
    "not yet valid": {"nbf": NOW + LONG},
    "nbf a text": {"nbf": str(NOW)},
    "nbf NaN": {"nbf": float("nan")},
    "another audience": {"aud": "https://other.example/push"},
    "aud with a slash": {"aud": f"{AUDIENCE}/"},
    "aud in capitals": {"aud": AUDIENCE.upper()},
    "aud a prefix": {"aud": AUDIENCE[:-1]},
    "aud a list": {"aud": [AUDIENCE]},
    "aud a longer list": {"aud": ["https://other.example", AUDIENCE]},
    "aud an object": {"aud": {AUDIENCE: 1}},
    "aud empty": {"aud": ""},
    "aud null": {"aud": ...},
    "aud with NUL": {"aud": f"{AUDIENCE}\x00"},
    "no aud": {"aud": None},
    "another issuer": {"iss": "https://accounts.example"},
    "nearly the issuer": {"iss": "https://accounts.google.com.example"},
    "the issuer over http": {"iss": "http://accounts.google.com"},
    "the issuer with a slash": {"iss": "https://accounts.google.com/"},
    "the issuer in capitals": {"iss": "HTTPS://ACCOUNTS.GOOGLE.COM"},
    "iss a list": {"iss": ["https://accounts.google.com"]},
    "no iss": {"iss": None},
    "another account": {"email": NOBODY},
    "email in capitals": {"email": ACCOUNT.upper()},
    "email that looks the same": {"email": CYRILLIC},
    "email with a space": {"email": f"{ACCOUNT} "},
    "email with a newline": {"email": f"{ACCOUNT}\n"},
    "email with NUL": {"email": f"{ACCOUNT}\x00"},
    "email and another": {"email": f"{ACCOUNT},{NOBODY}"},
    "email a list": {"email": [ACCOUNT]},
    "email an object": {"email": {ACCOUNT: True}},
    "email empty": {"email": ""},
    "no email": {"email": None},
    "unverified": {"email_verified": False},
    "verified by a text": {"email_verified": "true"},
    "verified by a number": {"email_verified": 1},
    "verified by a list": {"email_verified": [True]},
    "verified null": {"email_verified": ...},
    "not said to be verified": {"email_verified": None},
    "sub a number": {"sub": 12345678},
}


def claiming(changes: dict[str, Any]) -> str:
    """A token signed with our key; None leaves a claim out, ... says null."""
    said = claims_of(**changes).items()
    return signed(claims={name: None if value is ... else value for name, value in said})


FORMS: dict[str, Callable[[], str]] = {
    "email twice": lambda: signed(claims=said_twice("email", NOBODY)),
    "aud twice": lambda: signed(claims=said_twice("aud", "https://other.example")),
    "exp twice": lambda: signed(claims=said_twice("exp", NOW - 60)),
    "crit": lambda: signed({**HEADER, "crit": ["exp"], "exp": 1}),
    "crit of something unknown": lambda: signed({**HEADER, "crit": ["unheard-of"]}),
    "crit of what is not there": lambda: signed({**HEADER, "crit": ["b64"], "b64": False}),
    "crit a text": lambda: signed({**HEADER, "crit": "exp"}),
    "b64 false": lambda: signed({**HEADER, "b64": False}),
    "nested": lambda: signed({**HEADER, "cty": "JWT"}, token().encode()),
    "nested in a text": lambda: signed({**HEADER, "cty": "JWT"}, token()),
    "a JWE": lambda: ".".join(
        [part({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "one"}), *[part(b"x" * 32)] * 4]
    ),
    "a JWS in JSON": lambda: json.dumps(
        dict(zip(("protected", "payload", "signature"), token().split("."), strict=True))
    ),
    "detached": lambda: ".".join([token().split(".")[0], "", token().split(".")[2]]),
    "two parts more": lambda: f"{token()}.{part(claims_of())}.eA",
    "two tokens": lambda: f"{token()}.{token()}",
    "claims a list": lambda: signed(claims=[claims_of()]),
    "claims a text": lambda: signed(claims="claims"),
    "claims null": lambda: signed(claims=b"null"),
    "claims empty": lambda: signed(claims=b""),
    "claims {}": lambda: signed(claims={}),
    "claims not UTF-8": lambda: signed(claims=b'{"email": "\xff\xfe-not-text"}'),
    "claims deep": lambda: signed(claims=b'{"a":' * 600),
    "header deep": lambda: signed(b'{"a":' * 600),
    "header a list": lambda: signed([HEADER]),
    "header empty": lambda: signed(b""),
    "header null": lambda: signed(b"null"),
    "oversized": lambda: token(padding="x" * MAX_TOKEN),
    "as long as may be": lambda: "x" * MAX_TOKEN,
    "only dots": lambda: "..",
    "many dots": lambda: "." * 4000,
    "no base64": lambda: "!!!!!!!!.????????.********",
    "in plain base64": lambda: token().replace("-", "+").replace("_", "/") + "+/+/",
    "percent-encoded": lambda: token().replace(".", "%2e"),
    "with a comma": lambda: f"{token()},",
    "joined with another": lambda: f"{token()}, Bearer {token()}",
    "joined without a scheme": lambda: f"{token()} {token()}",
    "in quotes": lambda: f'"{token()}"',
}

TABLE: dict[str, Callable[[], str]] = {
    **ALGORITHMS,
    **SIGNATURES,
    **KEY_IDS,
    **{name: partial(claiming, changes) for name, changes in CLAIMS.items()},
    **FORMS,
}
