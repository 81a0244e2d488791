"""The Import page: which patient each image is of, looked at before and stated with the images."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from overread.store import list_cases, read_events
from tests.web.conftest import House, Person, png

SECRETS = ("Doe-4711", "Roe-0815")
TABLE = f"file,patient\nset/a.png,{SECRETS[0]}\nset/b.png,{SECRETS[0]}\nset/c.png,{SECRETS[1]}\n"
NAMES = ["set/a.png", "set/b.png", "set/c.png", "set/17_d.png"]


def looked(lead: Person, project: str, names: Any = NAMES, *, table: str = "", **more: str) -> Any:
    files = {"names": ("names", json.dumps(names).encode(), "application/json")}
    if table:
        files["patients"] = ("mine.csv", table.encode(), "text/csv")
    path = f"/projects/{project}/import/patients"
    reply = lead.client.post(path, data={"csrf": lead.csrf, **more}, files=files)
    assert reply.status_code == 200, reply.text
    return reply.json()


def sent(lead: Person, project: str, *, table: str = "", among: str = "", **more: str) -> Any:
    files = [("files", (name, png(40 + at), "image/png")) for at, name in enumerate(NAMES)]
    if among:
        files.append(("files", ("set/patients.csv", among.encode(), "text/csv")))
    files.append(("patients", ("mine.csv" if table else "", table.encode(), "text/csv")))
    data = {"csrf": lead.csrf, **more}
    path = f"/projects/{project}/import"
    return lead.client.post(path, data=data, files=files, follow_redirects=False)


def ended(house: House) -> dict[str, Any]:
    import time

    for _ in range(600):
        (job,) = (
            house.people["lead"].get(f"/api/projects/{house.project}/imports").json()["imports"][:1]
        )
        if job["done"]:
            assert job["error"] is None
            return dict(job["counts"])
        time.sleep(0.05)
    raise AssertionError("the import does not end")


def groups(house: House) -> list[str]:
    return [one.case.group for one in list_cases(house.store, house.project)][-4:]


def test_a_look_tells_how_many_patients_it_makes_and_imports_nothing(house: House) -> None:
    lead, before = house.people["lead"], len(list_cases(house.store, house.project))
    counts = looked(lead, house.project, table=TABLE, pattern=r"^(\d+)_")["counts"]
    assert (counts["patients stated"], counts["files without a patient"]) == (3, 0)
    assert looked(lead, house.project, pattern=r"^(\d+)_")["counts"]["patients stated"] == 1
    for table, pattern, told in (
        (TABLE.replace("file,", "name,"), "", "table of patients must have the columns"),
        ("", "(", "pattern of file names must be a regular expression"),
        ("file,patient\nzz.png,Doe-4711\n", "", "name files that are there"),
    ):
        error = looked(lead, house.project, table=table, pattern=pattern)["error"]
        assert told in error
        assert "Doe" not in error
    assert "list of texts" in looked(lead, house.project, names={"a": 1})["error"]
    assert "be one of the list" in looked(lead, house.project, folder="../etc")["error"]
    assert len(list_cases(house.store, house.project)) == before
    reader = house.people["reader"]
    path = f"/projects/{house.project}/import/patients"
    assert reader.client.post(path, data={"csrf": reader.csrf}).status_code in {403, 404}
    assert lead.client.post(path, data={"csrf": "no"}).status_code == 403


def test_a_table_beside_or_among_the_images_and_later(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lead = house.people["lead"]
    assert sent(lead, house.project).status_code == 303
    assert "patients stated" not in ended(house)
    assert groups(house) == [""] * 4
    assert sent(lead, house.project, table=TABLE).status_code == 303
    counts = ended(house)
    assert (counts["there already"], counts["now of another patient"]) == (4, 3)
    one, two, three, none = groups(house)
    assert one == two != three
    assert none == ""
    assert sent(lead, house.project, among=TABLE, pattern=r"^(\d+)_").status_code == 303
    counts = ended(house)
    assert (counts["patients stated"], counts["now of another patient"]) == (3, 1)
    assert "set aside" not in counts
    assert groups(house)[:3] == [one, two, three]
    page = lead.get(f"/projects/{house.project}/import").text
    assert "3 patients stated" in page
    everything = caplog.text + page + "".join(event.body for event in read_events(house.store))
    assert not any(secret in everything for secret in SECRETS)


def test_what_does_not_fit_stops_the_import_before_it_begins(house: House, tmp_path: Path) -> None:
    lead, before = house.people["lead"], len(list_cases(house.store, house.project))
    for table, told in (
        ("file,patient\nd.png,Doe-4711\nd.png,Roe-0815\n", "rows 1, 2: column patient must say"),
        ("a,b\n1,2\n", "must have the columns file and one of patient, video, group"),
    ):
        reply = sent(lead, house.project, table=table)
        assert reply.status_code == 422
        assert told in reply.text
        assert not any(secret in reply.text for secret in SECRETS)
    assert len(list_cases(house.store, house.project)) == before
    assert [*tmp_path.rglob("*.csv")] == []
    assert [*tmp_path.rglob("overread-*")] == []


def test_a_program_states_patients_by_the_files_sha256(house: House) -> None:
    import hashlib

    lead, base = house.people["lead"], f"/api/projects/{house.project}/uploads/0123456789"
    shas = []
    for seed in (60, 61):
        content = png(seed)
        shas.append(hashlib.sha256(content).hexdigest())
        headers = {**lead.headers, "Content-Type": "application/octet-stream"}
        assert lead.client.put(
            f"{base}/files/{shas[-1]}", content=content, headers=headers
        ).is_success
    body = {"id": "job-00000001", "patients": dict.fromkeys(shas, SECRETS[0])}
    assert lead.post(f"{base}/import", body).json()["id"] == "job-00000001"
    assert ended(house)["patients stated"] == 1
    assert len({*groups(house)[-2:]} - {""}) == 1
    wrong = lead.post(f"{base}/import", {"patients": {shas[0]: SECRETS[0] * 99}})
    assert wrong.status_code == 422
    assert SECRETS[0] not in wrong.text
