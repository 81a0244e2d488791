"""Patients that a lead states of images: at import, later, and beside what DICOM files say."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.app.study.import_upload import import_upload, quarantined_files
from overread.app.study.stated_groups import stated_in_folder
from overread.errors import InputError
from overread.store import (
    Store,
    add_user,
    create_project,
    get_cases,
    list_cases,
    open_blobs,
    open_store,
    read_events,
    rebuild,
    state_digests,
)
from overread.store.errors import NotFoundError
from overread.store.study.grouping import group_cases, grouped_since, groups_at
from tests.images.made import dataset, ramp, saved

KEY = b"a key for tests only, 32 bytes.."
SECRETS = ("PAT-4711", "Doe-0815", "Roe-1234")
PROTOCOL = """title: T
questions:
  - {id: what, prompt: What, kind: nominal, classes: [a, b]}
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = open_store(f"sqlite:///{tmp_path / 'store.db'}", sync=False)
    yield one
    one.close()


class Place:
    """A project, a folder of images, and imports of it."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.blobs = store, open_blobs(str(folder / "blobs"))
        self.lead = add_user(store, "lead@example.org", "Lead", "lead", "system").id
        self.project = create_project(store, "T", PROTOCOL, self.lead).id
        self.folder = folder / "images"
        (self.folder / "sub").mkdir(parents=True)

    def picture(self, name: str, seed: int) -> None:
        noise = np.random.default_rng(seed).integers(0, 255, (20, 24), dtype=np.uint8)
        Image.fromarray(noise).save(self.folder / name)

    def table(self, rows: dict[str, str], path: Path | None = None) -> Path:
        path = path or self.folder / "patients.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([("file", "patient"), *rows.items()])
        return path

    def bring(self, *, table: Path | None = None, pattern: str = "") -> dict[str, int]:
        counts: dict[str, int] = {}
        stated = stated_in_folder(self.folder, KEY, table=table, pattern=pattern)
        import_upload(
            self.store, self.blobs, self.project, self.folder, by=self.lead, key=KEY,
            counts=counts, stop=lambda: False, stated=stated,
        )  # fmt: skip
        return counts

    def groups(self) -> list[str]:
        return [one.case.group for one in list_cases(self.store, self.project)]

    def ids(self) -> list[str]:
        return [one.case.id for one in list_cases(self.store, self.project)]


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Place:
    return Place(store, tmp_path)


def test_a_table_in_the_folder_groups_pictures_and_is_no_image(place: Place) -> None:
    for at, name in enumerate(("a.png", "b.png", "sub/a.png", "sub/c.png")):
        place.picture(name, at)
    place.table({"images/a.png": SECRETS[0], "sub/a.png": SECRETS[1], "b.png": SECRETS[0]})
    counts = place.bring()
    assert (counts["new cases"], counts["patients stated"]) == (4, 2)
    assert counts["files without a patient"] == 1
    assert "set aside" not in counts
    assert quarantined_files(place.store, place.project) == []
    one, two, three, none = place.groups()
    assert one == two != three
    assert none == ""
    assert {len(one), len(three)} == {64}  # as of DICOM: SHA-256 under the server's secret
    assert not [event for event in read_events(place.store) if event.action == "cases_grouped"]
    assert place.bring().get("now of another patient", 0) == 0


def test_dicom_s_own_patient_goes_first_its_study_does_not(place: Place) -> None:
    own, other = SECRETS[:2]
    saved(dataset(ramp(), PatientID=own), place.folder / "1.dcm")
    saved(dataset(ramp(13), PatientID=""), place.folder / "2.dcm")
    saved(dataset(ramp(14), PatientID=""), place.folder / "3.dcm")
    place.picture("4.png", 1)
    place.picture("5.png", 2)
    everything = {"1.dcm": other, "2.dcm": own, "4.png": own, "5.png": other}
    place.bring(table=place.table(everything))
    by_rows = {
        case.case.image["rows"]: case.case for case in list_cases(place.store, place.project)
    }
    of_patient = by_rows[12].group
    assert by_rows[13].group == of_patient  # a DICOM file without a patient
    assert by_rows[14].group not in {"", of_patient}  # of its study, as before
    pictures = {one for one in place.groups() if one not in {by_rows[k].group for k in (12, 14)}}
    assert len(pictures) == 1  # 5.png; 4.png is of the patient of 1.dcm
    assert place.groups().count(of_patient) == 3


def test_a_patient_stated_later_is_an_event_and_the_log_tells_it_again(
    place: Place, tmp_path: Path
) -> None:
    for at, name in enumerate(("17_a.png", "17_b.png", "18_a.png", "x.png")):
        place.picture(name, at)
    saved(dataset(ramp(), PatientID=SECRETS[0]), place.folder / "17_d.dcm")
    place.bring()
    before = dict(zip(place.ids(), place.groups(), strict=True))
    head = [*read_events(place.store)][-1].n
    counts = place.bring(pattern=r"^(\d+)_")
    assert counts["now of another patient"] == 3
    changed = [one for one in read_events(place.store) if one.action == "cases_grouped"]
    assert [(one.actor, one.project) for one in changed] == [(place.lead, place.project)]
    assert grouped_since(place.store, place.project, head)
    assert not grouped_since(place.store, place.project, changed[0].n)
    then = groups_at(place.store, place.project, head)
    assert then == {case: before[case] for case in then}
    assert len(then) == 3
    table = {"17_a.png": SECRETS[1], "17_b.png": SECRETS[2], "17_d.dcm": SECRETS[2]}
    place.bring(table=place.table(table, tmp_path / "given.csv"))
    now = dict(zip(place.ids(), place.groups(), strict=True))
    assert len({now[case] for case in then}) == 3
    assert [case for case in now if now[case] == before[case]]  # DICOM's, and x.png
    rebuilt = open_store(f"sqlite:///{tmp_path / 'again.db'}", sync=False)
    rebuild(read_events(place.store), rebuilt)
    assert state_digests(rebuilt) == state_digests(place.store)
    assert get_cases(rebuilt, place.ids()) == get_cases(place.store, place.ids())
    rebuilt.close()


def test_no_patient_s_name_is_kept_anywhere(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [f"{one}_{side}.png" for one in SECRETS for side in "lr"]
    for at, name in enumerate(names):
        place.picture(name, at)
    place.bring(pattern=r"^(.+)_")
    assert len(set(place.groups())) == 3
    place.table({name: name[:8] for name in names})
    place.bring()
    place.table({names[0]: SECRETS[0], f"sub/{names[0]}": SECRETS[1], "z.png": SECRETS[1]})
    place.picture(f"sub/{names[0]}", 77)
    (place.folder / "more").mkdir()
    place.picture(f"more/{names[0]}", 78)
    with pytest.raises(InputError) as caught:
        place.bring()
    assert not any(one in str(caught.value) + caplog.text for one in SECRETS)
    place.store.close()
    for file in tmp_path.rglob("*"):
        if file.is_file() and place.folder not in file.parents:
            content = file.read_bytes()
            assert not any(one.encode() in content for one in SECRETS), file.name
            assert not any(one in file.name for one in SECRETS)


def test_one_image_under_two_patients_is_told(place: Place) -> None:
    place.picture("a.png", 0)
    place.picture("b.png", 0)
    place.table({"a.png": SECRETS[0], "b.png": SECRETS[1]})
    first = place.bring()
    assert (first["new cases"], first["images under two patients"]) == (1, 1)
    kept = place.groups()
    assert place.bring()["images under two patients"] == 1
    assert place.groups() == kept  # the first stands, also when it is imported again


def test_two_tables_are_one_too_many(place: Place) -> None:
    place.picture("a.png", 0)
    place.table({"a.png": "1"})
    given = place.table({"a.png": "2"}, place.folder / "groups.csv")
    with pytest.raises(InputError, match="tables of patients must be one"):
        place.bring()
    assert place.bring(table=given)["new cases"] == 1  # neither is taken for an image


def test_cases_of_another_project_are_not_grouped(place: Place) -> None:
    place.picture("a.png", 0)
    place.bring()
    other = create_project(place.store, "U", PROTOCOL, place.lead).id
    with pytest.raises(NotFoundError):
        group_cases(place.store, other, dict.fromkeys(place.ids(), "g"), place.lead)
    with pytest.raises(InputError, match="group"):
        group_cases(place.store, place.project, dict.fromkeys(place.ids(), ""), place.lead)
    assert place.groups() == [""]
