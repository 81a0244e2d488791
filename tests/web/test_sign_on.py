"""Single sign-on against an issuer of our own, on a real port with real signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from overread.web import SignOn, create_app
from tests.web.conftest import HOST, SECRET, House

_HEADER = {"alg": "RS256", "kid": "1"}
_KEY = RSAKey.generate_key(2048, {"kid": "1"})


@dataclass
class Issuer:
    """What the issuer knows and says; a test spoils one thing at a time."""

    address: str = ""
    key: RSAKey = field(default_factory=lambda: _KEY)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    signing: Any = None
    forge: Any = None

    def known(self) -> dict[str, str]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
        }

    def token(self, form: dict[str, str]) -> dict[str, str]:
        asked = self.codes.pop(form["code"])
        challenge = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked["code_challenge"]
        assert form["client_secret"] == "s3cret"
        claims = {
            "iss": self.address,
            "aud": form["client_id"],
            "exp": int(time.time()) + 60,
            "iat": int(time.time()),
            "sub": "1",
            "nonce": asked["nonce"],
            "email": "Rhea@example.org",
            "email_verified": True,
            **self.claims,
        }
        made = (
            self.forge(claims)
            if self.forge
            else jwt.encode(_HEADER, claims, self.signing or self.key)
        )
        return {"id_token": made, "access_token": "x", "token_type": "Bearer"}


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            keys = {"keys": [made.key.as_dict(private=False)]}
            self.answer(made.known() if "well-known" in self.path else keys)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.answer(made.token({name: one[0] for name, one in parse_qs(body).items()}))

        def answer(self, value: Any) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


def _client(house: House, issuer: Issuer) -> TestClient:
    sign_on = SignOn("the hospital", issuer.address, "overread", "s3cret")
    app = create_app(
        house.store, house.blobs, secret=SECRET, clock=house.clock, address=HOST, sign_on=sign_on
    )
    return TestClient(app, base_url=HOST)


def _try(client: TestClient, issuer: Issuer, **spoilt: str) -> Any:
    reply = client.get("/login/sign-on", follow_redirects=False)
    asked = {
        name: one[0] for name, one in parse_qs(urlsplit(reply.headers["location"]).query).items()
    }
    assert asked["code_challenge_method"] == "S256"
    issuer.codes["c1"] = asked
    back = {"code": "c1", "state": asked["state"], **spoilt}
    return client.get("/login/sign-on/back", params=back, follow_redirects=False)


def test_sign_on_opens_a_session(shared_house: House, issuer: Issuer) -> None:
    client = _client(shared_house, issuer)
    assert "the hospital" in client.get("/login").text
    reply = _try(client, issuer)
    assert (reply.status_code, reply.headers["location"]) == (303, "/")
    assert client.get("/api/me").json()["name"] == "Rhea Reader"


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.org"},
        {"email_verified": False},
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1_000_000_000},
    ],
    ids=str,
)
def test_claims_that_do_not_hold(
    shared_house: House, issuer: Issuer, claims: dict[str, Any]
) -> None:
    client = _client(shared_house, issuer)
    issuer.claims = claims
    assert _try(client, issuer).status_code == 403
    assert client.get("/api/me").status_code == 401


def test_signatures_that_do_not_hold(shared_house: House, issuer: Issuer) -> None:
    client = _client(shared_house, issuer)
    issuer.signing = RSAKey.generate_key(2048, {"kid": "1"})
    assert _try(client, issuer).status_code == 403
    for header in ({"alg": "HS256", "kid": "1"}, {"alg": "none"}):
        issuer.forge = partial(_forged, header, issuer.key.as_pem(private=False))
        assert _try(client, issuer).status_code == 403


def _forged(header: dict[str, str], secret: bytes, claims: dict[str, Any]) -> str:
    """The issuer's public key taken for a shared secret; or no signature at all."""
    parts = [_packed(json.dumps(one).encode()) for one in (header, claims)]
    seal = hmac.new(secret, ".".join(parts).encode(), "sha256").digest()
    return ".".join([*parts, _packed(seal) if header["alg"] != "none" else ""])


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_state_that_does_not_hold(shared_house: House, issuer: Issuer) -> None:
    client = _client(shared_house, issuer)
    assert _try(client, issuer, state="another").status_code == 400
    assert _try(client, issuer, error="access_denied").status_code == 403
    client.cookies.clear()
    assert client.get("/login/sign-on/back?code=c&state=s").status_code == 400
    client.cookies.set("overread-sign-on", "AAAA", path="/login/sign-on")
    assert client.get("/login/sign-on/back?code=c&state=s").status_code == 400


def test_issuer_that_is_away(shared_house: House, issuer: Issuer) -> None:
    issuer.address = "http://127.0.0.1:9"
    client = _client(shared_house, issuer)
    assert client.get("/login/sign-on").status_code == 502


def test_without_sign_on_there_is_none(shared_house: House) -> None:
    assert shared_house.people["nobody"].get("/login/sign-on").status_code == 404
