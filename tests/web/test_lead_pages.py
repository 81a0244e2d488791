"""Leads: their own projects alone; people, work, guideline and atlas, each change an event."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from overread.app.study import project_overview
from overread.app.study.project_readers import project_with
from overread.protocol import TEMPLATES, read_protocol, template
from overread.store import list_links, read_events
from overread.web.access.roles import LEADS
from overread.web.routes import ROUTES
from tests.web.conftest import PASSWORD, House, Person, png

BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 1, "y1": 2, "x2": 30, "y2": 20}
HERE = re.compile(r"\{(project|case|task|read)\}")


def actions(house: House) -> list[str]:
    return [one.action for one in read_events(house.store)]


def asked(house: House, who: str = "reader", **more: Any) -> tuple[str, str]:
    """A read with a question; its id and its case."""
    (task,) = house.tasks(who)
    words = {"flags": {"ask_a_senior": True}, "comment": "Is this one?", **more}
    reply = house.read(who, task, {"fractures": [BOX]}, **words)
    return reply.json()["read_id"], task["case"]["id"]


def test_another_projects_lead_finds_nothing(house: House) -> None:
    """Every route of leads that names something of a project, with things that are there."""
    other = house.join("lead", "lou@example.org", "Lou Lead")
    read, case = asked(house)
    (task,) = house.tasks("other")
    there = {"project": house.project, "case": case, "task": task["id"], "read": read}
    seen = 0
    before = actions(house)
    for one in ROUTES:
        found = HERE.search(one.path)
        if one.roles != LEADS or not found:
            continue
        seen += 1
        path = HERE.sub(lambda name: there[name[1]], one.path)
        path = path.replace("{number}", "0")
        path = re.sub(r"\{\w+\}", "0d9ad75d-37a7-4fb4-9d2c-5b5f8b0f2f11", path)
        data = {"json": {}} if one.is_api else {"data": {"csrf": other.csrf}}
        reply = other.client.request(
            one.method, path, headers=other.headers, **({} if one.method == "GET" else data)
        )
        assert reply.status_code == 404, (one.method, path, reply.status_code)
    assert seen > 25
    assert actions(house) == before
    for path in (f"/api/projects/{house.project}/protocol", f"/api/cases/{case}/frames/0",
                 f"/api/cases/{case}/thumbnail", f"/read/{house.project}"):  # fmt: skip
        assert other.get(path).status_code == 404
        assert house.people["lead"].get(path).status_code == 200
        assert house.people["admin"].get(path).status_code == 200
    assert other.get("/api/projects").json() == []
    assert "Fractures" not in other.get("/projects").text
    assert "Fractures" in house.people["admin"].get("/projects").text


def test_an_admin_makes_somebody_lead(house: House) -> None:
    lou = house.join("lead", "lou@example.org", "Lou Lead")
    path = f"/projects/{house.project}/members"
    readers = [house.people[one].id for one in ("reader", "other")]
    lead = house.people["lead"]
    # a reader cannot lead; a lead does not shut themselves out
    refused = lead.form(path, reader=readers, lead=[readers[0]], leads="yes")
    assert refused.status_code == 422
    reply = lead.form(path, reader=[*readers, lou.id], lead=[lou.id], leads="yes")
    assert reply.status_code == 303
    for one in (lou, lead):
        assert one.get(f"/projects/{house.project}").status_code == 200
    assert lou.post(f"/api/projects/{house.project}/claim", {"count": 1}).json()["tasks"]
    # who only leads is given nothing, and sees no "begin reading"
    assert lead.post(f"/api/projects/{house.project}/claim", {"count": 1}).status_code == 404
    assert "Nothing to read yet" in lead.get("/home").text
    assert lead.form(path, reader=readers, lead=[lead.id], leads="yes").status_code == 303
    assert lou.get(f"/projects/{house.project}").status_code == 404


def test_a_new_password_by_a_link_that_works_once(house: House) -> None:
    lead, reader = house.people["lead"], house.people["reader"]
    page = lead.form(f"/people/{reader.id}/password").text
    found = re.search(r'value="http://[^/"]+(/password/[^"]+)"', page)
    assert found
    assert reader.get("/api/me").status_code == 200  # nothing changed yet
    anybody = house.browser(reader.email)
    assert reader.email in anybody.get(found[1]).text
    assert anybody.form(found[1], password="short").status_code == 422
    assert anybody.form(found[1], password="another long password").status_code == 303
    assert anybody.get("/api/me").json()["id"] == reader.id
    assert reader.get("/api/me").status_code == 401  # sessions before have ended
    assert house.browser().form(found[1], password="a third long password").status_code == 404
    wrong = house.browser().form("/login", email=reader.email, password=PASSWORD)
    assert wrong.status_code == 401
    assert {"link_made", "link_used", "password_changed"} <= set(actions(house))


def test_whom_a_lead_looks_after(house: House) -> None:
    lead, admin = house.people["lead"], house.people["admin"]
    for person in (admin, lead):
        assert lead.form(f"/people/{person.id}/password").status_code == 404
    nora = house.join("reader", "nora@example.org", "Nora New")  # in no project
    assert lead.form(f"/people/{nora.id}/active", active="no").status_code == 404
    assert admin.form(f"/people/{nora.id}/active", active="no").status_code == 303
    assert nora.get("/api/me").status_code == 401
    assert "shut out" in admin.get("/people").text
    assert house.browser().form("/login", email=nora.email, password=PASSWORD).status_code == 401
    assert admin.form(f"/people/{nora.id}/active", active="yes").status_code == 303
    assert house.browser(nora.email).log_in().id == nora.id
    assert admin.form(f"/people/{admin.id}/active", active="no").status_code == 422
    reader = house.people["reader"]
    assert lead.form(f"/people/{reader.id}/active", active="no").status_code == 303
    text = lead.get("/people").text
    assert f'href="/projects/{house.project}"' in text
    assert "user_changed" in actions(house)


def test_own_password(house: House) -> None:
    reader = house.people["reader"]
    elsewhere = house.browser(reader.email).log_in()
    wrong = reader.form("/account/password", old="something else", password="a new long password")
    assert wrong.status_code == 422
    assert reader.form("/account/password", old=PASSWORD, password="short").status_code == 422
    reply = reader.form("/account/password", old=PASSWORD, password="a new long password")
    assert reply.status_code == 303
    assert "is changed" in reader.get("/account?saved=yes").text
    assert elsewhere.get("/api/me").status_code == 401
    for _ in range(6):
        reply = reader.known().form(
            "/account/password", old="wrong", password="a new long password"
        )
    assert reply.status_code == 429


def test_open_invitations_are_seen_and_withdrawn(house: House) -> None:
    lead, admin = house.people["lead"], house.people["admin"]
    link = lead.form("/people", email="nora@example.org", role="reader").text
    path = re.search(r'value="http://[^/"]+(/invitation/[^"]+)"', link)
    assert path
    admin.form("/people", email="ann@example.org", role="admin")
    page = lead.get("/people").text
    assert "nora@example.org" in page
    assert "ann@example.org" not in page  # another's
    keys = {one.email: one.token_hash for one in list_links(house.store, purpose="invitation")}
    refused = lead.form("/people/withdraw", invitation=keys["ann@example.org"])
    assert refused.status_code == 404
    assert lead.form("/people/withdraw", invitation=keys["nora@example.org"]).status_code == 303
    assert house.browser().get(path[1]).status_code == 404
    assert "nora@example.org" not in admin.get("/people").text
    assert "link_withdrawn" in actions(house)


def test_a_senior_answers_and_the_reader_sees_it(house: House) -> None:
    read, case = asked(house)
    lead, base = house.people["lead"], f"/projects/{house.project}"
    overview = lead.get(base).text
    assert f'href="{base}/work">Answer</a>' in overview
    work = lead.get(f"{base}/work").text
    assert "Is this one?" in work
    assert lead.form(f"/reads/{read}/reply", words=" ").status_code == 422
    assert lead.form(f"/reads/{read}/reply", words="Yes:\r\n<b>one</b>").status_code == 303
    assert "Yes:\n&lt;b&gt;one" in house.people["reader"].get("/home").text
    assert "Yes:" not in house.people["other"].get("/home").text
    assert f'href="{base}/work">Answer</a>' not in lead.get(base).text
    # another read of the case by a reader who had none of it
    other = house.people["other"].id
    more = lead.form(f"/cases/{case}/more", reader=other, back=f"/cases/{case}?done=yes")
    assert more.headers["location"] == f"/cases/{case}?done=yes"
    assert lead.form(f"/cases/{case}/more", reader=other).status_code == 409
    assert {"reply_given", "slots_planned"} <= set(actions(house))
    elsewhere = lead.form(f"/reads/{read}/reply", words="x", back="//evil.example")
    assert elsewhere.headers["location"].startswith(base)


def test_what_cannot_be_read_and_comments_are_listed(house: House) -> None:
    asked(house, flags={"cannot_be_read": True}, comment="black picture")
    lead, base = house.people["lead"], f"/projects/{house.project}/work"
    for show in ("unreadable", "comments"):
        assert "black picture" in lead.get(f"{base}?show={show}").text
    assert "No question" in lead.get(f"{base}?show=questions").text
    assert lead.get(f"{base}?show=nonsense").status_code == 422
    cases = lead.get(f"/projects/{house.project}/cases?flagged=yes").text
    assert cases.count("<li>") == 1


def test_tasks_move_and_are_taken_back(house: House) -> None:
    lead, base = house.people["lead"], f"/projects/{house.project}/work"
    (task,) = house.tasks("reader")
    page = lead.get(f"{base}?show=tasks").text
    assert f"/tasks/{task['id']}/free" in page
    assert lead.form(f"/tasks/{task['id']}/free").status_code == 303
    assert lead.form(f"/tasks/{task['id']}/free").status_code == 409
    (again,) = house.tasks("reader")
    assert again["id"] == task["id"]
    other = house.people["other"].id
    assert lead.form(f"/tasks/{task['id']}/move", reader=other).status_code == 303
    assert "asked for" in lead.get(f"{base}?show=tasks").text
    assert task["id"] in [one["id"] for one in house.tasks("other", 5)]
    late = house.read("reader", task, {"fractures": []})
    assert late.json()["surplus"]
    assert lead.form(f"/tasks/{task['id']}/move", reader="nobody").status_code == 409
    assert project_with(house.store, "task", task["id"]) == house.project


def test_repeats_come_unannounced(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/work/repeat"
    reader = house.people["reader"].id
    assert lead.form(path, reader=reader, count="1").status_code == 422  # nothing was read yet
    done = {}
    while tasks := house.tasks("reader"):
        answer = {"fractures": [BOX]}
        assert house.read("reader", tasks[0], answer).status_code == 200
        done[tasks[0]["case"]["id"]] = tasks[0]["id"]
    assert len(done) == 4
    assert lead.form(path, reader=reader, count="9").status_code == 422
    assert lead.form(path, reader=reader, count="1").status_code == 422  # read just now
    assert lead.form(path, reader=reader, count="4", distance="1").status_code == 422
    assert lead.form(path, reader=reader, count="3", distance="1").status_code == 303
    assert lead.form(path, reader=reader, count="2", distance="0").status_code == 422  # one is left
    again = house.tasks("reader", 5)
    assert len(again) == 3
    for task in again:
        assert done[task["case"]["id"]] != task["id"]
        assert (task["draft"], task["revision"]) == (None, 0)
        assert "round" not in json.dumps(task)
        assert house.read("reader", task, {"fractures": []}).status_code == 200


def upload(lead: Person, project: str, content: bytes | None, **fields: Any) -> Any:
    fields = {"csrf": lead.csrf, "base": "1", "do": "yes", "why": "So it is.", **fields}
    files = {} if content is None else {"image": ("name-of-a-patient.png", content)}
    path = f"/projects/{project}/atlas"
    return lead.client.post(path, data=fields, files=files or None, follow_redirects=False)


def test_a_picture_with_a_drawing_goes_into_the_atlas(house: House) -> None:
    lead, reader = house.people["lead"], house.people["reader"]
    about = "fractures\tFracture"
    drawing = json.dumps({"fractures": [{**BOX, "id": "a"}]})
    reply = upload(lead, house.project, png(5), about=about, drawing=drawing)
    assert reply.status_code == 303, reply.text
    assert "Saved as version 2" in lead.get(reply.headers["location"]).text
    found = reader.get(f"/api/projects/{house.project}/protocol").json()
    entry = found["atlas"][-1]
    assert (entry["class"], entry["do"], entry["why"]) == ("Fracture", True, "So it is.")
    assert entry["drawing"]["fractures"][0]["x2"] == 30
    image = reader.get(entry["image_url"])
    assert image.headers["content-type"] == "image/png"
    assert b"patient" not in image.content
    text = lead.get(f"/projects/{house.project}/protocol").text
    assert "name-of-a-patient" not in text
    base = f"/projects/{house.project}/atlas"
    assert lead.form(f"{base}/{entry['id']}/remove", base="1").status_code == 409
    assert lead.form(f"{base}/{entry['id']}/remove", base="2").status_code == 303
    assert lead.form(f"{base}/none/remove", base="3").status_code == 422
    left = reader.get(f"/api/projects/{house.project}/protocol").json()["atlas"]
    assert entry["id"] not in {one["id"] for one in left}


@pytest.mark.parametrize(
    ("content", "fields", "words"),
    [
        (b"no image at all", {}, "image"),
        (png(1)[:90], {}, "decoded"),
        (png(1), {"why": " "}, "why"),
        (png(1), {"drawing": "{", "about": "fractures\tFracture"}, "JSON"),
        (png(1), {"drawing": '{"fractures": [{"id": "a"}]}'}, "must"),
        (png(1), {"base": "7"}, "meanwhile"),
        (png(1), {"about": "nothing\tFracture"}, "must"),
    ],
)
def test_what_cannot_be_kept_is_told_and_changes_nothing(
    house: House, content: bytes, fields: dict[str, str], words: str
) -> None:
    before = actions(house)
    reply = upload(house.people["lead"], house.project, content, **fields)
    assert reply.status_code in {409, 422}
    assert words in reply.text
    assert actions(house) == before


def test_a_case_of_the_project_as_a_picture_and_a_guideline(house: House) -> None:
    lead = house.people["lead"]
    case = lead.get(f"/api/projects/{house.project}/cases").json()["cases"][0]["id"]
    assert f'value="{case}"' in lead.get(f"/projects/{house.project}/atlas?case={case}").text
    assert lead.get(f"/projects/{house.project}/atlas?case=none").status_code == 404
    assert upload(lead, house.project, None, case=case, frame="0").status_code == 303
    found = lead.get(f"/api/projects/{house.project}/protocol").json()["atlas"][-1]
    assert lead.get(found["image_url"]).content.startswith(b"\x89PNG")
    path = f"/projects/{house.project}/guideline"
    reply = lead.form(path, guideline="# Look\r\n\r\nat the **edge**", base="2")
    assert reply.status_code == 303
    html = lead.get(f"/api/projects/{house.project}/protocol").json()["guideline_html"]
    assert "<strong>edge</strong>" in html
    stale = lead.form(path, guideline="my long text", base="2")
    assert stale.status_code == 409
    assert "my long text" in stale.text


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_project_without_yaml(house: House, name: str) -> None:
    lead = house.people["lead"]
    page = lead.get(f"/projects/new?template={name}").text
    assert f'value="{name}"' in page
    base = read_protocol(template(name))
    fields = {
        f"classes-{one.id}": "Alpha\nBeta\n\n Gamma" if one.classes else ""
        for one in base.questions
    }
    fields |= {f"ask-{base.questions[0].id}": "yes", "template": name, "reads_per_case": "4"}
    shown = lead.form("/projects/new", name="Mine", edit="yes", **fields).text
    assert "reads_per_case: 4" in shown
    reply = lead.form("/projects/new", name="Mine", **fields)
    assert reply.status_code == 303, reply.text
    made = lead.get(f"/api{reply.headers['location']}/protocol").json()
    assert [one["id"] for one in made["questions"]] == [base.questions[0].id]
    if base.questions[0].classes:
        names = [one["name"] for one in made["questions"][0]["classes"]]
        assert names == ["Alpha", "Beta", "Gamma"]


def test_choices_that_break_a_rule(house: House) -> None:
    lead = house.people["lead"]
    fields = {"template": "mitosis", "reads_per_case": "1"}
    none = lead.form("/projects/new", name="M", **fields, **{"classes-mitosis": "Yes\nNo"})
    assert none.status_code == 422
    question = read_protocol(template("mitosis")).questions[0].id
    twice = {f"classes-{question}": "Yes\nYes", f"ask-{question}": "yes"}
    reply = lead.form("/projects/new", name="M", **fields, **twice)
    assert reply.status_code == 422
    assert "differ from those before" in reply.text
    for reads in ("0", "x", "51"):
        wrong = {**twice, f"classes-{question}": "Yes\nNo", "template": "mitosis"}
        reply = lead.form("/projects/new", name="M", reads_per_case=reads, **wrong)
        assert reply.status_code == 422
    assert lead.form("/projects/new", name="M", template="none").status_code == 422


def test_filters_of_the_case_browser(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/cases"
    _, case = asked(house)
    reader = house.people["reader"].id
    assert f"/cases/{case}" in lead.get(f"{path}?reader={reader}").text
    assert lead.get(f"{path}?reader={reader}").text.count("<li>") == 1
    assert lead.get(f"{path}?state=open").text.count("<li>") == 4
    assert "No case fits" in lead.get(f"{path}?state=done").text
    assert lead.get(f"{path}?state=lost").status_code == 422
    assert "Not known yet" in lead.get(f"{path}?sort=disputed").text
    cases = [one["id"] for one in lead.get(f"/api{path}").json()["cases"]]
    for at, one in enumerate(cases):
        page = lead.get(f"/cases/{one}").text
        assert (f'rel="prev" href="/cases/{cases[at - 1]}"' in page) == (at > 0)
        assert (f'rel="next" href="/cases/{cases[(at + 1) % 4]}"' in page) == (at < 3)


def test_the_overview_of_a_large_project_does_not_wait_for_a_count(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}"
    assert "being counted" not in lead.get(path).text
    monkeypatch.setattr(project_overview, "_COUNTED_AT_ONCE", 3)  # of the four cases at hand
    text = lead.get(path).text
    assert "being counted" in text
    assert "<progress>0</progress>" in text  # a bar without an end, not a full one
