"""A project that learns, from the first read to a certificate, through the real server and page."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from tests.cli.program import ok
from tests.end_to_end.conftest import Town
from tests.end_to_end.shots import shot
from tests.live.people import exported
from tests.reading_page.hands import eventually, read_on

pytestmark = [pytest.mark.browser, pytest.mark.page, pytest.mark.shared_data]

CLASSES = ("normal", "pneumonia")
LABELLED, CASES = 60, 96
PROTOCOL = """title: Pneumonia on chest X-rays of children
reads_per_case: 1
questions:
  - {id: finding, prompt: "What do you see?", kind: nominal, classes: [normal, pneumonia]}
learning: {question: finding, held_back: 0.25, review_seconds: 2}
"""


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


def until(met: Callable[[], Any], what: str, seconds: float = 240.0) -> Any:
    """Wait for work beside the pages."""
    ends = time.monotonic() + seconds
    while not (found := met()):
        assert time.monotonic() < ends, what
        time.sleep(0.1)
    return found


def test_from_the_first_read_to_a_certificate(
    town: Town, shared_data: Path, tmp_path: Path
) -> None:
    images = chosen(shared_data)
    project = town.project(PROTOCOL, *(partial(chest, source=path) for path, _ in images))
    truth = truth_of(town, project, [said for _, said in images])
    rhea, lead = town.people["Rhea"], town.lead
    # some by their keys, the others by a script: each the case that the model asks for
    by_keys(town, project, truth, 3)
    by_script(town, project, truth, LABELLED - 3)
    learning = lead.page(f"/projects/{project}/learning")
    until(lambda: advice(learning), "the advice on when to stop")
    shot(learning, "learning-1-stop-advice")
    # what the model could label, and its labels
    page = lead.page(f"/projects/{project}/auto-labels")
    page.get_by_role("button", name="See what the model could label").click()
    page.locator("table.offers").wait_for(timeout=90_000)
    shot(page, "learning-2-offers")
    page.locator("table.offers button").last.click()
    page.get_by_role("link", name="Review in the film strip").wait_for(timeout=90_000)
    review(town, page, project, truth)
    # a blind audit through the ordinary page
    page.goto(f"{lead.address}/projects/{project}/auto-labels")
    shot(page, "learning-4-audit-planned")
    page.get_by_role("button", name="Begin the audit").click()
    page.get_by_text("The audit is being read").wait_for()
    by_keys(town, project, truth, 2)
    page.reload()
    shot(page, "learning-5-audit")
    task = town.task(project)
    assert not {"audit", "auto", "label", "probability"} & set(json.dumps(task).lower().split('"'))
    audited(town, page, project, truth)
    page.get_by_role("button", name="Decide on the audit").click()
    page.get_by_role("link", name="Open the certificate").click()
    page.get_by_text("What it does not say").wait_for()
    shot(page, "learning-6-certificate")
    # it travels, and whoever gets it can check it
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the signed certificate").click()
    paper = tmp_path / "certificate.json"
    download.value.save_as(paper)
    page.close()
    labels = tmp_path / "consensus.csv"
    labels.write_bytes(exported(lead, project, "consensus", "csv").read_bytes())
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


def by_keys(town: Town, project: str, truth: dict[str, str], count: int) -> None:
    """Rhea reads on the page, one key a case."""
    until(lambda: tasks(town, project), "a case to read")
    page = town.people["Rhea"].read(project)
    for _ in range(count):
        here = page.locator("main.image").get_attribute("data-task")
        (case,) = [one["case"]["id"] for one in tasks(town, project, 2) if one["id"] == here]
        read_on(page, str(1 + CLASSES.index(truth[case])))
        eventually(lambda case=case: case in mine(town, project), "the read is kept")
    page.close()


def by_script(town: Town, project: str, truth: dict[str, str], count: int) -> None:
    """Rhea reads so many cases by the API."""
    while count > 0:
        most = min(count, 3)
        asked = until(partial(tasks, town, project, most), "a case to read")
        for task in asked:
            read(town, task, truth)
        count -= len(asked)


def audited(town: Town, page: Any, project: str, truth: dict[str, str]) -> None:
    """Rhea reads all of the audit, and what the review left to readers beside it."""
    quiet = 0

    def done() -> bool:
        nonlocal quiet
        asked = tasks(town, project, 3)
        quiet = 0 if asked else quiet + 1
        for task in asked:
            read(town, task, truth)
        return quiet > 20 and "The audit is read" in reloaded(page)

    until(done, "the audit")


def read(town: Town, task: Any, truth: dict[str, str]) -> None:
    """Rhea says what a case shows."""
    answer = {"finding": truth[task["case"]["id"]]}
    body = {"read_id": str(uuid4()), "answer": answer, "seconds": 8.0}
    reply = town.people["Rhea"].send("POST", f"/api/tasks/{task['id']}/submit", body)
    assert reply.ok, reply.text()


def reloaded(page: Any) -> str:
    """What the page says now."""
    page.reload()
    text: str = page.locator("main").inner_text()
    return text


def tasks(town: Town, project: str, count: int = 1) -> list[Any]:
    reply = town.people["Rhea"].send("POST", f"/api/projects/{project}/claim", {"count": count})
    found: list[Any] = reply.json()["tasks"]
    return found


def mine(town: Town, project: str) -> set[str]:
    """Cases that Rhea read last."""
    found = town.people["Rhea"].get(f"/api/projects/{project}/reads/mine")
    return {one["case"]["id"] for one in found}


def advice(page: Any) -> bool:
    """The page says to stop, or how far it is."""
    text = reloaded(page).lower()
    return "accuracy on" in text and ("stop" in text or "more" in text)


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
