"""A reader's day by the API: claim, draft, submit, correct - and nothing of others."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from tests.web.conftest import House, png

BOX = {"id": "1", "class": "Fracture", "frame": 0, "x1": 1, "y1": 2, "x2": 30, "y2": 20}
ANSWER: dict[str, Any] = {"fractures": [BOX]}


def test_claim_gives_a_case_and_its_pixels(house: House) -> None:
    (task,) = house.tasks("reader")
    case = task["case"]
    assert (case["rows"], case["columns"], case["frames"], case["samples"]) == (40, 60, 1, 1)
    assert case["windows"]
    assert task["draft"] is None
    assert house.tasks("reader")[0]["id"] == task["id"]  # a reload gets the same case
    reader = house.people["reader"]
    reply = reader.get(case["frame_urls"][0])
    assert reply.headers["content-encoding"] == "gzip"
    assert "immutable" in reply.headers["cache-control"]
    pixels = np.frombuffer(reply.content, case["dtype"]).reshape(40, 60)
    assert any(np.array_equal(pixels, _pixels(seed)) for seed in range(4))
    raw = reader.get(case["frame_urls"][0], headers={"Accept-Encoding": "identity"})
    assert raw.content == reply.content
    assert "content-encoding" not in raw.headers
    assert reader.get(case["thumbnail_url"]).content[:4] == b"\x89PNG"
    assert reader.get(f"/api/cases/{case['id']}/frames/1").status_code == 404


def _pixels(seed: int) -> Any:
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png(seed))))


def test_drafts_conflict_and_never_overwrite(house: House) -> None:
    (task,) = house.tasks("reader")
    path = f"/api/tasks/{task['id']}/draft"
    reader = house.people["reader"]
    draft = {"version": 0, "answer": ANSWER, "flags": {}, "comment": "first", "seconds": 3}
    assert reader.put(path, draft).json() == {"version": 1}
    stale = reader.put(path, {**draft, "comment": "second"})
    assert stale.status_code == 409
    assert stale.json()["current"]["comment"] == "first"
    assert stale.json()["current"]["version"] == 1
    assert reader.put(path, {**draft, "version": 1, "comment": "third"}).json() == {"version": 2}
    again = house.tasks("reader")[0]
    assert again["draft"]["comment"] == "third"
    assert again["draft"]["answer"] == ANSWER


def test_submission_is_idempotent_and_corrections_are_revisions(house: House) -> None:
    (task,) = house.tasks("reader")
    name = str(uuid4())
    first = house.read("reader", task, ANSWER, read_id=name)
    assert first.json() == {"read_id": name, "revision": 1, "surplus": False}
    for _ in range(20):
        assert house.read("reader", task, ANSWER, read_id=name).json() == first.json()
    assert house.read("reader", task, {"fractures": []}).status_code == 409
    second = house.read("reader", task, {"fractures": []}, base_revision=1)
    assert second.json()["revision"] == 2
    reader = house.people["reader"]
    (own,) = reader.get(f"/api/projects/{house.project}/reads/mine").json()
    assert (own["answer"]["fractures"], own["revision"]) == ([], 2)
    progress = reader.get(f"/api/projects/{house.project}/progress").json()
    assert (progress["done"], progress["total"]) == (1, 4)
    assert progress["median_seconds"] == pytest.approx(5, abs=5)


BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"fractures": [BOX | {"x2": 61}]}, "question fractures, finding 1, x2"),
    ({"fractures": [BOX | {"class": "Tumour"}]}, "question fractures, finding 1"),
    ({}, "question fractures"),
    ({"fracture": []}, "answer"),
)


def test_bad_answers_are_refused_by_name(house: House) -> None:
    (task,) = house.tasks("reader")
    for answer, words in BAD:
        reply = house.read("reader", task, answer)
        assert reply.status_code == 422, words
        assert reply.json()["error"]["name"] == words
    assert house.read("reader", task, {}, flags={"cannot_be_read": True}).status_code == 200


def test_nan_and_surrogates_do_no_harm(house: House) -> None:
    (task,) = house.tasks("reader")
    reader = house.people["reader"]
    path = f"/api/tasks/{task['id']}/submit"
    headers = {**reader.headers, "Content-Type": "application/json"}
    body = '{"read_id": "%s", "answer": {"fractures": [%s]}, "comment": "%s", "seconds": %s}'
    for answer, comment, seconds in (
        ("NaN", "", 1),
        ("", "\\ud800", 1),
        ("", "", "NaN"),
        ("", "\\u0000", 1),
    ):
        text = body % (uuid4(), answer, comment, seconds)
        reply = reader.client.post(path, content=text, headers=headers)
        assert reply.status_code in {200, 409, 422}, reply.text
    assert reader.get(f"/api/projects/{house.project}/reads/mine").status_code == 200


def test_nobody_gets_anothers_work(house: House) -> None:
    (task,) = house.tasks("reader")
    assert house.read("reader", task, ANSWER, comment="mine").status_code == 200
    (held,) = house.tasks("reader")
    other = house.people["other"]
    for one in (task, held):
        base = f"/api/tasks/{one['id']}"
        draft = {"version": 0, "answer": {}, "flags": {}, "comment": "", "seconds": 0}
        assert other.put(f"{base}/draft", draft).status_code == 404
        assert other.post(f"{base}/heartbeat").status_code == 404
        assert other.post(f"{base}/release").status_code == 404
        assert other.post(f"{base}/skip", {"reason": ""}).status_code == 404
        assert house.read("other", one, ANSWER).status_code == 404
        assert other.get(f"/api/cases/{one['case']['id']}/reads").status_code == 403
        assert other.get(f"/api/cases/{one['case']['id']}/consensus").status_code == 403
    mine = other.get(f"/api/projects/{house.project}/reads/mine")
    assert mine.json() == []
    assert other.get(f"/api/projects/{house.project}/exports").status_code == 403


def test_who_is_not_in_the_project_sees_none_of_it(house: House) -> None:
    stranger = house.join("reader", "sam@example.org", "Sam Stranger")
    (task,) = house.tasks("reader")
    base = f"/api/projects/{house.project}"
    assert stranger.get("/api/projects").json() == []
    for path in (f"{base}/protocol", f"{base}/progress", f"{base}/reads/mine"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{base}/claim", {"count": 1}).status_code == 404
    assert stranger.get(task["case"]["frame_urls"][0]).status_code == 404
    assert stranger.get(task["case"]["thumbnail_url"]).status_code == 404
    assert stranger.get(f"/read/{house.project}").status_code == 404


def test_leases_are_kept_given_back_and_lost(house: House) -> None:
    (task,) = house.tasks("reader")
    reader = house.people["reader"]
    before = task["lease_expires"]
    house.clock.now += timedelta(minutes=5)
    assert reader.post(f"/api/tasks/{task['id']}/heartbeat").json()["lease_expires"] > before
    assert reader.post(f"/api/tasks/{task['id']}/skip", {"reason": "blurred"}).json() == {}
    (next_one,) = house.tasks("reader")
    assert next_one["id"] != task["id"]
    assert reader.post(f"/api/tasks/{next_one['id']}/release").json() == {}
    house.clock.now += timedelta(hours=3)
    late = house.read("reader", next_one, ANSWER)  # what was read is kept, however late
    assert late.status_code == 200


def test_each_reader_gets_each_case_once(house: House) -> None:
    seen: dict[str, list[str]] = {}
    for who in ("reader", "other"):
        while tasks := house.tasks(who, 3):
            for task in tasks:
                seen.setdefault(who, []).append(task["case"]["id"])
                assert house.read(who, task, ANSWER).status_code == 200
    assert len(set(seen["reader"])) == len(seen["reader"]) == 4
    assert set(seen["reader"]) == set(seen["other"])
    case = seen["reader"][0]
    reads = house.people["lead"].get(f"/api/cases/{case}/reads").json()["reads"]
    assert {one["reader_name"] for one in reads} == {"Rhea Reader", "Otto Other"}
    assert len({one["colour"] for one in reads}) == 2
    consensus = house.people["lead"].get(f"/api/cases/{case}/consensus").json()
    (box,) = consensus["answer"]["fractures"]
    assert box["class"] == "Fracture"
    assert box["x2"] == pytest.approx(30, abs=0.5)


def test_protocol_of_the_reading_page(shared_house: House) -> None:
    reply = shared_house.people["reader"].get(f"/api/projects/{shared_house.project}/protocol")
    found = reply.json()
    assert [one["id"] for one in found["questions"]] == ["fractures", "certainty"]
    assert [one["key"] for one in found["questions"][0]["classes"]] == ["1", "2"]
    assert "<h1>How to draw</h1>" in found["guideline_html"]
    image = shared_house.people["reader"].get(found["atlas"][0]["image_url"])
    assert image.headers["content-type"] == "image/svg+xml"


def test_frames_are_gzip_of_the_samples(shared_house: House) -> None:
    (task,) = shared_house.tasks("other")
    client = shared_house.people["other"].client
    with client.stream("GET", task["case"]["frame_urls"][0]) as reply:
        packed = b"".join(reply.iter_raw())
    assert len(gzip.decompress(packed)) == 40 * 60
