"""What a hostile visitor, reader, lead or file may try."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from overread.errors import InputError
from overread.protocol import template
from overread.web import create_app, serve
from overread.web.access.passwords import hash_password, password_fits
from overread.web.pages.account import local
from overread.web.rendering import markdown
from tests.web.conftest import HOST, PASSWORD, House, bring_in, open_house

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>"


class _Tags(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))


def assert_inert(html: str) -> None:
    """No script but our own files, no handler, no style in place, nothing from elsewhere."""
    page = _Tags()
    page.feed(html)
    for tag, attributes in page.found:
        if tag == "script":
            assert re.fullmatch(r"/static/[\w/.-]+", attributes.get("src") or ""), attributes
        assert not [one for one in attributes if one.startswith("on") or one == "style"], attributes
        for name in ("src", "href", "action"):
            value = attributes.get(name) or "/"
            assert not re.match(r"\s*(javascript|data|vbscript):", value, re.IGNORECASE), value
        assert tag not in {"iframe", "object", "embed", "base", "style"}, tag
        if tag == "img":
            assert (attributes.get("src") or "").startswith("/api/"), attributes


def test_script_in_every_text_is_inert(tmp_path: Path) -> None:
    text = template("fracture-boxes")
    quoted = "'" + SCRIPT.replace("'", "''") + "'"
    text = text.replace("title: Fractures, a box round each", f"title: {quoted}")
    text = text.replace("prompt: Draw a box round each fracture", f"prompt: {quoted}")
    text = text.replace("name: Healed fracture", f"name: {quoted}")
    text = text.replace("why: The box ends where the line ends.", f"why: {quoted}")
    text = text.replace(
        "# How to draw", f"# {SCRIPT} [x](javascript:alert(1)) ![x](https://e.vil/x)"
    )
    house = open_house(tmp_path, protocol=text, cases=2)
    evil = house.join("reader", "eve@example.org", SCRIPT[:60])
    lead = house.people["lead"]
    readers = [evil.id, house.people["reader"].id]
    assert lead.form(f"/projects/{house.project}/members", reader=readers).status_code == 303
    (task,) = house.tasks("reader")
    assert house.read("reader", task, {"fractures": []}, comment=SCRIPT).status_code == 200
    case = task["case"]["id"]
    base = f"/projects/{house.project}"
    pages = [
        "/home",
        "/projects",
        "/people",
        base,
        f"{base}/cases?q=%3Cscript%3E",
        f"{base}/protocol",
    ]
    pages += [
        f"{base}/import",
        f"{base}/members",
        f"{base}/export",
        f"/cases/{case}",
        "/projects/new",
    ]
    for path in pages:
        reply = house.people["admin"].get(path)
        assert reply.status_code == 200, path
        assert_inert(reply.text)
    for path in (f"{base}/protocol", "/projects/new"):
        reply = lead.form(path, name=SCRIPT, text=SCRIPT + "\n\x07", check="yes", base="1")
        assert reply.status_code == 422
        assert_inert(reply.text)
    reply = lead.form("/people", email=SCRIPT, role="reader")
    assert reply.status_code == 422
    assert_inert(reply.text)
    guide = evil.get(f"/api/projects/{house.project}/protocol").json()["guideline_html"]
    assert_inert(guide)
    assert "&lt;script&gt;" in guide
    # JSON is never taken for a page
    reads = lead.get(f"/api/cases/{case}/reads")
    assert reads.json()["reads"][0]["comment"] == SCRIPT
    assert reads.headers["content-type"] == "application/json"
    assert reads.headers["x-content-type-options"] == "nosniff"
    house.store.close()


@pytest.mark.parametrize("path", ["/login", "/api/me", "/nothing", "/static/pages.css", "/"])
def test_headers_are_on_every_answer(shared_house: House, path: str) -> None:
    reply = shared_house.people["nobody"].get(path, follow_redirects=False)
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "same-origin"
    assert "server" not in reply.headers
    if not path.startswith("/static"):
        assert reply.headers["cache-control"] == "no-store"


def test_reading_page_policy_allows_workers_and_no_forms(shared_house: House) -> None:
    reply = shared_house.people["reader"].get(f"/read/{shared_house.project}")
    policy = reply.headers["content-security-policy"]
    assert "worker-src 'self' blob:" in policy
    assert "form-action 'none'" in policy


def test_other_hosts_are_refused(shared_house: House) -> None:
    client = shared_house.people["admin"].client
    for host in ("evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil"):
        assert client.get("/login", headers={"Host": host}).status_code == 400
    for host in ("localhost:8000", "127.0.0.1:1", "[::1]:8000"):
        assert client.get("/login", headers={"Host": host}).status_code == 200


def test_session_cookie(house: House) -> None:
    browser = house.browser("rhea@example.org")
    reply = browser.client.post("/api/login", json={"email": browser.email, "password": PASSWORD})
    cookie = reply.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    token = browser.client.cookies["overread"]
    for folder in (Path(house.store.url.removeprefix("sqlite:///")),):
        assert token.encode() not in folder.read_bytes()  # only its hash is kept
        assert PASSWORD.encode() not in folder.read_bytes()
    browser.log_in()
    assert browser.post("/api/logout").status_code == 200
    browser.client.cookies.set("overread", token)
    assert browser.get("/api/me").status_code == 200  # the first session, still open
    house.clock.now += timedelta(hours=13)
    assert browser.get("/api/me").status_code == 401


def test_logging_out_ends_the_session_for_good(house: House) -> None:
    browser = house.browser("rhea@example.org").log_in()
    token = browser.client.cookies["overread"]
    assert browser.post("/api/logout").status_code == 200
    browser.client.cookies.set("overread", token)
    assert browser.get("/api/me").status_code == 401


def test_secure_server_has_secure_cookies(house: House) -> None:
    from starlette.testclient import TestClient

    app = create_app(
        house.store,
        house.blobs,
        secret=b"s" * 32,
        clock=house.clock,
        hosts=["reads.example"],
        secure=True,
    )
    client = TestClient(app, base_url="https://reads.example")
    reply = client.post("/api/login", json={"email": "rhea@example.org", "password": PASSWORD})
    assert reply.headers["set-cookie"].startswith("__Host-overread=")
    assert "secure" in reply.headers["set-cookie"].lower()
    assert "strict-transport-security" in reply.headers
    assert client.get("/api/me").status_code == 200


def test_guessing_is_slowed(house: House) -> None:
    guesser = house.browser("lead@example.org")

    def guess(password: str) -> int:
        body = {"email": guesser.email, "password": password}
        return int(guesser.client.post("/api/login", json=body).status_code)

    assert [guess("wrong password") for _ in range(6)] == [401] * 5 + [429]
    assert guess(PASSWORD) == 429
    assert house.people["lead"].get("/api/me").status_code == 200  # who is in stays in
    house.browser("rhea@example.org").log_in()  # others are not locked out
    house.clock.now += timedelta(minutes=16)
    assert guess(PASSWORD) == 200


def test_login_page_says_the_same_for_all_failures(shared_house: House) -> None:
    nobody = shared_house.browser()
    pages = [
        nobody.client.post("/login", data={"email": email, "password": "not this one"})
        for email in ("otto@example.org", "nobody@example.org")
    ]
    assert [one.status_code for one in pages] == [401, 401]
    texts = {re.sub(r'value="[^"]*"', "", one.text) for one in pages}
    assert len(texts) == 1


def test_links_work_once(house: House) -> None:
    admin = house.people["admin"]
    reply = admin.form("/people", email="new@example.org", role="lead")
    path = re.search(r'value="http://[^/"]+(/invitation/[^"]+)"', reply.text)[1]  # type: ignore[index]
    browser = house.browser()
    fields = {"name": "New", "email": "other@example.org", "password": "short"}
    assert browser.form(path, **fields).status_code == 422
    assert browser.form(path, **{**fields, "password": PASSWORD}).status_code == 303
    me = browser.get("/api/me").json()
    assert me["role"] == "lead"
    assert house.browser("new@example.org").log_in().id == me["id"]  # the invited e-mail counts
    assert house.browser().form(path, **{**fields, "password": PASSWORD}).status_code == 404
    assert house.browser().get(path).status_code == 404
    assert (
        house.people["lead"].form("/people", email="x@example.org", role="admin").status_code == 403
    )
    reply = admin.form("/people", email="late@example.org", role="reader")
    path = re.search(r'value="http://[^/"]+(/invitation/[^"]+)"', reply.text)[1]  # type: ignore[index]
    house.clock.now += timedelta(days=30)
    assert house.browser().get(path).status_code == 404


def test_bodies_are_bounded(shared_house: House) -> None:
    reader = shared_house.people["reader"]
    path = f"/api/projects/{shared_house.project}/claim"
    big = b'{"count": 1, "x": "' + b"a" * 300_000 + b'"}'
    headers = {**reader.headers, "Content-Type": "application/json"}
    reply = reader.client.post(path, content=big, headers=headers)
    assert reply.status_code == 413

    def pieces() -> Any:  # no Content-Length
        for at in range(0, len(big), 10_000):
            yield big[at : at + 10_000]

    reply = reader.client.post(path, content=pieces(), headers=headers)
    assert reply.status_code == 413
    assert reply.json()["error"]["name"] == "body"


def test_errors_have_one_shape(shared_house: House) -> None:
    reader = shared_house.people["reader"]
    headers = {**reader.headers, "Content-Type": "application/json"}
    base = f"/api/projects/{shared_house.project}"
    replies = [
        reader.client.post(f"{base}/claim", content=b"{", headers=headers),
        reader.post(f"{base}/claim", {"count": 9}),
        reader.post(f"{base}/claim", {"count": 1, "more": 2}),
        reader.get("/api/projects/none/protocol"),
        reader.get("/api/projects/%00/protocol"),
        reader.get(f"{base}/reads/mine?limit=0"),
        reader.get("/api/nothing"),
    ]
    assert [one.status_code for one in replies] == [400, 422, 422, 404, 422, 422, 404]
    for one in replies:
        assert set(one.json()["error"]) == {"name", "rule", "got", "remedy"}


def test_logs_tell_no_address_answer_or_search(
    shared_house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lead = shared_house.people["lead"]
    lead.get(f"/projects/{shared_house.project}/cases?q=MUSTERMANN")
    shared_house.browser().client.post("/api/login", json={"email": "a@b.example", "password": "x"})
    told = "\n".join(one.getMessage() for one in caplog.records if one.name.startswith("overread"))
    assert "GET /projects/{project}/cases 200" in told
    assert "MUSTERMANN" not in told
    assert shared_house.project not in told
    assert "b.example" not in told


def test_bad_files_are_set_aside_with_their_reason(house: House) -> None:
    bring_in(house, 1, broken=b"\x89PNG\r\n\x1a\n" + b"\0" * 50)
    page = house.people["lead"].get(f"/projects/{house.project}/import").text
    assert "Set aside" in page
    cases = house.people["lead"].get(f"/api/projects/{house.project}/cases").json()
    assert len(cases["cases"]) == 4  # the same picture again is the same case


def test_guideline_links() -> None:
    for bad in (
        "javascript:alert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "vbscript:x",
        " file:///etc",
    ):
        assert "href" not in markdown(f"[x]({bad.strip()})")
    assert 'href="https://a.example"' in markdown("[x](https://a.example)")
    assert "<table>" in markdown("|a|\n|-|\n|b|")
    assert "<b>" not in markdown("<b>x</b>")


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/home", "/home"),
        ("//evil", ""),
        ("/\\evil", ""),
        ("https://e", ""),
        ("", ""),
        ("/a\nb", ""),
    ],
)
def test_after_log_in_people_stay_here(path: str, kept: str) -> None:
    assert local(path) == kept


def test_passwords() -> None:
    stored = hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert password_fits(stored, PASSWORD)
    assert not password_fits(stored, PASSWORD + " ")
    assert not password_fits(None, "nobody has this password")
    with pytest.raises(InputError) as caught:
        hash_password("secret")
    assert "secret" not in str(caught.value)


def test_server_stays_on_this_machine_unless_told(house: House) -> None:
    with pytest.raises(InputError, match="be of this machine"):
        serve(house.app, host="0.0.0.0")
    with pytest.raises(InputError, match="32 bytes"):
        create_app(house.store, house.blobs, secret=b"short", clock=house.clock)


def test_set_up_link_is_closed_after_the_first_account(house: House) -> None:
    from overread.app.study import invite

    assert not invite.open_set_up(house.store, "a" * 64)
    assert house.browser().get(f"{HOST}/set-up/{'x' * 43}").status_code == 404
