"""A link that logs in: opened by anybody, used up by one, asked where somebody is logged in."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from overread.app.study import sign_in
from overread.errors import InputError
from overread.web import create_app
from overread.web.access.tokens import new_token, token_hash
from tests.web.conftest import HOST, SECRET, House


def new_link(house: House, who: str = "reader", **more: str) -> str:
    token = new_token()
    sign_in.open_login_link(
        house.store, house.people[who].email, token_hash(token),
        lasts=timedelta(hours=1), by="a test", **more,
    )  # fmt: skip
    return f"/login/link/{token}"


def test_looking_uses_nothing_up_and_the_form_works_once(house: House) -> None:
    link, browser = new_link(house, project=house.project), house.browser()
    for _ in range(3):  # a scanner of mails, a preview, the reader
        page = browser.get(link)
        assert (page.status_code, browser.client.cookies.get("overread")) == (200, None)
        assert "Welcome, Rhea Reader" in page.text
        assert "data-now" in page.text
        assert page.headers["cache-control"] == "no-store"
    reply = browser.form(link)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/read/{house.project}")
    assert "httponly" in reply.headers["set-cookie"].lower()
    assert browser.get("/api/me").json()["name"] == "Rhea Reader"
    other = house.browser()
    for reply in (other.get(link), other.form(link)):
        assert reply.status_code == 404
        assert "no longer valid" in reply.text
    assert other.get("/api/me").status_code == 401


def test_its_time_ends(house: House) -> None:
    link, browser = new_link(house), house.browser()
    house.clock.now += timedelta(hours=1, minutes=1)
    assert browser.get(link).status_code == 404
    assert browser.form(link).status_code == 404
    assert browser.get("/api/me").status_code == 401


@pytest.mark.parametrize(("who", "place"), [("reader", "/read/{}"), ("lead", "/projects/{}")])
def test_people_land_where_their_work_is(house: House, who: str, place: str) -> None:
    reply = house.browser().form(new_link(house, who, project=house.project))
    assert reply.headers["location"] == place.format(house.project)
    assert house.browser().form(new_link(house, who)).headers["location"] == "/"


def test_who_is_logged_in_is_asked_and_logged_out(house: House) -> None:
    """Else a link could put somebody into another's account without their noticing."""
    lead, link = house.people["lead"], new_link(house)
    page = lead.get(link).text
    assert "data-now" not in page
    assert "logged in as Lea Lead" in page
    assert lead.client.post(link, data={"csrf": "x" * 43}).status_code == 403
    before = lead.client.cookies["overread"]
    assert lead.form(link).status_code == 303
    assert lead.get("/api/me").json()["name"] == "Rhea Reader"
    stolen = house.browser()
    stolen.client.cookies.set("overread", before)
    assert stolen.get("/api/me").status_code == 401


def test_from_another_page_it_is_refused(house: House) -> None:
    link = new_link(house)
    reply = house.browser().client.post(link, headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 403
    assert house.browser().form(link).status_code == 303


def test_links_do_what_they_were_made_for_and_nothing_else(house: House) -> None:
    token = new_link(house).rsplit("/", 1)[-1]
    for kind in ("invitation", "set-up"):
        reply = house.browser().form(
            f"/{kind}/{token}", name="New", email="new@example.org", password="a long password"
        )
        assert reply.status_code == 404
    reply = house.people["admin"].form("/people", email="new@example.org", role="reader")
    invitation = reply.text.split("/invitation/")[1].split('"')[0]
    assert house.browser().form(f"/login/link/{invitation}").status_code == 404
    assert house.browser().form(f"/login/link/{token}").status_code == 303


def test_only_for_somebody_with_an_account(house: House) -> None:
    with pytest.raises(InputError, match="account"):
        sign_in.open_login_link(
            house.store, "no@example.org", "0" * 64, lasts=timedelta(hours=1), by="a test"
        )


def test_reports_are_files_of_that_folder_alone(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "home").mkdir(parents=True)
    (folder / "index.html").write_text("<p>all reports")
    (folder / "a.csv").write_text("case\n")
    (folder / "secret").write_text("no report")
    (folder / "home" / "x.html").write_text("below")
    (tmp_path / "beside.html").write_text("beside")
    (folder / "link.html").symlink_to(tmp_path / "beside.html")
    lead = house.people["lead"]
    assert lead.get("/reports/").status_code == 404  # this server has none
    assert "/reports/" not in lead.get("/projects").text
    house.app = create_app(
        house.store, house.blobs, secret=SECRET, clock=house.clock, address=HOST, reports=folder
    )
    open_one = house.browser()
    assert open_one.form(new_link(house, "lead")).status_code == 303
    page = open_one.get("/reports/")
    assert page.text == "<p>all reports"
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "/reports/" in open_one.get("/projects").text
    assert "attachment" in open_one.get("/reports/a.csv").headers["content-disposition"]
    for path in ("secret", "home/x.html", "link.html", "../beside.html", "%2e%2e/beside.html",
                 "home", ".html", "..%5cbeside.html", "missing.html"):  # fmt: skip
        reply = open_one.get(f"/reports/{path}")
        assert (reply.status_code, "beside" in reply.text) == (404, False), path
