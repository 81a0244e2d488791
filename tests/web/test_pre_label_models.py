"""An ONNX model on the page of pre-labels: brought, refused, run, stopped, run again, removed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from overread.store.learning.pre_label_models import keep_model, list_models
from overread.store.learning.pre_labels import pre_labels_of
from tests.app.learning.models import model_file
from tests.end_to_end.shots import shot
from tests.latents.test_onnx_apart import looping
from tests.web.conftest import House, bring_in, copied, open_house, png
from tests.web.live import opened, visitor
from tests.web.test_page_widths import FAULTS
from tests.web.test_pre_label import ask, text, until

SAID = {
    "question": "grade", "model": "", "version": "", "classes": "2, 0, 1", "scores": "logits",
    "scale": "unit", "side": "", "threshold": "0.5",
}  # fmt: skip


def light(folder: Path, name: str = "Kellgren.onnx", **more: Any) -> Path:
    """Logits of three grades, by how light an image is and how bright its top row."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["m", "g", "b"], ["y"]),
    ]
    weights = {"g": np.array([[6.0, -6.0, 0]], np.float32), "b": np.array([0, 5, 0], np.float32)}
    more = {"shape": ("n", 1, 20, 30)} | more
    return model_file(folder, nodes, weights, name=name, **more)


def send(house: House, path: Path, who: str = "lead", **fields: str) -> Any:
    person = house.people[who]
    files = [("file", (path.name, path.read_bytes(), "application/octet-stream"))]
    place = f"/projects/{house.project}/pre-labels/model"
    data = {"csrf": person.csrf} | SAID | fields
    return person.client.post(place, data=data, files=files, follow_redirects=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, House]]:
    folder = tmp_path_factory.mktemp("models")
    made = open_house(folder, protocol=text(), cases=6)
    yield folder, made
    made.store.close()


@pytest.fixture
def grades(model: tuple[Path, House], tmp_path: Path) -> Iterator[House]:
    made = copied(*model, tmp_path)
    yield made
    made.store.close()


def proposed(house: House) -> dict[str, tuple[Any, float | None, str]]:
    cases = house.people["lead"].get(f"/api/projects/{house.project}/cases").json()["cases"]
    found = pre_labels_of(house.store, [one["id"] for one in cases])
    return {case: (of[-1].value, of[-1].confidence, of[-1].model) for case, of in found.items()}


def test_a_lead_brings_one_it_proposes_and_goes_on_with_new_cases(
    grades: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lead, path = grades.people["lead"], f"/projects/{grades.project}/pre-labels"
    assert "An ONNX model of your own" in lead.get(path).text
    file = light(tmp_path / "m")
    assert send(grades, file).status_code == 303
    shown = until(grades, "Done. 6 cases have a pre-label of it.")
    (row,) = list_models(grades.store, grades.project)
    version = row.about["version"]
    for words in (
        "Kellgren", f"{version}</span>", "2, 0, 1", "one class of these; logits",
        "20 x 30 pixels, grey, input scale unit", "6 of 6 cases have one",
    ):  # fmt: skip
        assert words in shown
    assert len(proposed(grades)) == 6
    for value, sure, name in proposed(grades).values():
        assert (value, name) == ("2", "Kellgren")  # noise is half bright: 3, 2 and 0
        assert sure == pytest.approx(np.exp(3) / (np.exp(3) + np.exp(2) + 1), abs=0.02)
    bring_in(grades, 0, **{"new.png": png(77)})
    run = {"do": "run", "model": row.id}
    assert lead.form(path, **run).status_code == 303
    until(grades, "Done. 1 case has a pre-label of it.")
    assert lead.form(path, **run).status_code == 303
    assert "The model did not run" in until(grades, "has a pre-label of this model already")
    protocol = lead.form(path, do="show", show="shown", keep_hidden="0")
    assert protocol.status_code == 303
    told = ask(grades, grades.tasks("reader")[0]).json()
    assert told["by"][0]["model"] == "Kellgren"
    assert told["by"][0]["version"] == version
    of = {"question": "grade", "model": "Kellgren", "version": version}
    assert lead.form(path, do="withdraw", **of).status_code == 303
    assert proposed(grades) == {}
    assert lead.form(path, do="remove", model=row.id).status_code == 303
    assert lead.form(path, do="remove", model=row.id).status_code == 404
    assert lead.form(path, do="run", model=row.id).status_code == 404
    assert "Kellgren" not in lead.get(path).text
    assert list(Path(tmp_path).glob("overread-model-*")) == []
    assert "Kellgren" not in caplog.text


def test_what_is_no_model_for_the_question_is_refused_and_the_form_stays_filled(
    grades: House, tmp_path: Path
) -> None:
    file = light(tmp_path / "m")
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"no graph")
    table = tmp_path / "table.csv"
    table.write_text("case,label")
    empty = tmp_path / "empty.onnx"
    empty.write_bytes(b"")
    for sent, fields, words in (
        (junk, {}, "ONNX file must be a sound ONNX graph"),
        (table, {}, "model must be an .onnx file; got another"),
        (empty, {}, "model must be an .onnx file; got none"),
        (file, {"classes": "I, II, III"}, "be of those of the question (0, 1, 2); got I, II, III"),
        (file, {"classes": "0, 1"}, "one score for each of its 2 classes (0, 1); got 3"),
        (file, {"classes": ""}, "classes of the model must be stated; got none"),
        (file, {"scores": ""}, "scores must be probabilities or logits; got nothing"),
        (file, {"scores": "probabilities"}, "be probabilities, 0 to 1; got"),
        (file, {"question": "none"}, "question must be one of grade, spots; got none"),
        (file, {"question": "spots", "classes": "spot"}, "give boxes of 6 numbers"),
        (file, {"threshold": "high"}, "threshold must be a number between 0 and 1; got high"),
        (file, {"side": "-1"}, "side of its images must be whole pixels"),
    ):
        reply = send(grades, sent, **fields)
        shown = " ".join(reply.text.split()).replace("&#39;", "'").replace("&lt;", "<")
        assert reply.status_code == 422, shown
        assert words in shown
        assert "The model was not brought" in shown
        assert f'value="{fields.get("classes", SAID["classes"])}"' in shown
    assert list_models(grades.store, grades.project) == []
    assert send(grades, file, "reader").status_code == 403
    assert send(grades, file, csrf="another").status_code == 403
    path = f"/projects/{grades.project}/pre-labels"
    assert grades.people["lead"].form(path, do="run", model="../../etc").status_code == 404


