"""A project that learns, from the first read to a certificate, through the real server and page."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.cli.program import ok
from tests.end_to_end.conftest import Town
from tests.end_to_end.shots import shot
from tests.live.people import exported

pytestmark = [
    pytest.mark.browser, pytest.mark.page, pytest.mark.shared_data, pytest.mark.timeout(1800),
]  # fmt: skip

CLASSES = ("normal", "pneumonia")
FIRST, LABELLED, MOST, CASES = 10, 60, 90, 100
PROTOCOL = """title: Pneumonia on chest X-rays of children
reads_per_case: 1
questions:
  - {id: finding, prompt: "What do you see?", kind: nominal, classes: [normal, pneumonia]}
learning: {question: finding, held_back: 0.5, review_seconds: 0.05}
"""
# a script reads in a wink, so that only a still faster review lets a label cost more than it saves
_WAIT = 600  # seconds: a machine under load is slow, not wrong
_CASE, _END = "main.image[data-task]:not([data-task=''])", ".end h1:not(:empty)"


def chest(path: Path, *, seed: int, source: Path) -> None:  # noqa: ARG001 - all draw so
    """One of the real images."""
    Image.open(source).convert("L").save(path)


def chosen(shared_data: Path) -> list[tuple[Path, str]]:
    """As many of each class, spread over the set."""
    folder = shared_data / "chest-xray"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    name = next(key for key in rows[0] if rows[0][key].endswith(".jpg"))
    of = {
        one: [folder / "images" / Path(row[name]).name for row in rows
              if ("normal" in Path(row[name]).name) == (one == "normal")]
        for one in CLASSES
    }  # fmt: skip
    half = CASES // 2
    return [(of[one][at * (len(of[one]) // half)], one) for at in range(half) for one in CLASSES]


def until(met: Callable[[], Any], what: str, seconds: float = _WAIT) -> Any:
    """Wait for work beside the pages."""
    ends = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < ends, what
        time.sleep(0.1)
    return found


def test_from_the_first_read_to_a_certificate(  # noqa: PLR0915 - one story
    town: Town, shared_data: Path, tmp_path: Path
) -> None:
    images = chosen(shared_data)
    project = town.project(PROTOCOL, *(partial(chest, source=path) for path, _ in images))
    truth = truth_of(town, project, [said for _, said in images])
    rhea, lead = town.people["Rhea"], town.lead
    learning = lead.page(f"/projects/{project}/learning")
    learning.set_default_timeout(1000 * _WAIT)
    # the first cases come by lot; then those that the model asks for, each read by a key
    labels = by_keys(town, project, truth, most=FIRST)
    learning.locator("#map").wait_for()  # the images are encoded
    labels += by_keys(town, project, truth, most=LABELLED - FIRST)
    while not stops(learning, labels):
        assert labels < MOST, learning.locator(".now").inner_text()
        labels += by_keys(town, project, truth, most=3)
    assert "Stop now." in learning.locator(".now").inner_text()
    decides = learning.locator("#rules tr.decides")
    assert decides.locator(".says").inner_text() == "Says stop"
    assert decides.locator("th").inner_text().startswith("Time")
    assert learning.locator("#rules tr").count() == 4
    assert "measured: the median of" in learning.locator("#rules .faint").inner_text()
    assert rhea.get(f"/api/projects/{project}/progress")["done"] == labels
    shot(learning, "learning-1-stop-advice")
    learning.get_by_role("button", name="Stop asking").first.click()
    learning.get_by_role("link", name="Label the rest").click()
    # what the model could label, and its labels
    page = learning
    page.get_by_role("button", name="See what the model could label").click()
    page.locator("table.offers").wait_for()
    shot(page, "learning-2-offers")
    page.locator("table.offers button").last.click()
    page.get_by_role("link", name="Review in the film strip").wait_for()
    review(town, page, project, truth)
    # a blind audit through the ordinary page
    page.goto(f"{lead.address}/projects/{project}/auto-labels")
    shot(page, "learning-4-audit-planned")
    page.get_by_role("button", name="Begin the audit").click()
    page.get_by_text("The audit is being read").wait_for()
    by_keys(town, project, truth, most=2)
    page.reload()
    shot(page, "learning-5-audit")
    task = town.task(project)
    assert not {"audit", "auto", "label", "probability"} & set(json.dumps(task).lower().split('"'))
    by_keys(town, project, truth, done=lambda: "The audit is read" in reloaded(page))
    reloaded(page)
    page.get_by_role("button", name="Decide on the audit").click()
    page.get_by_role("link", name="Open the certificate").click()
    page.get_by_text("What it does not say").wait_for()
    shot(page, "learning-6-certificate")
    # it travels, and whoever gets it can check it
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the signed certificate").click()
    paper = tmp_path / "certificate.json"
    download.value.save_as(paper)
    labels = tmp_path / "consensus.csv"
    labels.write_bytes(exported(lead, project, "consensus", "csv").read_bytes())
    page.goto(f"{lead.address}/projects/{project}/export")
    shot(page, "learning-7-export")
    page.close()
    key = json.loads(paper.read_text())["signature"]["fingerprint"]
    told = ok("verify", paper, "--of", labels, "--key", key, "--json").document
    assert told["sound"]
    with labels.open(newline="") as file:
        rows = {row["case"]: row for row in csv.DictReader(file)}
    assert len(rows) == CASES
    assert {row["source"] for row in rows.values()} == {"read", "auto-label certified"}
    assert {case: row["label"] for case, row in rows.items()} == truth
    assert rhea.send("GET", f"/api/projects/{project}/certificates").status == 403


def truth_of(town: Town, project: str, said: list[str]) -> dict[str, str]:
    """Case -> what it shows: folders were brought in in the order of their names."""
    order = sorted(range(len(said)), key=str)
    numbered: dict[str, int] = {}
    after = 0
    while len(numbered) < len(said):
        found = town.lead.get(f"/api/projects/{project}/cases?limit=100&after={after}")
        numbered |= {one["id"]: int(one["name"].split()[-1]) for one in found["cases"]}
        after = found["next"] or 0
    return {case: said[order[number - 1]] for case, number in numbered.items()}


def by_keys(
    town: Town,
    project: str,
    truth: dict[str, str],
    *,
    most: int = CASES,
    done: Callable[[], bool] = lambda: False,
) -> int:
    """Rhea reads on the page, one key a case; how many.

    Args:
        most: cases at most.
        done: asked whenever nothing waits for her; she goes away where it is so.
    """
    rhea, of = town.people["Rhea"], dict[str, str]()
    made = 0

    def something() -> bool:
        return bool(tasks(town, project)) or done()

    page = rhea.page(f"/read/{project}")
    page.set_default_timeout(1000 * _WAIT)
    while made < most:
        page.locator(f"{_CASE}, {_END}").locator("visible=true").first.wait_for()
        here = page.locator("main.image").get_attribute("data-task")
        if not here:  # she is faster than the model: she looks again when something is there
            until(something, "a case to read")
            if not tasks(town, project):
                break
            page.reload()
            continue
        if here not in of:
            of |= {one["id"]: one["case"]["id"] for one in tasks(town, project, 3)}
        page.keyboard.press(str(1 + CLASSES.index(truth[of[here]])))
        page.locator(f"main.image:not([data-task='{here}'])").wait_for()
        made += 1
    page.locator(".bar .saved").get_by_text("Saved", exact=True).wait_for()
    page.close()
    return made


def reloaded(page: Any) -> str:
    """What the page says now."""
    page.reload()
    text: str = page.locator("main").inner_text()
    return text


def tasks(town: Town, project: str, count: int = 1) -> list[Any]:
    reply = town.people["Rhea"].send("POST", f"/api/projects/{project}/claim", {"count": count})
    found: list[Any] = reply.json()["tasks"]
    return found


def stops(page: Any, labels: int) -> bool:
    """Whether the page says to stop, once it knows of so many labels."""
    told = re.compile(rf"\b{labels}( of about \d+)? labels; ")
    until(lambda: told.search(reloaded(page)), "the labels on the page of learning")
    return bool(page.locator(".now .state").inner_text().upper() == "STOP")


def review(town: Town, page: Any, project: str, truth: dict[str, str]) -> None:
    """The film strip of each class: keys for what is doubtful, the rest accepted."""
    lead = town.lead
    for place, name in enumerate(CLASSES):
        found = lead.get(f"/api/projects/{project}/auto-labels/strip?label={place}")
        if not found["frames"]:
            continue
        page.goto(f"{lead.address}/projects/{project}/review?label={place}")
        page.locator(".film-room[data-ready]").wait_for()
        wrong = [at for at, one in enumerate(found["frames"]) if truth[one["case"]] != name]
        looked = max([*wrong, 2]) + 1
        page.keyboard.press("x")
        page.locator(".strip-line .sent").wait_for()
        page.keyboard.press("u")
        page.locator(".strip-line .sent").wait_for(state="detached")
        for one in found["frames"][:looked]:
            said = truth[one["case"]]
            page.keyboard.press("Enter" if said == name else str(1 + CLASSES.index(said)))
        if place == 0:
            shot(page, "learning-3-film-strip")
        page.locator(f".film-room[data-saved='{min(looked, len(found['frames']))}']").wait_for()
        if looked < found["left"]:
            page.keyboard.press("a")
            page.get_by_role("button", name="Accept", exact=False).last.wait_for()
            page.locator("dialog .yes").click()
            page.wait_for_url(f"**/projects/{project}/review")
