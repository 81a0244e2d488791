"""The client against the real server: a study from the first link to the consensus."""

from __future__ import annotations

import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from overread.agreement import detection_agreement
from overread.client import (
    ConflictError,
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    UnreachableError,
    connect,
)
from overread.client.errors import refusal
from overread.consensus import fuse_boxes
from overread.errors import InputError, MissingExtraError
from overread.exchange import read_reads
from overread.labels import BoxReads, ClassReads
from overread.protocol import template
from tests.client.conftest import PASSWORD, Study, wire_to


def pictures(folder: Path, count: int, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    for at in range(count):
        noise = np.random.default_rng([seed, at]).integers(0, 255, (40, 60), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{at}.png")
    return folder


def box(x: float) -> dict[str, object]:
    return {"id": "b", "class": "Fracture", "frame": 0, "x1": x, "y1": 3, "x2": x + 20, "y2": 30}


def test_a_study_from_images_to_consensus(study: Study, tmp_path: Path) -> None:
    lead = study.lead
    assert lead.me() == study.person
    seen: list[tuple[int, int]] = []
    folder = pictures(tmp_path / "images", 3)
    (folder / "again.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "words.txt").write_text("no image")
    done = lead.upload_images(study.project, [folder], progress=lambda *at: seen.append(at))
    assert done.counts["new cases"] == 3
    assert (done.files, done.sent) == (4, 4)  # twins are one, the text is sent and set aside
    assert seen[-1][0] == seen[-1][1] > 0
    again = lead.upload_images(study.project, [folder])
    assert (again.sent, again.counts) == (0, done.counts)
    cases = list(lead.cases(study.project))
    assert len(cases) == 3

    questions = [one.id for one in lead.protocol(study.project).questions]
    assert questions == ["fractures", "certainty"]
    for at, name in enumerate(("rhea", "otto")):
        with study.reader(name) as reader:
            for task in reader.tasks(study.project):
                pixels = reader.pixels(task.case)
                assert (pixels.shape, pixels.dtype) == ((40, 60), np.uint8)
                assert pixels.std() > 0
                answer = {"fractures": [box(np.float64(2 + at))], "certainty": "Sure"}
                reader.keep(task)
                receipt = reader.submit(task, answer, seconds=4)
                assert (receipt.revision, receipt.surplus) == (1, False)
            assert reader.progress(study.project).done == 3
            assert reader.projects()[0].done == 3
            with pytest.raises(NotAllowedError, match="role must be"):
                reader.reads(study.project, "fractures")
            reader.sign_out()
            with pytest.raises(NotSignedInError, match="session must be open"):
                reader.projects()

    reads = lead.reads(study.project, "fractures")
    assert isinstance(reads, BoxReads)
    assert (reads.index.n_reads, reads.index.n_readers) == (6, 2)
    fused = fuse_boxes(reads)
    assert fused.value.box[:, 0] == pytest.approx([2.5] * 3, abs=0.6)
    assert detection_agreement(reads).overall
    grades = lead.reads(study.project, "certainty")
    assert isinstance(grades, ClassReads)
    assert grades.schema.names == ("Unsure", "Fairly sure", "Sure")
    truth = lead.consensus(study.project, "fractures")
    assert truth.index.readers == ("overread consensus",)
    assert len(lead.reads_of_case(cases[0].id)) == 2
    with pytest.raises(InputError, match="question must be one of fractures, certainty"):
        lead.reads(study.project)
    path = lead.export(study.project, tmp_path, form="coco", questions=["fractures"])
    assert path == tmp_path / "reads.json"
    assert read_reads(path).index.n_reads == 6
    with pytest.raises(InputError, match="csv or parquet"):
        lead.export(study.project, tmp_path, form="coco", questions=["certainty"])


def test_refusals_come_in_the_servers_words(study: Study, tmp_path: Path) -> None:
    lead = study.lead
    with pytest.raises(InputError, match="All faults: line"):
        lead.create_project("Broken", "title: x\nquestions:\n  - {id: 1}\n  - {id: 2}\n")
    with pytest.raises(NotFoundError):
        list(lead.cases(str(uuid4())))
    with connect(study.address) as nobody:
        with pytest.raises(NotFoundError, match="link"):
            nobody.join("x" * 40, "Nobody", PASSWORD)
        with pytest.raises(NotSignedInError):
            nobody.sign_in("nobody@example.org", "wrong")
    with pytest.raises(InputError, match="http"):
        connect("example.org")
    with pytest.raises(InputError, match="file or a folder"):
        lead.upload_images(study.project, [tmp_path / "gone"])
    with pytest.raises(InputError, match="no file"):
        lead.upload_images(study.project, [tmp_path])
    with connect(study.address) as other:
        assert other.sign_in("ada@example.org", PASSWORD) == study.person
        assert other.projects()


def test_a_lost_answer_is_asked_for_again_and_done_once(study: Study, tmp_path: Path) -> None:
    lead = study.lead
    project = lead.create_project("Lost", template("knee-grade"))
    with wire_to(study.server.port) as wire, connect(wire.address, sleep=lambda _: None) as thin:
        thin.sign_in("ada@example.org", PASSWORD)
        wire.lost = 2
        done = thin.upload_images(project, [pictures(tmp_path / "images", 2, seed=7)])
        assert done.counts["new cases"] == 2
        lead.set_readers(project, [study.person.id])
        task = thin.claim(project)[0]
        wire.lost = 2
        before = len(wire.seen)
        receipt = thin.submit(task, {"grade": thin.protocol(project).questions[0].classes[0]})
        assert receipt.revision == 1
        assert len(wire.seen) - before == 4  # the protocol, three times the read
        assert [one.revision for one in lead.reads_of_case(task.case.id)] == [1]
        with pytest.raises(ConflictError) as stale:
            thin.submit(task, {"grade": thin.protocol(project).questions[0].classes[1]})
        assert stale.value.body["current"]["version"] == 1
        wire.lost = 1
        with pytest.raises(UnreachableError):  # twice would be two projects
            thin.create_project("Twice", template("knee-grade"))
        assert [one.name for one in lead.projects()].count("Twice") == 1
    gone = connect(wire.address, tries=2, sleep=lambda _: None)
    with gone, pytest.raises(UnreachableError):
        gone.projects()


def test_a_killed_server_and_a_half_sent_upload(study: Study, tmp_path: Path) -> None:
    """What had arrived before is not sent again; a new sign-in elsewhere is found out."""
    lead = study.lead
    project = lead.create_project("Half", template("knee-grade"))
    folder = pictures(tmp_path / "images", 3, seed=3)

    def die(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lead.upload_images(project, [folder], progress=die)
    study.server.kill()
    study.server.start()
    study.server.wait()
    done = lead.upload_images(project, [folder])
    assert (done.files, done.sent) == (3, 2)
    assert done.counts["new cases"] == 3


def test_errors_travel_between_processes() -> None:
    body = {"error": {"name": "draft", "rule": "be new", "got": 3, "remedy": "Load it."}}
    for status in (401, 403, 404, 409, 500, 503):
        error = refusal(status, body)
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error) == "draft must be new; got 3. Load it."
    assert isinstance(refusal(422, body), InputError)
    assert str(refusal(502, {})) == "the answer was 502"


def test_the_client_is_light_and_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys, overread.client;"
        "heavy = {'sqlalchemy', 'fastapi', 'starlette', 'httpx', 'pydicom', 'pandas'};"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(MissingExtraError, match=r"overread\[client\]"):
        importlib.import_module("overread.client").connect("http://127.0.0.1")


def test_images_say_of_which_patient_they_are(study: Study, tmp_path: Path) -> None:
    lead = study.lead
    project = lead.create_project("Patients", template("fracture-boxes"))
    folder = pictures(tmp_path / "images", 4, seed=11)
    (folder / "3.png").rename(folder / "17_left.png")
    (folder / "patients.csv").write_text("file,patient\n0.png,Doe-4711\n1.png,Doe-4711\n")
    told = lead.patients_of([folder], pattern=r"^(\d+)_")
    assert (told["patients stated"], told["files without a patient"]) == (2, 1)
    done = lead.upload_images(project, [folder], pattern=r"^(\d+)_")
    assert (done.counts["new cases"], done.counts["patients stated"]) == (4, 2)
    assert (done.files, done.counts.get("set aside", 0)) == (4, 0)  # the table is no image
    (folder / "patients.csv").unlink()
    table = {"file": ["0.png", "1.png", "gone.png"], "video": ["x", "y", "z"]}
    again = lead.upload_images(project, [folder], patients=table)
    assert (again.counts["there already"], again.counts["now of another patient"]) == (4, 2)
    assert again.counts["rows without a file"] == 1
    with pytest.raises(InputError, match="one group"):
        lead.upload_images(project, [folder], pattern="17")
    said = (study.folder / "home").rglob("*")
    assert not [one for one in said if one.is_file() and b"Doe-4711" in one.read_bytes()]
