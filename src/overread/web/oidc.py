"""Single sign-on by OpenID Connect: authorization code with PKCE, state and nonce.

Who signs on must have an account already (an invitation makes it, with the role); the issuer's
verified e-mail finds it. The three secrets of one try lie in a signed cookie of ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any, cast
from urllib.parse import urlencode

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from overread.app.study import sign_in
from overread.errors import InputError, MissingExtraError
from overread.web.access.sessions import open_session
from overread.web.access.tokens import same
from overread.web.api.around import At
from overread.web.replies import error_page, go
from overread.web.sign_on import SignOn

_COOKIE = "overread-sign-on"
_LASTS = 600
_SECONDS = 10


def begin(site: At) -> Response:
    """Send the browser to the issuer."""
    sign_on = _of(site)
    known = _discover(sign_on)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    asked = {
        "response_type": "code",
        "client_id": sign_on.client_id,
        "redirect_uri": _back(site),
        "scope": "openid email profile",
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge.rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    reply = go(f"{known['authorization_endpoint']}?{urlencode(asked)}")
    kept = json.dumps([state, nonce, verifier, int(time.time()) + _LASTS])
    reply.set_cookie(
        _COOKIE,
        _sealed(site, kept),
        max_age=_LASTS,
        path="/login/sign-on",
        secure=site.secure,
        httponly=True,
        samesite="lax",
    )
    return reply


def back(request: Request, site: At, code: str = "", state: str = "", error: str = "") -> Response:
    """Take the issuer's answer and open a session."""
    sign_on = _of(site)
    kept = _opened(site, request.cookies.get(_COOKIE, ""))
    if kept is None or not state or not same(state, kept[0]):
        return error_page(request, 400, "Not logged in", "This try is over. Begin again.")
    if error or not code:
        return error_page(request, 403, "Not logged in", "The sign-on was refused there.")
    claims = _claims(sign_on, code, verifier=kept[2], nonce=kept[1], back=_back(site))
    email = str(claims.get("email", "")).strip().casefold()
    account = sign_in.account(site.store, email) if claims.get("email_verified") is True else None
    if account is None:
        words = "There is no account for this e-mail yet. Ask the study lead for an invitation."
        return error_page(request, 403, "Not logged in", words)
    reply = go("/")
    open_session(reply, site, account.user.id)
    reply.delete_cookie(_COOKIE, path="/login/sign-on", secure=site.secure, httponly=True)
    return reply


def _of(site: At) -> SignOn:
    if site.sign_on is None:
        raise HTTPException(404, "be one of this server's")
    return site.sign_on


def _back(site: At) -> str:
    return f"{site.address}/login/sign-on/back"


def _http() -> Any:
    try:
        import httpx  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("Single sign-on", "oidc") from error
    return httpx


def _discover(sign_on: SignOn) -> dict[str, Any]:
    where = f"{sign_on.issuer.rstrip('/')}/.well-known/openid-configuration"
    known = _fetched("GET", where)
    if str(known.get("issuer", "")).rstrip("/") != sign_on.issuer.rstrip("/"):
        raise InputError("issuer", "be the one that was set up", "another")
    return known


def _fetched(method: str, where: str, **more: Any) -> dict[str, Any]:
    httpx = _http()
    try:
        reply = httpx.request(method, where, timeout=_SECONDS, follow_redirects=False, **more)
        reply.raise_for_status()
        found = reply.json()
    except (httpx.HTTPError, ValueError) as error:
        raise HTTPException(502, "reach the sign-on service; try again later") from error
    if not isinstance(found, dict):
        raise HTTPException(502, "understand the sign-on service")
    return found


def _claims(sign_on: SignOn, code: str, *, verifier: str, nonce: str, back: str) -> dict[str, Any]:
    """Exchange the code and check the ID token: signature, issuer, audience, time and nonce."""
    try:
        from joserfc import jwt  # noqa: PLC0415 - an extra
        from joserfc.errors import JoseError  # noqa: PLC0415
        from joserfc.jwk import KeySet  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtraError("Single sign-on", "oidc") from error
    known = _discover(sign_on)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "client_id": sign_on.client_id,
        "client_secret": sign_on.client_secret,
        "code_verifier": verifier,
    }
    tokens = _fetched("POST", known["token_endpoint"], data=form)
    keys = _fetched("GET", known["jwks_uri"])
    try:
        token = jwt.decode(
            str(tokens.get("id_token", "")),
            KeySet.import_key_set(cast("Any", keys)),
            algorithms=_ALGORITHMS,
        )
        jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": known["issuer"]},
            aud={"essential": True, "value": sign_on.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(token.claims)
    except (JoseError, ValueError) as error:
        raise HTTPException(403, "bring a valid ID token from the sign-on service") from error
    return dict(token.claims)


_ALGORITHMS = ["RS256", "ES256", "PS256"]  # signed by the issuer's key; never HS256 or none


def _sealed(site: At, text: str) -> str:
    seal = hmac.new(site.secret, b"sign-on:" + text.encode(), "sha256").hexdigest()
    return base64.urlsafe_b64encode(f"{seal}{text}".encode()).decode()


def _opened(site: At, cookie: str) -> list[Any] | None:
    try:
        text = base64.urlsafe_b64decode(cookie.encode()).decode()
    except ValueError:
        return None
    seal, text = text[:64], text[64:]
    wanted = hmac.new(site.secret, b"sign-on:" + text.encode(), "sha256").hexdigest()
    if not same(seal, wanted):
        return None
    kept: list[Any] = json.loads(text)
    return kept if kept[3] > time.time() else None