def test_a_model_that_never_ends_is_stopped_and_its_process_with_it(
    grades: House, tmp_path: Path
) -> None:
    lead, path = grades.people["lead"], f"/projects/{grades.project}/pre-labels"
    white = np.full((40, 60), 255, np.uint8)
    bring_in(grades, 0, **{"white.png": _png(white)})
    reply = send(grades, looping(tmp_path), classes="0, 1, 2")
    assert reply.status_code == 303, " ".join(reply.text.split())[-900:]
    until(grades, "looks at the unread cases")
    again = send(grades, light(tmp_path / "m"))
    assert again.status_code == 422
    assert "pre-labels must be brought one after the other" in again.text
    (row,) = list_models(grades.store, grades.project)
    assert lead.form(path, do="remove", model=row.id).status_code == 422
    assert lead.form(path, do="stop").status_code == 303
    assert "Stopped. What the model had proposed until then stands." in until(grades, "Stopped.")
    assert _children() == []


def _png(values: np.ndarray) -> bytes:
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(values).save(made, "PNG")
    return made.getvalue()


def _children() -> list[str]:
    """Processes that run a model, whoever began them."""
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = one.read_bytes()
        except OSError:
            continue
        if b"overread.latents.onnx_child" in words:
            found.append(words.decode())
    return found


@pytest.mark.browser
@pytest.mark.timeout(600)
def test_in_a_browser_nothing_of_it_is_cut(grades: House, browser: Any, tmp_path: Path) -> None:
    path = f"/projects/{grades.project}/pre-labels"
    with opened(grades) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(address + path)
        page.locator("#models").scroll_into_view_if_needed()
        shot(page, "models-empty")
        page.locator("#models [name=file]").set_input_files(str(light(tmp_path / "m")))
        page.get_by_label("Its scores are").select_option("logits")
        page.get_by_label("Scale of its input").select_option("unit")
        page.get_by_label("Its classes, in the order").fill("II, III, IV")
        page.get_by_role("button", name="Try and run it").click()
        page.get_by_role("alert").wait_for()
        assert "got II, III, IV" in page.get_by_role("alert").inner_text()
        assert page.get_by_label("Its scores are").input_value() == "logits"
        shot(page, "models-refused")
        assert page.evaluate(FAULTS) == []
        page.locator("#models [name=file]").set_input_files(str(light(tmp_path / "m")))
        page.get_by_label("Its classes, in the order").fill("2, 0, 1")
        page.get_by_role("button", name="Try and run it").click()
        page.get_by_text("Done. 6 cases have a pre-label of it.").wait_for(timeout=60_000)
        (row,) = list_models(grades.store, grades.project)
        about = row.about | {"name": "A grader of knees with nearly as long a name as may be given"}
        keep_model(
            grades.store, grades.project, "grade:other", grades.people["lead"].id,
            question="grade", file="ab" * 32, about=about | {"version": "2026-11 (second)"},
        )  # fmt: skip
        page.reload()
        page.get_by_text("Its file is gone from the server").wait_for()
        shot(page, "models-full")
        page.set_viewport_size({"width": 820, "height": 1000})
        page.reload()
        page.get_by_text("Its file is gone from the server").wait_for()
        shot(page, "models-narrow")
        assert page.evaluate(FAULTS) == []
        page.get_by_role("button", name="Remove A grader").click()
        page.get_by_text("Its file is gone").wait_for(state="detached")
        assert [one.id for one in list_models(grades.store, grades.project)] == [row.id]
