"""Encoders on the learning page: brought as files, tried, listed, removed, kept over a restart."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto

from overread.app.learning.case_latents import parts_of
from overread.app.learning.project_encoder import PRETRAINED, QUICK, listed_part
from overread.store.learning.encoders import keep_choice, kept_encoders, list_trained
from overread.web.site import Site
from tests.app.learning.test_bring_encoder import edges
from tests.end_to_end.shots import shot
from tests.latents.test_onnx_encoder import written
from tests.web.conftest import House
from tests.web.live import opened, visitor
from tests.web.test_page_widths import FAULTS
from tests.web.test_training import ask, kill, page_of, restarted, until


def send(house: House, path: Path, who: str = "lead", **fields: str) -> Any:
    person = house.people[who]
    files = [("file", (path.name, path.read_bytes(), "application/octet-stream"))]
    place = f"/projects/{house.project}/encoders"
    data = {"csrf": person.csrf, "name": "", "scale": "", **fields}
    return person.client.post(place, data=data, files=files, follow_redirects=False)


def words_of(reply: Any) -> str:
    assert reply.status_code == 422, reply.text
    return re.sub(r"\s+", " ", reply.text).replace("&#39;", "'")


def test_a_lead_brings_one_and_removes_it(
    servers: list[Site], house: House, tmp_path: Path
) -> None:
    assert ask(house, action="settings", question="fractures") == 303
    assert "Bring an encoder" in page_of(house)
    path = edges(tmp_path)
    text = tmp_path / "text.onnx"
    text.write_text("no graph")
    model = onnx.load(path)
    far = model.graph.initializer[0]
    far.data_location = TensorProto.EXTERNAL
    far.external_data.add(key="location", value="store.db")
    outside = tmp_path / "outside.onnx"
    outside.write_bytes(model.SerializeToString())
    named = tmp_path / "edges.txt"
    named.write_bytes(path.read_bytes())
    (tmp_path / "oblong").mkdir()
    for file, fields, words in (
        (text, {}, "ONNX file must be a sound ONNX graph"),
        (outside, {}, "ONNX file must hold its weights; got names of other files"),
        (named, {}, "encoder must be an .onnx file; got another"),
        (path, {"scale": "wide"}, "scale must be one of"),
        (written(tmp_path / "oblong", ["n", 3, 8, 16]), {}, "take square images; got 8 x 16"),
    ):
        assert words in words_of(send(house, file, **fields))
    assert list_trained(house.store, house.project) == []
    assert send(house, path, "reader").status_code == 403
    assert send(house, path, csrf="another").status_code == 403
    assert send(house, path, scale="unit").status_code == 303
    (row,) = list_trained(house.store, house.project)
    assert (row.about["name"], row.about["scale"]) == ("edges", "unit")
    shown = page_of(house)
    assert f'<code title="{row.about["version"]}' in shown
    assert "48 x 48 pixels, grey, input scale unit; 2 values" in shown
    # it is encoded beside the page; drawings have no model of classes, so that none can win
    part = listed_part(row)
    kept = house.store, house.project
    until(lambda: any(one.part == part and one.ready for one in kept_encoders(*kept)))
    until(lambda: "Not compared the last time" in page_of(house))
    assert "images are encoded with it so far" not in page_of(house)
    # a server that starts again lists it, and takes up the comparison that has not been made
    other = restarted(house, tmp_path)
    assert "2 values" in page_of(other)
    until(lambda: "Not compared the last time" in page_of(other))
    gone = Path(house.blobs.root) / row.file[:2] / row.file[2:]
    gone.unlink()
    assert "Its file is gone: bring it again, or remove it." in page_of(other)
    place = f"/projects/{house.project}/encoders/retire"
    assert house.people["lead"].form(place, kind="onnx-other").status_code == 404
    assert house.people["lead"].form(place, kind=row.kind).status_code == 303
    assert part not in parts_of(house.store, house.project)
    assert "2 values" not in page_of(house)
    for one in servers:
        kill(one)


@pytest.mark.browser
@pytest.mark.timeout(900)
def test_in_a_browser_nothing_of_it_is_cut(
    servers: list[Site], house: House, browser: Any, tmp_path: Path
) -> None:
    assert ask(house, action="settings", question="fractures") == 303
    path = edges(tmp_path)
    with opened(house) as address, visitor(browser, address, "lead@example.org") as page:
        page.goto(f"{address}/projects/{house.project}/learning")
        page.locator("[name=file]").set_input_files(str(path))
        page.locator(".encoders [name=name]").fill("How much an image changes, by direction")
        page.get_by_label("Scale of its input").select_option("unit")
        page.get_by_role("button", name="Bring").click()
        page.get_by_text("2 values").wait_for(timeout=60_000)
        until(lambda: "Not compared the last time" in page_of(house))
        (row,) = list_trained(house.store, house.project)
        chains = ([QUICK, PRETRAINED, listed_part(row)], [QUICK, PRETRAINED], [QUICK])
        scores = [
            {"chain": list(one), "loss": 0.31 + 0.1 * at, "accuracy": 0.9 - 0.04 * at, "held": 130}
            for at, one in enumerate(chains)
        ]
        keep_choice(
            house.store, house.project, chains[0], before=chains[1], scores=scores, labels=130,
            reason="log loss",
        )  # fmt: skip
        page.reload()
        page.get_by_text("How much an image changes, by direction").first.wait_for()
        assert page.locator(".brought .tag").inner_text() == "in use"
        page.locator("#encoders").scroll_into_view_if_needed()
        shot(page, "encoders")
        (Path(house.blobs.root) / row.file[:2] / row.file[2:]).unlink()
        page.set_viewport_size({"width": 820, "height": 1000})
        page.reload()
        page.get_by_text("is gone from the server's folder of files").wait_for()
        shot(page, "encoders-narrow")
        assert page.evaluate(FAULTS) == []
        page.get_by_role("button", name="Remove How much").click()
        page.get_by_text("was removed.").wait_for()
        assert page.locator(".brought").count() == 0
    for one in servers:
        kill(one)
