"""The demo's projects: made once from real images, kept, finished where they were cut short."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from overread.app.demo import demo_study
from overread.app.demo.demo_images import PROJECTS, dicom_file
from overread.app.demo.demo_study import LEAD, READER, prepare_study
from overread.app.demo.synthetic_images import write_synthetic_images
from overread.app.study.case_browser import reads_of
from overread.app.study.home import Home, open_home
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_readers import members, readers_of, set_readers
from overread.app.study.sign_in import account
from overread.app.study.submit_read import Work, submit_read
from overread.errors import InputError
from overread.store import add_user, claim, head, list_cases, list_projects, reads_of_case


def nothing(_name: str) -> Path:
    raise InputError("package pydicom-data", "be installed", "nothing", remedy="Run: pip install x")


def prepared(home: Home, **more: Any) -> tuple[Any, list[str]]:
    said: list[str] = []
    study = prepare_study(
        home, by="a test", say=said.append, step=lambda _what: lambda *_: None, **more
    )
    return study, said


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Any:
    home = open_home(tmp_path_factory.mktemp("demo") / "home")
    study, said = prepared(home)
    yield home, study, said
    home.store.close()


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three small images."""
    images = tuple(one for one in PROJECTS[0].images if "head" in one.name or "Dam" in one.name)
    monkeypatch.setattr(demo_study, "PROJECTS", (replace(PROJECTS[0], images=images),))


def test_real_images_of_many_kinds_radiographs_first(ready: Any) -> None:
    home, study, said = ready
    assert said == []
    assert [one.name for one in study.projects] == [one.name for one in PROJECTS]
    cases = [one.case for one in list_cases(home.store, study.projects[0].id, limit=100)]
    kinds = [one.image["modality"] for one in cases]
    assert kinds[:2] == ["CR", "CR"]
    assert {"CR", "CT", "MR", "US", "NM"} <= set(kinds)
    assert [one.cases for one in study.projects] == [14, 6, 5]
    assert len(study.set_aside) == 2
    assert not study.synthetic
    assert not any(home.folder.joinpath("work").iterdir())


def test_simulated_reads_say_so_and_have_no_door(ready: Any) -> None:
    home, study, _ = ready
    for project in study.projects[:2]:
        for one in list_cases(home.store, project.id, limit=100):
            reads = reads_of(home.store, one.case.id)
            assert Counter(each.reader_name for each in reads) == {
                "simulated-1": 1,
                "simulated-2": 1,
            }
            assert all("no person" in each.comment for each in reads)
            assert (one.done, one.planned) == (2, 3)
    assert all(one.done == 0 for one in list_cases(home.store, study.projects[2].id, limit=100))
    for email in (READER, LEAD, "simulated-1@demo.invalid"):
        found = account(home.store, email)
        assert found is not None
        assert found.password_hash is None


def test_a_second_demo_changes_nothing_and_keeps_reads(ready: Any, tmp_path: Path) -> None:
    first, study, _ = ready
    home = open_home(copytree(first.folder, tmp_path / "home"))  # the others see no read more
    reader = account(home.store, READER)
    assert reader is not None
    project = study.projects[0].id
    (task,) = claim(home.store, project, reader.user.id, count=1, lease_seconds=60)
    work = Work({"part": "Chest or heart", "quality": "Poor"}, {}, "", 3.0)
    flags = {"cannot_be_read": False, "ask_a_senior": False}
    submit_read(
        home.store, task.id, reader.user.id,
        read_id=str(uuid4()), base_revision=0, work=replace(work, flags=flags),
    )  # fmt: skip
    before = head(home.store)
    again, _ = prepared(home)
    assert (again, head(home.store)) == (study, before)
    assert len(reads_of_case(home.store, task.case.id)) == 3
    home.store.close()


@pytest.mark.usefixtures("_small")
def test_what_was_cut_short_is_finished_and_a_leads_readers_stay(tmp_path: Path) -> None:
    def first_only(name: str) -> Path:
        return nothing(name) if name.startswith("693") else dicom_file(name)

    home = open_home(tmp_path / "home")
    study, said = prepared(home, find=first_only)
    assert study.projects[0].cases == 1
    assert "pip install x" in said[0]
    key = study.projects[0].id
    guest = add_user(home.store, "guest@example.org", "Guest", "reader", "a test")
    set_readers(home.store, key, [*readers_of(home.store, key), guest.id], by="a test")
    study, said = prepared(home)
    assert (study.projects[0].id, study.projects[0].cases, said) == (key, 2, [])
    assert len(study.set_aside) == 1
    assert sum(one.reads for one in members(home.store, key)) == 4
    home.store.close()


@pytest.mark.usefixtures("_small")
def test_without_the_package_a_stand_in_says_that_it_is_synthetic(tmp_path: Path) -> None:
    home = open_home(tmp_path / "home")
    study, said = prepared(home, find=nothing)
    assert study.synthetic
    assert "pip install x" in said[0]
    assert "SYNTHETIC" in said[1]
    (row,) = list_projects(home.store)
    assert row.name.startswith("SYNTHETIC")
    assert "SYNTHETIC" in protocol_of(home.store, row.id).protocol.guideline
    cases = list_cases(home.store, row.id, limit=100)
    assert [one.case.name for one in cases] == [f"synthetic-{n}" for n in range(1, 7)]
    study, said = prepared(home)  # now it is there: the stand-in stays beside the real ones
    assert {one.name for one in study.projects} < {one.name for one in list_projects(home.store)}
    home.store.close()


def test_synthetic_spots_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    made = write_synthetic_images(tmp_path, seed=3)
    assert [len(one.boxes) for one in made] == [0, 1, 2, 3, 0, 1]
    for one in made:
        pixels = np.asarray(Image.open(tmp_path / f"{one.name}.png"), dtype=float)
        inside = np.zeros(pixels.shape, dtype=bool)
        for x1, y1, x2, y2 in one.boxes:
            inside[round(y1) : round(y2), round(x1) : round(x2)] = True
            middle = pixels[round((y1 + y2) / 2), round((x1 + x2) / 2)]
            assert middle > 90
        assert pixels[~inside].mean() == pytest.approx(60, abs=4)
