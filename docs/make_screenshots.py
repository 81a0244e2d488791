"""Make docs/pictures/ and docs/pages.md: every page of a real server, in Chromium.

``python docs/make_screenshots.py`` takes the public sample files of PyPI's ``pydicom-data``
(``pip install pydicom-data --no-deps``), or those of ``--images FOLDER``. It makes a home in a
temporary folder by the commands, starts ``overread serve``, and works on the pages with a real
mouse and keys.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE.parent))

import screenshot_learning as learning_pages  # noqa: E402 - after the path
import screenshot_quality as quality_pages  # noqa: E402 - after the path
from screenshot_album import SIZE, Album, opened_browser  # noqa: E402 - after the path
from screenshot_study import (  # noqa: E402 - after the path
    NODULE_BOXES,
    STUDIES,
    kidney_ring,
    nodule_answer,
    sample_files,
)
from tests.cli.program import overread  # noqa: E402 - after the path
from tests.live.drift import browser_of, drifting_study, lead_at, told  # noqa: E402 - after the path
from tests.live.people import Person, invitation, join, set_up_link  # noqa: E402 - after the path
from tests.live.planned import planned_study  # noqa: E402 - after the path
from tests.live.server import running_server  # noqa: E402 - after the path
from tests.reading_page.hands import drag, eventually, fitted  # noqa: E402 - after the path


def main() -> None:
    """Make the pictures, then the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--images", type=Path, help="folder with the sample files")
    parser.add_argument("--out", type=Path, default=_HERE / "pictures")
    parser.add_argument("--part", action="append", choices=PARTS, help="this part alone")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    album = Album(given.out)
    with tempfile.TemporaryDirectory() as folder, opened_browser() as browser:
        for name in given.part or PARTS:
            PARTS[name](album, browser, Path(folder) / name, given.images)
    album.write(_HERE / "pages.md", whole=not given.part)


def _basics(album: Album, browser: Any, folder: Path, images: Path | None) -> None:
    """Accounts, every tool, the lead's pages."""
    home, projects = _home(folder, images)
    with running_server(home) as server:
        people = _accounts(album, browser, set_up_link(server))
        _readers(people, projects)
        _reading(album, people["Rhea"], projects)
        _others_read(people, projects)
        _leads_pages(album, people["Ada"], projects)
        _ends(album, people, projects)


def _home(folder: Path, images: Path | None) -> tuple[Path, dict[str, str]]:
    home = folder / "home"
    folder.mkdir()
    projects = {}
    for number, one in enumerate(STUDIES):
        pictures, protocol = folder / f"images-{number}", folder / f"{number}.yaml"
        pictures.mkdir()
        for stem in one.files:
            shutil.copy(sample_files(images, stem), pictures)
        protocol.write_text(one.protocol, encoding="utf-8")
        made = overread("init", one.name, "--protocol", protocol, "--home", home, "--json")
        projects[one.name] = made.document["project"]
        done = overread("import", one.name, pictures, "--home", home, "--json")
        if done.code or done.document.get("set aside"):
            raise SystemExit(f"import of {one.name}: {done.out} {done.err}")
    return home, projects


def _accounts(album: Album, browser: Any, link: str) -> dict[str, Person]:
    look = {"viewport": SIZE}
    page = browser.new_context(**look).new_page()
    page.goto(link)
    album.take(page, "set-up", "First start", "The link that `overread serve` prints once.")
    page.context.close()
    people = {"Ada": join(browser, link, "Ada Admin", "ada@example.org", **look)}
    for name, role in (("Lea Lead", "lead"), ("Rhea Reader", "reader"), ("Otto Other", "reader"),
                       ("Ines Third", "reader")):  # fmt: skip
        email = f"{name.split()[0].lower()}@example.org"
        invited = invitation(people["Ada"], email, role)
        people[name.split()[0]] = join(browser, invited, name, email, **look)
    page = browser.new_context(**look).new_page()
    page.goto(people["Ada"].address + "/login")
    album.take(page, "log-in", "Log in", "By password, or by the hospital's sign-on (OIDC).")
    page.context.close()
    return people


