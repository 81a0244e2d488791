"""``overread pre-label`` and ``train-pre-label``: any file we read becomes an editable start."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from onnx import helper
from PIL import Image

from overread.app.study.home import open_home, project_called
from overread.geometry.polygons import polygon
from overread.store import Submission, add_user, claim, list_cases, plan_tasks, set_member
from overread.store import submit_read as keep_read
from overread.store.learning.pre_labels import hints_of, pre_labels_of
from tests.app.learning.models import model_file
from tests.cli.program import overread

PROTOCOL = """title: Study
pre_label: on demand
questions:
  - {id: grade, prompt: Grade, kind: ordinal, classes: ["0", "1", "2"]}
  - {id: spots, prompt: Spots, kind: box, classes: [spot]}
  - {id: rims, prompt: Rims, kind: instance, classes: [rim]}
  - {id: lung, prompt: Lung, kind: mask, classes: [lung]}
  - {id: sure, prompt: Sure, kind: score, low: 0, high: 100}
  - {id: signs, prompt: Signs, kind: multi-label, classes: [a, b]}
"""
ROWS, COLUMNS = 40, 60
NAMES = ("case 000001", "case 000002", "case 000003")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a project of three cases, to be copied."""
    tmp_path = tmp_path_factory.mktemp("made")
    (tmp_path / "p.yaml").write_text(PROTOCOL, encoding="utf-8")
    images = tmp_path / "images"
    images.mkdir()
    for seed in range(3):
        noise = np.random.default_rng(seed).integers(60, 90, (ROWS, COLUMNS), dtype=np.uint8)
        noise[10:25, 20:40] += 120
        Image.fromarray(noise).save(images / f"{seed}.png")
    at = tmp_path / "home"
    for words in (
        ("init", "Study", "--protocol", tmp_path / "p.yaml"),
        ("import", "Study", images),
    ):
        ended = overread(*words, "--home", at)
        assert ended.code == 0, ended.err
    return at


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "home"))


def kept(home: Path) -> dict[str, Any]:
    """Name of a case -> question -> newest value and confidence."""
    store = open_home(home).store
    project = project_called(store, "Study").id
    rows = {one.case.id: one.case.name for one in list_cases(store, project)}
    found = pre_labels_of(store, list(rows))
    store.close()
    return {
        rows[case]: {one.question: (one.value, one.confidence) for one in of}
        for case, of in found.items()
    }


def bring(home: Path, file: Path, *more: object) -> Any:
    return overread("pre-label", "Study", file, "--home", home, *more)


def text(folder: Path, name: str, content: str) -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def test_a_table_of_classes_without_a_reader(home: Path, tmp_path: Path) -> None:
    rows = f"case,label,confidence\n{NAMES[0]},1,0.75\n{NAMES[1]},2,0.5\nelsewhere,0,1\n"
    ended = bring(home, text(tmp_path, "g.csv", rows), "--question", "grade", "--model", "net")
    assert ended.code == 0, ended.err
    assert "2 cases with a pre-label" in ended.out
    assert "1 of the file are no cases of the project" in ended.out
    assert kept(home) == {NAMES[0]: {"grade": ("1", 0.75)}, NAMES[1]: {"grade": ("2", 0.5)}}


def test_scores_sets_and_boxes(home: Path, tmp_path: Path) -> None:
    for name, content, question, value in (
        ("s.csv", f"case,value\n{NAMES[0]},40.5\n", "sure", 40.5),
        ("m.csv", f"case,label\n{NAMES[0]},b\n{NAMES[0]},a\n", "signs", ["a", "b"]),
        (
            "b.csv",
            f"case,label,x1,y1,x2,y2\n{NAMES[0]},spot,1,2,30,20.5\n",
            "spots",
            [
                {
                    "id": "spots-1",
                    "class": "spot",
                    "frame": 0,
                    "x1": 1,
                    "y1": 2,
                    "x2": 30,
                    "y2": 20.5,
                }
            ],
        ),
    ):
        ended = bring(home, text(tmp_path, name, content), "--question", question)
        assert ended.code == 0, ended.err
        assert kept(home)[NAMES[0]][question] == (value, None)


def test_coco_outlines_without_a_reader(home: Path, tmp_path: Path) -> None:
    ring = [2, 2, 30, 2, 30, 20, 2, 20]
    content = {
        "images": [
            {"id": at, "file_name": f"{name}.png", "width": COLUMNS, "height": ROWS}
            for at, name in enumerate(NAMES[:2])
        ],
        "categories": [{"id": 1, "name": "rim"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 1, "bbox": [2, 2, 28, 18], "iscrowd": 0}
            | {"segmentation": [ring], "area": 504}
        ],
    }
    ended = bring(home, text(tmp_path, "c.json", json.dumps(content)), "--question", "rims")
    assert ended.code == 0, ended.err
    found = kept(home)
    points = [[2, 2], [30, 2], [30, 20], [2, 20]]
    assert found[NAMES[0]]["rims"][0] == [
        {"id": "rims-1", "class": "rim", "frame": 0, "points": points}
    ]
    assert found[NAMES[1]]["rims"][0] == []  # looked at, and nothing found


