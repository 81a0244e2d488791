"""Truthing reports by page and by program: asked for, made beside the pages, kept, stopped."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any
from uuid import uuid4

import pytest

from overread.app.study.verify_log import verified
from overread.store import verify
from tests.web.conftest import House

BOX = {"id": "b", "class": "Fracture", "frame": 0, "x1": 2, "y1": 3, "x2": 20, "y2": 30}


def until(house: House, seconds: float = 120) -> dict[str, Any]:
    """What there is once nothing is under way."""
    for _ in range(int(seconds / 0.05)):
        told = house.people["lead"].get(f"/api/projects/{house.project}/truthing").json()
        if told["under_way"] is None:
            return told
        time.sleep(0.05)
    pytest.fail("the report does not end")


def test_a_report_is_made_kept_and_checked(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/truthing"
    assert "No report yet" in lead.get(path).text
    for who in ("reader", "other"):
        for task in house.tasks(who, 4):
            house.read(who, task, {"fractures": [BOX], "certainty": "Sure"})
    assert lead.form(path).status_code == 303
    page = lead.get(path).text
    assert "A report is being made" in page or "iframe" in page
    told = until(house)
    assert told["failed"] is None
    (report,) = told["reports"]
    base = f"/api/projects/{house.project}/truthing/{report['id']}"
    for form, begins in (("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("json", b"{")):
        got = lead.get(f"{base}/{form}")
        assert got.status_code == 200
        assert got.content.lower().startswith(begins.lower())
        assert hashlib.sha256(got.content).hexdigest() == report["files"][form]
        assert "attachment" in got.headers["content-disposition"]
    assert json.loads(lead.get(f"{base}/json").content)["log"] == report["log"]
    shown = lead.get(path)
    line = f"overread verify --head {report['log']['events']}:{report['log']['head']}"
    assert line in shown.text
    assert "frame-src 'self'" in shown.headers["content-security-policy"]
    framed = lead.get(f"{path}/{report['id']}")
    assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]
    assert framed.headers["x-frame-options"] == "SAMEORIGIN"
    kept = line.rsplit(" ", 1)[1]
    assert verified(house.store, kept)["sound"]  # the log went on, and holds that head
    assert verify(house.store).sound
    # a reader sees none of it
    for end in (path, f"{path}/{report['id']}", f"{base}/json"):
        assert house.people["reader"].get(end).status_code == 403
    assert lead.get(f"{base}/exe").status_code == 404
    assert lead.get(f"/projects/{uuid4()}/truthing/{report['id']}").status_code == 404


def test_asked_twice_is_one_report_and_names_are_told_when_asked(house: House) -> None:
    lead, path = house.people["lead"], f"/api/projects/{house.project}/truthing"
    body = {"report_id": str(uuid4()), "names": True}
    first, second = lead.post(path, body), lead.post(path, body)
    assert (first.status_code, second.status_code) == (202, 202)
    told = until(house)
    (report,) = told["reports"]
    assert report["named"]
    assert report["conformity"] == "no labels yet"
    assert lead.post(path, body | {"names": False}).status_code == 422


def test_a_report_that_is_stopped_leaves_nothing_but_word_of_it(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/truthing"
    api = f"/api{path}"
    key = str(uuid4())
    assert lead.post(api, {"report_id": key}).status_code == 202
    assert lead.form(path, stop=key).status_code == 303
    told = until(house)
    assert told["reports"] == []
    assert "stopped" in told["failed"]
    assert "The last report was not made" in lead.get(path).text
    assert lead.post(f"{api}/{uuid4()}/stop").status_code == 404
