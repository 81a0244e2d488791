"""Pictures of the quality loop: the gate, disputes, label rules, a changed protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

from screenshot_album import Album
from screenshot_study import GATE, GRADES, NODULE_BOXES, SCALE, SENIOR, chest
from tests.end_to_end.conftest import Town, _command, _town
from tests.end_to_end.test_adjudication import readers_say, with_senior
from tests.end_to_end.test_label_rules import disc, loose_box
from tests.end_to_end.test_onboarding import begin
from tests.end_to_end.test_protocol_change import read_all
from tests.reading_page.hands import drag, eventually, fitted

_BOXES = [tuple(SCALE * one for one in box) for box in NODULE_BOXES[:3]]
_LOOK_SECONDS = 300


def gate(album: Album, browser: Any, folder: Path, images: Path | None) -> None:
    """From the profile over a failed dry run to the first case."""
    folder.mkdir()
    with _town(folder, browser) as town:
        project = town.project(GATE, *[chest(images)] * 6, name="Lung nodules")
        rows = [
            f"{case['id']},Nodule,{','.join(map(str, box))}"
            for case in town.cases(project)[:4]
            for box in _BOXES
        ]
        table = folder / "gold.csv"
        table.write_text("\n".join(["case,label,x1,y1,x2,y2", *rows]), encoding="utf-8")
        _command(town.server.home, "", "gold", project, table)
        page = town.people["Rhea"].page(f"/read/{project}")
        page.set_viewport_size({"width": 1280, "height": 800})
        begin(page)
        _answer(page, _BOXES[:2])
        words = "A case with a known answer: one's own, the right one and the atlas side by side."
        album.take(page, "dry-run", "Dry run", words)
        review = page.locator(".review")
        review.get_by_text("The right answer is wrong").click()
        said = review.get_by_label("Why the right answer is wrong")
        said.fill("The upper one on the right is a vessel seen end on")
        review.get_by_role("button", name="Dispute it").click()
        review.get_by_text("Told. A senior decides.").wait_for()
        page.keyboard.press("Enter")
        page.locator(".progress", has_text="case 2 of 2").wait_for()
        _answer(page, [])
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Not passed yet").wait_for()
        page.get_by_role("button", name="Try again on other cases").click()
        for number in (1, 2):
            page.locator(".progress", has_text=f"case {number} of 2").wait_for()
            _answer(page, _BOXES)
            if number == 1:
                page.keyboard.press("Enter")
        page.get_by_text("You are qualified").wait_for()
        words = "The score with its interval; the certificate is an event of the log."
        album.take(page, "qualified", "Qualified", words)
        page.close()
        for show, name, title, words in (
            ("readers", "onboarding", "Onboarding", "Who may read, and why."),
            ("gold", "gold", "Gold cases", "Their answers, who saw them, when they retire."),
            ("disputes", "disputes", "Disputed gold", "A reader says that the answer is wrong."),
        ):
            page = town.lead.page(f"/projects/{project}/onboarding?show={show}")
            album.take(page, name, title, words)
            page.close()


def _answer(page: Any, boxes: list[Any]) -> None:
    page.get_by_role("group", name="Draw a box round each nodule").wait_for()
    view = fitted(page, 920, 977)
    for number, box in enumerate(boxes, start=1):
        page.keyboard.press("Escape")
        drag(page, view.at(*box[:2]), view.at(*box[2:]))
        page.get_by_text(f"{number} drawn").wait_for()
    page.keyboard.press("Enter")
    page.locator(".review:visible").wait_for()


def disputed(album: Album, browser: Any, folder: Path, images: Path | None) -> None:
    """Readers differ, a senior decides without their names."""
    folder.mkdir()
    with _town(folder, browser) as town:
        draws = [chest(images)] * 4
        project = town.project(SENIOR, *draws, readers=("Rhea", "Otto"), name="Nodules")
        one, two, three = (_said(box) for box in _BOXES)
        first, second = (_said(box, off=5.0) for box in _BOXES[:2])
        calcified = second | {"class": "Calcified nodule"}
        pairs = [([one, two, three], [first, second]), ([one], [first, second]),
                 ([one, two], [first, calcified]), ([one], [first])]  # fmt: skip
        readers_say(town, project, "nodules", pairs)
        with_senior(town, project)
        page = town.people["Lea"].page(f"/projects/{project}/adjudication")
        page.locator("ol.disputed > li").nth(2).wait_for(timeout=1000 * _LOOK_SECONDS)
        words = "What readers differ on, by doubt and clinical weight."
        album.take(page, "adjudication", "Adjudication", words)
        page.get_by_role("link", name="Begin with the first").click()
        page.locator(".layers fieldset").nth(1).wait_for()
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        page.keyboard.type("A rib and a vessel cross here: no nodule.")
        words = "Reads as A and B, in an order drawn by lot: take one, answer anew, or send back."
        album.take(page, "adjudicate", "A blind decision", words)


def _said(box: Any, off: float = 0.0) -> dict[str, Any]:
    corners = {name: at + off for name, at in zip(("x1", "y1", "x2", "y2"), box, strict=True)}
    return {"id": str(uuid4()), "class": "Nodule", "frame": 0, **corners}


def labels(album: Album, browser: Any, folder: Path, images: Path | None) -> None:
    """Rules of labels while one reads and over the whole set; a changed protocol."""
    folder.mkdir()
    with _town(folder, browser) as town:
        _rules(album, town)
        _changed(album, town, images)


def _rules(album: Album, town: Town) -> None:
    project = town.project("fracture-boxes", *[disc] * 6, name="Discs")
    page = town.people["Rhea"].read(project)
    hint = page.locator(".found li .told")
    for done in range(6):
        loose_box(page)
        page.keyboard.press("Enter")
        sent = page.locator(".progress", has_text=f"{done + 1} of 6")
        eventually(lambda s=sent: hint.count() or s.count(), "a hint, or the next case")
        if hint.count():
            break
    if not hint.count():
        raise SystemExit("this machine is too busy: every hint came too late; try again")
    page.set_viewport_size({"width": 1280, "height": 800})
    words = "Before it is sent, in words; `Enter` again sends it as it is."
    album.take(page, "label-hint", "A gentle hint", words)
    page.keyboard.press("Enter")
    eventually(lambda: len(town.reads(project)) == done + 1, "the read is stored")
    rhea = town.people["Rhea"]
    for half in (41.0, 39.5, 40.5, 62.0, 40.0)[done:]:
        task = town.task(project)
        box = _said((200 - half, 160 - half, 200 + half, 160 + half)) | {"class": "Fracture"}
        again = [box | {"id": str(uuid4())}] if half == 40.0 else []
        body = {"read_id": str(uuid4()), "answer": {"fractures": [box, *again]}, "seconds": 9.0}
        if not rhea.send("POST", f"/api/tasks/{task['id']}/submit", body).ok:
            raise SystemExit("a read was refused")
    page = town.lead.page(f"/projects/{project}/label-rules")
    page.get_by_role("button", name="Ask the rules").click()
    page.locator("tr", has_text="loose contour").wait_for(timeout=1000 * _LOOK_SECONDS)
    words = "All labels by all rules: where, whose, and the picture."
    album.take(page, "label-rules", "Label rules", words, high=1000)


def _changed(album: Album, town: Town, images: Path | None) -> None:
    project = town.project(GRADES, *[chest(images)] * 3, readers=("Rhea", "Otto"), name="Chest")
    read_all(town, project)
    page = town.lead.page(f"/projects/{project}/protocol")
    text = page.locator("textarea[name=text]")
    text.fill(text.input_value().replace("Severe]", "Moderate, Grave]"))
    page.get_by_role("button", name="Save as version 2").click()
    page.get_by_text("Not saved yet").wait_for()
    page.get_by_label("Why, and what readers are told").fill("Severe is Moderate or Grave now")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    words = "What differs, which labels it touches, who reads them again: said before it is saved."
    album.take(page, "protocol-change", "A changed protocol", words, high=1000)
    page.get_by_role("button", name="Save as version 2").click()
    page.get_by_text("Saved.").wait_for()
    for who, count in (("Rhea", 1), ("Otto", 2)):
        reading = town.people[who].read(project)
        for _ in range(count):
            reading.get_by_text("Severe is Moderate or Grave now").wait_for()
            if who == "Rhea":
                words = "The old answer where it still holds, and why it comes again."
                album.take(reading, "read-again", "Read again", words)
            reading.get_by_role("button", name="Grave").click()
            with reading.expect_response(lambda reply: reply.url.endswith("/submit")):
                reading.keyboard.press("Enter")
        reading.close()
    page.reload()
    page.get_by_text("100 % of 6 exported labels conform to version 2").wait_for()
    words = "Every exported label conforms to the final version, or is named."
    album.take(page, "protocol-proof", "The proof", words)