def _readers(people: dict[str, Person], projects: dict[str, str]) -> None:
    for project in projects.values():
        page = people["Ada"].page(f"/projects/{project}/members")
        for who in ("Rhea Reader", "Otto Other", "Ines Third"):
            page.get_by_label(who, exact=True).check()
        page.get_by_role("button", name="Save").click()
        page.wait_for_load_state()
        page.close()


def _reading(album: Album, reader: Person, projects: dict[str, str]) -> None:
    page = reader.page("/home")
    album.take(page, "my-reading", "My reading", "What waits for a reader; one key begins.")
    page.close()
    _boxes(album, reader, projects["Lung nodules"])
    _checklist(album, reader, projects["Chest X-ray findings"])
    _outlines(album, reader, projects["Kidneys on MR and CT"])
    _mask(album, reader, projects["Spine, painted"])
    _grades(album, reader, projects["Image quality"])
    _clip(album, reader, projects["Heart, ultrasound clips"])


def _boxes(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    view = fitted(page, 1841, 1955)
    for x1, y1, x2, y2 in NODULE_BOXES[:4]:
        page.keyboard.press("Escape")
        drag(page, view.at(x1, y1), view.at(x2, y2))
    _saved(page)
    album.take(page, "read-boxes", "Boxes", "Draw, drag an edge, `1` `2` for the class.")
    page.keyboard.press("g")
    page.get_by_label("Guideline and atlas").wait_for()
    words = "`G`: how to read, with what to do and what not."
    album.take(page, "guideline", "Guideline and atlas", words)
    page.keyboard.press("g")
    page.keyboard.press("?")
    album.take(page, "keys", "Keys", "`?`: every key, and how to change it.")
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    page.keyboard.press("3")
    _submit(page)


def _checklist(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    for key in "16":
        page.keyboard.press(key)
    _saved(page)
    words = "A digit ticks, `Enter` submits; no tick says *no finding*."
    album.take(page, "read-checklist", "Check list", words)
    _submit(page)


def _outlines(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    rows = columns = 484
    task = reader.send("POST", f"/api/projects/{project}/claim", {"count": 1}).json()["tasks"][0]
    if task["case"]["rows"] != rows:
        page.keyboard.press("Enter")
        page.locator(".progress", has_text="1 of").wait_for()
    view = fitted(page, columns, rows)
    for at in (0, 1):
        for x, y in kidney_ring(at):
            page.mouse.click(*view.at(x, y))
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
    page.keyboard.press("n")
    _saved(page)
    words = "Click corners or draw freehand; every corner can be moved."
    album.take(page, "read-outlines", "Outlines", words)
    page.close()


def _mask(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    view = fitted(page, 512, 512)
    at = view.at
    drag(page, at(175, 180), at(185, 150), at(215, 137), at(255, 150), at(275, 180), at(275, 225))
    drag(page, at(275, 225), at(250, 245), at(195, 245), at(175, 225), at(175, 180))
    page.keyboard.press("f")
    page.mouse.click(*at(225, 190))
    page.keyboard.press("b")
    page.keyboard.press("2")
    drag(page, at(205, 290), at(235, 290), at(235, 300), at(205, 300))
    _saved(page)
    words = "Brush, eraser, fill; `[` and `]` for the size, any number of steps back."
    album.take(page, "read-mask", "Masks", words)
    page.close()


def _grades(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    for done in range(1, 6):
        page.keyboard.press("123"[done % 3])
        page.locator(".progress", has_text=f"{done} of").wait_for()
        answered = page.locator(".class[aria-pressed=true]")
        eventually(lambda a=answered: a.count() == 0, "the next case")
    _saved(page)
    words = "One key a case: the next one is there at once."
    album.take(page, "read-grade", "Grades", words)
    page.keyboard.press("w")
    page.keyboard.press("i")
    page.keyboard.press("r")
    words = "Window, zoom, turn, invert: the label stays where the pixels are."
    album.take(page, "read-view", "The view", words)
    page.close()


def _clip(album: Album, reader: Person, project: str) -> None:
    page = reader.read(project)
    page.keyboard.press("c")
    place = page.locator(".place")
    eventually(lambda: int(place.inner_text().split(" ")[0]) > 9, "it plays")
    album.take(page, "read-clip", "Classes, on a clip", "`C` plays; frames by arrow or wheel.")
    page.keyboard.press("c")
    page.keyboard.press("1")
    page.locator(".end h1", has_text="All done").wait_for()
    album.take(page, "end", "The end", "Nothing more to do.")
    page.close()


def _others_read(people: dict[str, Person], projects: dict[str, str]) -> None:
    for seed, name in enumerate(("Otto", "Ines")):
        reader = people[name]
        _send(reader, projects["Lung nodules"], lambda _: nodule_answer(seed + 1))  # noqa: B023
        ticks = ["Pleural effusion", "Nodule or mass"][seed:]
        _send(reader, projects["Chest X-ray findings"], lambda _: {"findings": ticks})  # noqa: B023
        grades = ["Poor", "Fair", "Good"]
        for at in range(4 + 2 * seed):
            grade = grades[(at + seed) % 3]
            _send(reader, projects["Image quality"], lambda _: {"quality": grade})  # noqa: B023


def _send(reader: Person, project: str, answer: Any) -> None:
    reply = reader.send("POST", f"/api/projects/{project}/claim", {"count": 1}).json()
    for task in reply["tasks"][:1]:
        body = {"read_id": str(uuid4()), "answer": answer(task), "seconds": 21.0}
        sent = reader.send("POST", f"/api/tasks/{task['id']}/submit", body)
        if not sent.ok:
            raise SystemExit(f"a read was refused: {sent.text()}")


def _leads_pages(album: Album, lead: Person, projects: dict[str, str]) -> None:
    nodules, quality = projects["Lung nodules"], projects["Image quality"]
    (case,) = lead.get(f"/api/projects/{nodules}/cases")["cases"]
    pages = (
        ("/projects", "projects", "Projects", "Every study and how far it is."),
        ("/projects/new", "new-project", "New project", "From a template; every line can change."),
        (f"/projects/{quality}", "overview", "Overview", "How far, how fast, what is next."),
        (f"/projects/{quality}/cases", "cases", "Cases", "Every case with its reads."),
        (f"/cases/{case['id']}", "case", "A case", "Readers in colours, consensus in white."),
        (f"/projects/{quality}/protocol", "protocol", "Protocol", "Checked line by line."),
        (f"/projects/{quality}/import", "import", "Import", "Files, or a whole folder."),
        (f"/projects/{nodules}/atlas", "atlas", "Atlas", "What to do and what not, in pictures."),
        (f"/projects/{quality}/work", "work", "Work", "Who has which case in hand."),
        (f"/projects/{quality}/members", "readers", "Readers", "Who reads what."),
        (f"/projects/{quality}/disagreement", "disagreement", "Disagreement", "What causes it."),
        (f"/projects/{quality}/effort", "effort", "Effort", "Spent, left, when it ends."),
        ("/account", "account", "Account", "One's own password and sessions."),
        ("/people", "people", "People", "Accounts and invitations."),
        (f"/projects/{quality}/export", "export", "Export", "Raw reads and consensus."),
    )  # fmt: skip
    for path, name, title, words in pages:
        page = lead.page(path)
        if name == "case":
            page.locator("fieldset", has_text="Consensus").wait_for()
        album.take(page, name, title, words)
        page.close()
    page = lead.page(f"/projects/{quality}/truthing")
    page.get_by_role("button", name="Make the report").click()
    page.locator("iframe.report").wait_for(timeout=600_000)
    words = "How truth was made; kept, dated with the head of the log, checked by one line."
    album.take(page, "truthing", "Truthing report", words)
    page.close()


def _ends(album: Album, people: dict[str, Person], projects: dict[str, str]) -> None:
    page = people["Lea"].page("/projects")
    album.take(page, "empty", "No project yet", "A page without content says what comes next.")
    page.close()
    page = people["Lea"].page("/projects/new?template=knee-grade")
    page.get_by_label("Name").fill("Knees")
    page.get_by_role("button", name="YAML").click()
    page.locator("#text").wait_for()
    album.take(page, "protocol-text", "A protocol as text", "YAML, for what the choices lack.")
    text = page.locator("#text")
    text.fill(text.input_value().replace("kind: ordinal", "kind: ordinary"))
    page.get_by_role("button", name="Check only").click()
    page.get_by_role("alert").wait_for()
    album.take(page, "fault", "A fault in a protocol", "Named with its line; nothing is lost.")
    page.close()
    page = people["Rhea"].page(f"/projects/{projects['Image quality']}")
    album.take(page, "not-found", "Not for readers", "What is not a reader's own is not there.")
    page.close()
    page = people["Ines"].read(projects["Image quality"])
    page.context.request.post(
        people["Ines"].address + "/logout", form={"csrf": _csrf(people["Ines"])}
    )
    page.keyboard.press("2")
    page.get_by_role("form", name="Log in").wait_for()
    words = "A session that ends in the middle loses nothing: reading goes on."
    album.take(page, "session", "Log in again", words)
    page.close()


def _planned(album: Album, browser: Any, home: Path, _images: Path | None) -> None:
    """Four programs read a plan, each at their own pace."""
    with planned_study(home) as (running, project):
        page = lead_at(browser, running, project, viewport=SIZE)
        page.goto(page.url.replace("/quality", "/plan"))
        words = "Readers and sub-batches, as bright as they are read; the bars are the overlap."
        album.take(page, "plan", "Plan", words)
        page.goto(page.url.replace("/plan", "/work?show=repeats"))
        words = "Cases that come again unannounced: does a reader say the same twice?"
        album.take(page, "repeats", "Hidden repeats", words)
        page.context.close()


def _watched(album: Album, browser: Any, home: Path, _images: Path | None) -> None:
    """Three programs read; the boxes of one shrink by 20 %."""
    with drifting_study(home) as (running, readers):
        readers.read(45)
        page = lead_at(browser, running, readers.project, viewport=SIZE)
        while readers.read(1, shrink=0.2) == 3:
            pass
        eventually(lambda: "1 alarm waits" in told(page), "the page tells of it")
        page.get_by_text("reader by reader").wait_for(timeout=300_000)  # the page is live
        words = "Each reader against the others: charts with one false-alarm rate for all."
        album.take(page, "quality", "Quality", words)
        page.get_by_text("reader by reader").scroll_into_view_if_needed()
        album.take(page, "pairs", "Reader by reader", "Agreement of every two, with its interval.")
        page.locator("section[aria-label='Reader 0'] h2 a").click()
        words = "Every chart of a reader by sub-batch, their agreement, what was done when."
        album.take(page, "reader", "A reader", words)
        page.go_back()
        page.get_by_role("link", name="Look at it").first.click()
        eventually(lambda: page.locator(".worst svg rect").count() > 3, "boxes side by side")
        words = "What changed, since when, and the cases where it is largest."
        album.take(page, "alarm", "An alarm", words)
        page.context.close()
        path = f"/projects/{readers.project}/feedback"
        page = browser_of(browser, running, "reader0@example.org", path, viewport=SIZE)
        eventually(lambda: page.locator(".again svg rect").count() > 3, "boxes side by side")
        words = "The paused reader's own page: their answer beside the others together, nameless."
        album.take(page, "feedback", "Looking again", words)
        page.context.close()


def _csrf(person: Person) -> str:
    return str(person.get("/api/me")["csrf"])


def _saved(page: Any) -> None:
    page.get_by_text("Saved", exact=True).wait_for()
    page.mouse.move(640, 4)


def _submit(page: Any) -> None:
    page.keyboard.press("Enter")
    page.locator(".end h1", has_text="All done").wait_for()
    page.close()


PARTS = {
    "basics": _basics,
    "planned": _planned,
    "watched": _watched,
    "gate": quality_pages.gate,
    "disputed": quality_pages.disputed,
    "labels": quality_pages.labels,
    "learned": learning_pages.learned,
}


if __name__ == "__main__":
    main()
