"""In a window of 820 pixels nothing of the learning part is cut, covered or pushed out of sight."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.app.analysis.set_labels import names_in, set_text
from overread.app.learning.freeze_labels import Proposals, auto_label
from overread.protocol import template
from overread.selection.certificate.sets import likely_sets
from overread.store.learning.auto_labels import labels_of_run
from tests.end_to_end.shots import shot
from tests.web.conftest import House, bring_in, copied
from tests.web.live import opened, visitor
from tests.web.test_label_rules import around, asked, field
from tests.web.test_learning import shown, truth_of, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

NARROW = {"width": 820, "height": 1000}
CLASSES = ("Normal", "Ground glass opacity", "Consolidation with air bronchogram")
GRADES = f"""title: Lungs of intensive care patients, portable films
reads_per_case: 1
questions:
  - id: finding
    prompt: "Which of these does the right lower lobe show on the portable film?"
    kind: nominal
    classes: {json.dumps(list(CLASSES))}
learning: {{question: finding, held_back: 0.3}}
"""
SIGNS = ("Pleural effusion", "Consolidation with air bronchogram", "Interstitial oedema")
SETS = f"""title: Signs on portable films
reads_per_case: 1
questions:
  - id: signs
    prompt: "Which signs does the film show?"
    kind: multi-label
    classes: {json.dumps(list(SIGNS))}
