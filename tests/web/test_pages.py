"""The lead's pages, by what stands on them."""

from __future__ import annotations

import re

from overread.protocol import template
from tests.web.conftest import House

BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 1, "y1": 2, "x2": 30, "y2": 20}


def test_everybody_is_sent_to_their_work(shared_house: House) -> None:
    for who, path in (("nobody", "/login"), ("reader", "/home"), ("lead", "/projects")):
        reply = shared_house.people[who].get("/", follow_redirects=False)
        assert (reply.status_code, reply.headers["location"]) == (303, path)


def test_home_has_the_next_action(shared_house: House) -> None:
    page = shared_house.people["reader"].get("/home").text
    assert f'href="/read/{shared_house.project}"' in page
    assert re.search(r"(Begin|Go on) reading", page)


def test_project_from_template_with_faults_by_line(shared_house: House) -> None:
    lead = shared_house.people["lead"]
    assert "Vessels, painted" in lead.get("/projects/new?template=vessel-mask").text
    text = template("mitosis").replace("kind: nominal", "kind: nominative")
    reply = lead.form("/projects/new", name="M", text=text)
    assert reply.status_code == 422
    assert 'href="#L6"' in reply.text
    assert "questions 1, kind" in reply.text
    assert "nominative" in reply.text  # what was typed is still there
    reply = lead.form("/projects/new", name="M", text=template("mitosis"), check="yes")
    assert "The protocol is sound" in reply.text


def test_protocol_gets_versions(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/protocol"
    assert "Version 1 of 1" in lead.get(path).text
    text = template("fracture-boxes").replace("Healed fracture", "Old fracture")
    reply = lead.form(path, text=text, base="1", check="yes")
    assert "class &#39;Old fracture&#39; was added" in reply.text
    assert "Version 1 of 1" in lead.get(path).text
    assert lead.form(path, text=text, base="1").status_code == 303
    assert "Version 2 of 2" in lead.get(path).text
    other = text.replace("Old fracture", "Very old fracture")
    stale = lead.form(path, text=other, base="1")
    assert stale.status_code == 409
    assert "Very old fracture" in stale.text
    found = house.people["reader"].get(f"/api/projects/{house.project}/protocol").json()
    assert found["version"] == 2


def test_overview_counts(house: House) -> None:
    lead = house.people["lead"]
    (task,) = house.tasks("reader")
    house.read("reader", task, {"fractures": [BOX]})
    page = lead.get(f"/projects/{house.project}").text
    assert "<b>4</b><span>cases</span>" in page
    assert "1 of 8 planned reads" in page
    assert "Rhea Reader" in page
    assert "1 of 8" in lead.get("/projects").text


def test_case_browser_pages_by_key(house: House) -> None:
    lead = house.people["lead"]
    base = f"/api/projects/{house.project}/cases"
    seen: list[str] = []
    after = 0
    while True:
        found = lead.get(f"{base}?limit=3&after={after}").json()
        seen += [one["id"] for one in found["cases"]]
        if not found["next"]:
            break
        after = found["next"]
    assert len(seen) == len(set(seen)) == 4
    page = lead.get(f"/projects/{house.project}/cases").text
    assert page.count("<img") == 4
    picture = lead.get(f"/api/cases/{seen[0]}/pictures/0")
    assert picture.content[:4] == b"\x89PNG"
    assert "case.js" in lead.get(f"/cases/{seen[0]}").text


def test_static_files(shared_house: House) -> None:
    nobody = shared_house.people["nobody"]
    assert "--reader-1" in nobody.get("/static/tokens.css").text
    for name, kind in (
        ("pages.css", "text/css"),
        ("case.js", "text/javascript"),
        ("answers.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ):
        assert nobody.get(f"/static/{name}").headers["content-type"].startswith(kind)
