"""Every route with every role: the one table decides, and nothing is outside it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from overread.web.access.roles import ADMINS, ANYONE, LEADS, NOBODY, READERS
from overread.web.description import described
from overread.web.routes import ROUTES
from tests.web.conftest import House

ROLES = ("nobody", "reader", "lead", "admin")
_IDS = "0d9ad75d-37a7-4fb4-9d2c-5b5f8b0f2f11"


def test_every_route_of_the_application_has_its_rule() -> None:
    table = {(one.method, one.path) for one in ROUTES}
    assert len(table) == len(ROUTES)
    served = {
        (method, route.path)
        for route in described().routes
        for method in getattr(route, "methods", None) or {"?"}
    }
    assert served == table


def test_rules_are_those_we_mean() -> None:
    """The table again, by its meaning: what is open, what readers may, what leads may."""
    for one in ROUTES:
        assert one.roles in {ANYONE, READERS, LEADS, ADMINS}
        if one.roles == ANYONE:
            assert re.match(
                r"/$|/api/login$|/login|/api/links/|/password/|/set-up/|/invitation/|/static/",
                one.path,
            ), one.path
        if re.search(r"/cases/\{case\}/(reads|consensus)|/export|^/cases|^/people", one.path):
            assert "reader" not in one.roles, one.path


def _path(one: Any) -> str:
    path = one.path.replace("{path:path}", "pages.css").replace("{token}", "x" * 40)
    return re.sub(r"\{number\}", "0", re.sub(r"\{\w+\}", _IDS, path))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("one", ROUTES, ids=lambda one: f"{one.method} {one.path}")
def test_role_by_route(stormed_house: House, one: Any, role: str) -> None:
    if one.path in {"/logout", "/api/logout"}:
        return _logs_out(stormed_house, one, role)
    who = stormed_house.people[role]
    data: dict[str, Any] = {}
    if one.method != "GET":
        data = {"json": {}} if one.is_api else {"data": {"csrf": who.csrf}}
    reply = who.client.request(
        one.method, _path(one), headers=who.headers, follow_redirects=False, **data
    )
    allowed = (NOBODY if role == "nobody" else role) in one.roles
    if one.path == "/login" and one.method == "POST":
        assert reply.status_code in {401, 429}  # empty fields open no account
    elif allowed:
        assert reply.status_code not in {401, 403, 405, 500}, reply.text
    elif role != "nobody":
        assert reply.status_code == 403
    elif one.is_api:
        assert reply.status_code == 401
    else:
        assert (reply.status_code, reply.headers["location"]) == (303, "/login")
    return None


def _logs_out(house: House, one: Any, role: str) -> None:
    who = house.people[role]
    reply = who.client.request(one.method, one.path, follow_redirects=False)
    if role == "nobody":
        assert reply.status_code in {303, 401}
        return
    assert reply.status_code == 403  # without the token nobody is logged out
    assert who.get("/api/me").status_code == 200


@pytest.mark.parametrize(
    "one",
    [one for one in ROUTES if one.method != "GET"],
    ids=lambda one: f"{one.method} {one.path}",
)
def test_nothing_changes_without_the_token_or_from_elsewhere(
    stormed_house: House, one: Any
) -> None:
    if one.roles == ANYONE:
        who, token = stormed_house.people["nobody"], {}
    else:
        who = stormed_house.people["admin"]
        data = {"json": {}} if one.is_api else {"data": {"csrf": "0" * 64}}
        reply = who.client.request(
            one.method, _path(one), headers={"X-CSRF-Token": "0" * 64}, **data
        )
        # a form is looked at after what it belongs to was found
        assert reply.status_code in ({403} if one.is_api else {403, 404})
        token = who.headers
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        reply = who.client.request(one.method, _path(one), headers={**token, **header}, json={})
        assert reply.status_code == 403


def test_what_is_not_in_the_table_is_not_there(stormed_house: House) -> None:
    admin = stormed_house.people["admin"]
    for path in ("/docs", "/openapi.json", "/redoc", "/api/users", "/api/projects/", "/.env"):
        assert admin.get(path).status_code == 404
    assert admin.client.delete("/api/projects").status_code == 405
    assert admin.client.request("TRACE", "/").status_code == 405
    for path in ("/static/../site.py", "/static/%2e%2e/site.py", "/static//etc/passwd", "/static/"):
        assert admin.get(path).status_code == 404
