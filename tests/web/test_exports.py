"""Exports beside the requests: asked for once, watched, fetched, stopped."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from overread.exchange import read_reads
from overread.web.exports import export_value
from tests.web.conftest import House

BOX = {"id": "b", "class": "Fracture", "frame": 0, "x1": 2, "y1": 3, "x2": 20, "y2": 30}


@pytest.fixture
def read_house(house: House) -> House:
    for who in ("reader", "other"):
        for task in house.tasks(who, 4):
            reply = house.read(who, task, {"fractures": [BOX], "certainty": "Sure"})
            assert reply.status_code == 200, reply.text
    return house


def ready(house: House, **wanted: Any) -> dict[str, Any]:
    base = f"/api/projects/{house.project}/exports"
    key = str(uuid4())
    reply = house.people["lead"].post(base, {"export_id": key, **wanted})
    assert reply.status_code == 202, reply.text
    for _ in range(600):
        told = house.people["lead"].get(f"{base}/{key}").json()
        if told["done"]:
            return told
        time.sleep(0.02)
    pytest.fail("the export does not end")


@pytest.mark.parametrize("form", ["csv", "parquet", "coco"])
@pytest.mark.parametrize("what", ["reads", "consensus", "history"])
def test_what_is_exported_is_read_back(read_house: House, what: str, form: str, tmp_path: Any) -> None:  # fmt: skip # noqa: E501
    told = ready(read_house, what=what, format=form)
    lead = read_house.people["lead"]
    if what == "history" and form == "coco":
        assert "csv or parquet" in told["error"]
        assert told["file"] is None
        return
    assert told["error"] is None
    got = lead.get(f"/api/projects/{read_house.project}/exports/{told['id']}/file")
    assert got.status_code == 200
    assert "attachment" in got.headers["content-disposition"]
    assert int(got.headers["content-length"]) == told["file"]["bytes"] == len(got.content)
    manifest = lead.get(f"/api/projects/{read_house.project}/exports/{told['id']}/manifest")
    assert manifest.json()["conformity"]["words"] == told["conformity"]
    assert "manifest.json" in manifest.headers["content-disposition"]
    name = told["file"]["name"]
    assert hashlib.sha256(got.content).hexdigest() in manifest.text or name.endswith(".zip")
    assert name.split(".")[0] == what  # nobody's name in it
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(got.content)) as kept:
            tables = [one for one in kept.namelist() if one != "manifest.json"]
            assert {"fractures" in one for one in tables} == {True, False}
            kept.extractall(tmp_path / "out", tables)
        readers = [read_reads(one).index.n_readers for one in sorted((tmp_path / "out").iterdir())]
        assert readers == ([1, 1] if what == "consensus" else [2, 2])
    elif what == "history":
        read = pl.read_csv if form == "csv" else pl.read_parquet
        assert len(read(io.BytesIO(got.content))) == 2 * 2 * 4
    else:
        (tmp_path / name).write_bytes(got.content)
        assert read_reads(tmp_path / name).index.n_cases == 4


def test_asked_twice_is_made_once(read_house: House) -> None:
    lead, base = read_house.people["lead"], f"/api/projects/{read_house.project}/exports"
    body = {"export_id": str(uuid4()), "what": "reads", "format": "csv"}
    first, second = lead.post(base, body), lead.post(base, body)
    assert (first.status_code, second.status_code) == (202, 202)
    assert len(lead.get(base).json()["exports"]) == 1
    other = lead.post(base, body | {"format": "parquet"})
    assert other.status_code == 422
    assert "export_id" in other.text
    strange = lead.post(base, {"export_id": str(uuid4()), "questions": ["nope"]})
    assert strange.status_code == 202
    for _ in range(600):
        told = lead.get(f"{base}/{strange.json()['id']}").json()
        if told["done"]:
            break
        time.sleep(0.02)
    assert "question must be one of" in told["error"]


def test_of_another_project_or_none_it_is_not_there(read_house: House) -> None:
    lead = read_house.people["lead"]
    told = ready(read_house)
    from overread.protocol import template

    text = template("knee-grade")
    other = lead.post("/api/projects", {"name": "Knees", "protocol": text}).json()["id"]
    for end in ("", "/file"):
        assert lead.get(f"/api/projects/{other}/exports/{told['id']}{end}").status_code == 404
    assert lead.post(f"/api/projects/{other}/exports/{told['id']}/stop").status_code == 404
    gone = f"/api/projects/{read_house.project}/exports/{uuid4()}"
    assert lead.get(f"{gone}/file").status_code == 404
    for who in ("reader", "nobody"):
        path = f"/api/projects/{read_house.project}/exports/{told['id']}/file"
        assert read_house.people[who].get(path).status_code in {401, 403}


def test_the_page_offers_makes_and_hands_out(read_house: House) -> None:
    lead, path = read_house.people["lead"], f"/projects/{read_house.project}/export"
    assert "History" in lead.get(path).text
    assert lead.form(path, what="reads", format="csv").status_code == 303
    for _ in range(600):
        page = lead.get(path).text
        if "Download reads.zip" in page:
            break
        time.sleep(0.02)
    assert "Download reads.zip" in page
    assert lead.form(path, what="reads", format="../x").status_code == 422
    assert lead.client.post(path, data={"what": "reads", "format": "csv"}).status_code == 403


def test_an_export_that_is_stopped_leaves_nothing(read_house: House) -> None:
    from overread.web.exports import begin_export
    from overread.web.jobs import Job, Jobs
    from overread.web.site import Site

    jobs = Jobs()
    site = Site(
        store=read_house.store, blobs=read_house.blobs, secret=b"x" * 32, clock=read_house.clock,
        upload_folder=None, jobs=jobs,
    )  # fmt: skip
    with jobs.exporting:  # it waits for its turn
        job: Job = begin_export(
            site, read_house.project, "a" * 12, what="reads", form="csv", by="system"
        )
        assert not job.done
        job.stop.set()
    for _ in range(600):
        if job.done:
            break
        time.sleep(0.02)
    assert "stopped" in job.error
    assert export_value(job)["file"] is None