"""
LONG_NAME = "Wilhelmina Featherstonehaugh-Cholmondeley"
CASES, READ = 30, 14

FAULTS = (Path(__file__).parent / "page_faults.js").read_text(encoding="utf-8")


@dataclass
class Shown:
    """A house with content, its address, and the pages to look at."""

    house: House
    address: str
    paths: dict[str, str]


@pytest.fixture(scope="module")
def floor(
    furnished: tuple[Path, House], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    """One server with a project of boxes, one that learns, and one of sets, all with content."""
    house = copied(*furnished, tmp_path_factory.mktemp("floor"))
    house.people["long"] = house.join("reader", "wilhelmina@example.org", LONG_NAME)
    paths: dict[str, str] = {}
    with ExitStack() as stack:
        stack.callback(house.store.close)
        for made in (boxes, learning, sets):
            paths |= made(house)
        yield Shown(house, stack.enter_context(opened(house)), paths)


def begin(house: House, name: str, text: str, *readers: str) -> None:
    """Go on with another project."""
    lead = house.people["lead"]
    reply = lead.form("/projects/new", name=name, text=text)
    assert reply.status_code == 303, reply.text
    house.project = reply.headers["location"].rsplit("/", 1)[-1]
    ids = [house.people[one].id for one in readers]
    lead.form(f"/projects/{house.project}/members", reader=ids)


def boxes(house: House) -> dict[str, str]:
    """Label rules with findings, disagreement, pre-labels from a file."""
    lead = house.people["lead"]
    begin(house, "Fractures of the wrist, boxed", template("fracture-boxes"), "reader", "long")
    path = f"/projects/{house.project}"
    bring_in(house, 0, **{f"field-{at}.png": field(at) for at in range(6)})
    rng = np.random.default_rng(1)
    for who in ("reader", "long"):
        for number, task in enumerate(house.tasks(who, 5)):
            found = [around(at, 16 + rng.uniform(-0.5, 0.5)) for at in range(8)]
            if who == "long" and number != 1:
                found[3] = around(3, 28)
                found = [*found[: 5 + number // 2], found[0] | {"id": "again"}]
            reply = house.read(who, task, {"fractures": found, "certainty": "Sure"})
            assert reply.status_code == 200, reply.text
    assert asked(house)["failed"] is None
    cases = lead.get(f"/api{path}/cases").json()["cases"]
    proposals = [{"case": one["name"], "answer": {"fractures": [around(1, 16)]}} for one in cases]
    body = {"model": "fracture-detector-of-the-department", "version": "2026.11-rc1"}
    reply = lead.post(f"/api{path}/pre-labels", body | {"proposals": proposals})
    assert reply.status_code == 201, reply.text
    until(lambda: "are disputed" in lead.get(f"{path}/disagreement").text, 120)
    return {name: f"{path}/{name}" for name in ("label-rules", "disagreement", "pre-labels")}


def learning(house: House) -> dict[str, str]:
    """A curve and a map, auto-labels under audit, and the certificate of it."""
    begin(house, "Lungs of intensive care patients", GRADES, "reader", "other")
    lead, path = house.people["lead"], f"/projects/{house.project}"
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(CASES)})
    truth = truth_of(house)
    said = 0

    def read() -> bool:
        nonlocal said
        for task in house.tasks("reader", 1):
            answer = {"finding": CLASSES[truth[task["case"]["id"]]]}
            assert house.read("reader", task, answer).status_code == 200
            said += 1
        return said >= READ

    until(read)
    until(lambda: "Neighbours look alike" in lead.get(f"{path}/learning").text)
    until(lambda: "accuracy on" in lead.get(f"{path}/learning").text)
    paths = {"learning": f"{path}/learning", "map-uncertainty": f"{path}/learning?by=uncertainty"}
    cases = [one for one in truth if one not in read_by(house)]
    table = np.full((len(cases), 3), 0.005)
    for at, one in enumerate(cases):
        table[at, truth[one]] = 0.99 - 0.001 * at
    given = Proposals("finding", CLASSES, cases, table, "Gaussian process on latents-0123456789ab",
                      np.linspace(0.5, 0.99, 100), np.ones(100, dtype=bool))  # fmt: skip
    names = {one: CLASSES[truth[one]] for one in cases}
    return paths | certified(house, given, lambda case: {"finding": names[case]}, "")


def sets(house: House) -> dict[str, str]:
    """The certificate of labels that are sets of classes."""
    begin(house, "Signs on portable films", SETS, "reader", "other")
    lead = house.people["lead"]
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(18)})
    found = lead.get(f"/api/projects/{house.project}/cases?limit=100").json()["cases"]
    cases = [one["id"] for one in found]
    there = [[], [0], [0, 1]]
    present = np.full((len(cases), 3), 0.01)
    for at in range(len(cases)):
        present[at, there[at % 3]] = 0.99
    code, held, sure = likely_sets(present)
    texts = [set_text([SIGNS[n] for n in np.flatnonzero(row)], SIGNS) for row in held]
    given = Proposals("signs", tuple(texts), cases, sure[:, None], "a model, version 3",
                      np.linspace(0.5, 0.99, 200), np.ones(200, dtype=bool), SIGNS,
                      code)  # fmt: skip
    of = {case: names_in(texts[at]) for case, at in zip(cases, code.tolist(), strict=True)}
    return certified(house, given, lambda case: {"signs": list(of[case])}, "-sets")


def read_by(house: House) -> set[str]:
    """Cases that Rhea read."""
    found = house.people["reader"].get(f"/api/projects/{house.project}/reads/mine").json()
    return {one["case"]["id"] for one in found}


def certified(
    house: House, given: Proposals, answer: Callable[[str], dict[str, Any]], end: str
) -> dict[str, str]:
    """Freeze, audit and certify; the pages."""
    lead, path = house.people["lead"], f"/projects/{house.project}"
    run = auto_label(house.store, house.project, given, target=0.2, by=lead.id)
    count = len(labels_of_run(house.store, run))
    begun = lead.form(f"{path}/auto-labels", do="audit", run=run, cases=str(count), mode="one look")
    assert begun.status_code == 303, begun.text
    for _ in range(600):
        for who in ("reader", "other"):
            for task in house.tasks(who, 3):
                said = answer(task["case"]["id"])
                assert house.read(who, task, said).status_code == 200
        if "decide on it" in lead.get(f"{path}/auto-labels").text:
            break
        time.sleep(0.05)
    audit = re.search(r'name="audit" value="([^"]+)"', lead.get(f"{path}/auto-labels").text)
    assert audit
    reply = lead.form(f"{path}/auto-labels", do="decide", audit=audit[1])
    assert reply.headers["location"].endswith("?said=certified"), reply.text
    (paper,) = lead.get(f"/api{path}/certificates").json()["certificates"]
    return {f"auto-labels{end}": f"{path}/auto-labels",
            f"certificate{end}": f"{path}/certificates/{paper['id']}"}  # fmt: skip


PAGES = ("label-rules", "disagreement", "pre-labels", "learning", "map-uncertainty",
         "auto-labels", "certificate", "auto-labels-sets", "certificate-sets")  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_window_shows_all_of_it(floor: Shown, browser: Any, name: str) -> None:
    with visitor(browser, floor.address, "lead@example.org") as page:
        page.set_viewport_size(NARROW)
        page.goto(floor.address + floor.paths[name])
        page.wait_for_load_state("networkidle")
        for one in page.locator("main details:not([open]) > summary").all():
            one.click()
        shot(page, f"narrow-{name}")
        assert page.evaluate(FAULTS) == []


def test_a_certificate_of_sets_says_what_a_label_is(floor: Shown) -> None:
    page = floor.house.people["lead"].get(floor.paths["certificate-sets"]).text
    text = " ".join(re.sub(r"<[^>]+>", "", page).split())
    assert "A model labelled these 18 cases. All of them were then read by people" in text
    assert "A label is the whole set of classes of a case; it is wrong where a single" in text
    assert "Nobody read 0" not in text
    assert "not counted here" in floor.house.people["lead"].get(floor.paths["auto-labels"]).text