def test_a_folder_of_masks_of_one_model(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "masks"
    folder.mkdir()
    mask = np.zeros((ROWS, COLUMNS), np.uint8)
    mask[0, :5] = 255
    Image.fromarray(mask).save(folder / f"{NAMES[0]}.png")
    ended = bring(home, folder, "--question", "lung")
    assert ended.code == 0, ended.err
    runs = [[1, 5], [0, ROWS * COLUMNS - 5]]
    wanted = [{"frame": 0, "rows": ROWS, "columns": COLUMNS, "runs": runs}]
    assert kept(home)[NAMES[0]]["lung"][0] == wanted


def test_json_lines_of_whole_answers(home: Path, tmp_path: Path) -> None:
    line = {"case": NAMES[2], "answer": {"grade": "0", "signs": ["a"]}, "confidence": 0.3}
    file = text(tmp_path, "a.jsonl", json.dumps(line) + "\n")
    assert bring(home, file, "--question", "grade", "--json").document == {
        "cases": 1,
        "not_of_the_project": 0,
    }
    assert kept(home) == {NAMES[2]: {"grade": ("0", 0.3), "signs": (["a"], 0.3)}}


@pytest.mark.parametrize(
    ("content", "question", "words"),
    [
        ("case,label\ncase 000001,7\n", "grade", "7"),
        ("case,label\nnowhere,1\n", "grade", "cases of the project"),
        ("case,label\ncase 000001,1\n", "", "--question"),
        ("case,label\ncase 000001,1\n", "none", "--question"),
        ("case,reader,label\ncase 000001,A,1\ncase 000001,B,2\n", "grade", "--reader"),
        ("case,label,confidence\ncase 000001,1,7\n", "grade", "confidence must be 0 to 1"),
        ("label\n1\n", "grade", "case"),
        ("case,label,x1,y1,x2,y2\ncase 000001,spot,1,2,300,20\n", "spots", "spots"),
    ],
)
def test_a_bad_file_is_named_and_nothing_is_kept(
    home: Path, tmp_path: Path, content: str, question: str, words: str
) -> None:
    ended = bring(home, text(tmp_path, "bad.csv", content), "--question", question)
    assert ended.code == 2
    assert words in ended.err
    assert kept(home) == {}


def test_one_source_at_a_time(home: Path, tmp_path: Path) -> None:
    for words in ((), ("--hints", "--predicted"), (tmp_path / "none.csv",)):
        ended = overread("pre-label", "Study", *words, "--home", home)
        assert ended.code == 2
    ended = overread("pre-label", "Study", "--predicted", "--home", home)
    assert ended.code == 4  # nothing learns here
    assert "learning" in ended.err


def test_hints_are_found_in_every_case(home: Path) -> None:
    ended = overread("pre-label", "Study", "--hints", "--home", home, "--json")
    assert ended.document["cases"] == 3
    store = open_home(home).store
    project = project_called(store, "Study").id
    for one in list_cases(store, project):
        found = hints_of(store, one.case.id)
        assert found is not None
        for region in found.regions:
            assert 0 <= region["x1"] < region["x2"] <= COLUMNS
    store.close()


def test_a_network_learns_from_the_reads_and_proposes_for_the_rest(home: Path) -> None:
    store = open_home(home).store
    project = project_called(store, "Study").id
    reader = add_user(store, "r@example.org", "R", "reader", "system").id
    set_member(store, project, reader, "system")
    plan_tasks(store, project, "system", reads_per_case=1)
    box = {"id": "a", "class": "spot", "frame": 0, "x1": 20, "y1": 10, "x2": 40, "y2": 25}
    answer = {"grade": "1", "spots": [box], "rims": [], "lung": [], "sure": 1, "signs": []}
    store.close()
    lacking = overread("train-pre-label", "Study", "--question", "spots", "--home", home)
    assert lacking.code == 4
    assert "2 cases need labels" in lacking.err
    store = open_home(home).store
    for _ in range(2):
        (task,) = claim(store, project, reader)
        keep_read(store, Submission(str(uuid4()), task.id, reader, answer, 1))
    store.close()
    words = ("train-pre-label", "Study", "--question", "spots", "--steps", 2, "--home", home)
    ended = overread(*words, "--json")
    assert ended.code == 0, ended.err
    assert ended.document["proposed"] == 1
    assert ended.document["taught"] + ended.document["tested"] == 2
    ((name, of),) = kept(home).items()
    value, sure = of["spots"]
    assert name in NAMES
    assert 0 <= sure <= 1
    assert isinstance(value, list)
    assert list((home / "networks" / project).glob("spots.onnx"))
    wrong = overread("train-pre-label", "Study", "--question", "grade", "--home", home)
    assert wrong.code == 2
    assert "spots, rims, lung" in wrong.err


def brightest(folder: Path, name: str = "kl.onnx") -> Path:
    """Logits of grades "2" and "0" by how light an image is (scale "unit"), on 20 x 20 pixels."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["m", "g", "b"], ["y"]),
    ]
    weights = {"g": np.array([[10.0, -10.0]], np.float32), "b": np.array([-2, 2], np.float32)}
    return model_file(folder, nodes, weights, shape=("n", 1, 20, 20), name=name)


def test_a_model_is_tried_kept_and_run_on_what_is_unread(home: Path, tmp_path: Path) -> None:
    path = brightest(tmp_path)
    said = ("--question", "grade", "--classes", "2,0", "--scores", "logits", "--scale", "unit")
    ended = bring(home, path, *said)
    assert ended.code == 0, ended.err
    assert "kl, version" in ended.out
    assert "3 cases have a pre-label of it." in ended.out
    for of in kept(home).values():
        value, sure = of["grade"]
        assert value == "2"  # 75 to 87 of 255 on the average: brighter than 0.2
        assert 0.8 < sure < 1
    again = bring(home, path, *said, "--json").document
    assert (again["cases"], again["classes"], again["scale"]) == (0, ["2", "0"], "unit")
    turned = bring(
        home, path, *said, "--classes", "0,2", "--model", "KL", "--version", "3", "--json"
    )
    assert (turned.document["name"], turned.document["version"]) == ("KL", "3")
    assert turned.document["cases"] == 3
    assert {of["grade"][0] for of in kept(home).values()} == {"0"}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--question", "grade", "--scores", "logits"), "classes of the model must be stated"),
        (("--question", "grade", "--classes", "a,b", "--scores", "logits"), "got a, b"),
        (("--question", "grade", "--classes", "0,1,2", "--scores", "logits"), "one score for each"),
        (("--question", "grade", "--classes", "0,2"), "scores must be probabilities or logits"),
        (("--classes", "0,2", "--scores", "logits"), "--question must be one of grade"),
        (("--question", "grade", "--side", "x"), "side of its images must be whole pixels"),
        (("--question", "sure", "--classes", "0", "--scores", "logits"), "classes of the model"),
    ],
)
def test_a_model_of_something_else_is_refused(
    home: Path, tmp_path: Path, more: tuple[str, ...], words: str
) -> None:
    ended = bring(home, brightest(tmp_path), *more)
    assert ended.code == 2
    assert words in " ".join(ended.err.split())
    assert kept(home) == {}


def test_what_is_said_of_a_model_goes_with_a_model_alone(home: Path, tmp_path: Path) -> None:
    table = text(tmp_path, "t.csv", "case,label\ncase 000001,1\n")
    ended = bring(home, table, "--question", "grade", "--scores", "logits")
    assert ended.code == 2
    assert "--scores must go with an .onnx model; got another file" in " ".join(ended.err.split())
    none = bring(home, tmp_path / "none.onnx", "--question", "grade")
    assert "FILE must be there" in none.err


def test_a_network_learns_outlines_too(home: Path) -> None:
    store = open_home(home).store
    project = project_called(store, "Study").id
    reader = add_user(store, "r@example.org", "R", "reader", "system").id
    set_member(store, project, reader, "system")
    plan_tasks(store, project, "system", reads_per_case=1)
    corners = [[20, 10], [40, 10], [40, 25], [20, 25]]
    rim = {"id": "a", "class": "rim", "frame": 0, "points": corners}
    answer = {"grade": "1", "spots": [], "rims": [rim], "lung": [], "sure": 1, "signs": []}
    for _ in range(2):
        (task,) = claim(store, project, reader)
        keep_read(store, Submission(str(uuid4()), task.id, reader, answer, 1))
    store.close()
    words = ("train-pre-label", "Study", "--question", "rims", "--steps", 40, "--home", home)
    ended = overread(*words, "--json")
    assert ended.code == 0, ended.err
    assert ended.document["proposed"] == 1
    ((_, of),) = kept(home).items()
    (found,), sure = of["rims"]
    assert 0.5 < sure <= 1
    assert found["class"] == "rim"
    drawn = polygon(np.array(found["points"]))
    wanted = polygon(np.array(corners))
    over = drawn.intersection(wanted).area / drawn.union(wanted).area
    assert over > 0.6
    assert 4 <= len(found["points"]) < 30
    again = overread(*words[:-3], 41, "--home", home)  # other steps: begun anew, not refused
    assert again.code == 0, again.err
    assert "step 41 of 41" in again.out
