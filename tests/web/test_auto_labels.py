"""Auto-labels by page and by program: film strip, blind audit, certificate; and who may."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.app.learning.freeze_labels import TARGETS, Proposals, auto_label
from overread.app.learning.signing import check_signature
from overread.app.learning.verify_certificate import verified_certificate
from overread.store.learning.auto_labels import labels_of_run
from overread.web import auto_labels
from overread.web.jobs import Job
from overread.web.offered import Told
from tests.web.conftest import House, open_house

CLASSES = ("clear", "opaque", "other")
PROTOCOL = """title: Opaque or not
reads_per_case: 1
questions:
  - {id: lung, prompt: "Is it opaque?", kind: nominal, classes: [clear, opaque, other]}
"""
CASES = 24


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[House]:
    made = open_house(tmp_path, protocol=PROTOCOL, cases=CASES)
    yield made
    made.store.close()


def said_of_all(house: House) -> Proposals:
    """What a model that is right says of every case."""
    cases = house.people["lead"].get(f"/api/projects/{house.project}/cases?limit=100").json()
    ids = [one["id"] for one in cases["cases"]]
    table = np.full((len(ids), 3), 0.01)
    for at in range(len(ids)):
        table[at, at % 2] = 0.98 - 0.001 * at
    known = np.linspace(0.5, 0.99, 100)
    return Proposals("lung", CLASSES, ids, table / table.sum(axis=1, keepdims=True), "a model",
                     known, np.ones(100, dtype=bool))  # fmt: skip


def frozen(house: House, target: float = 0.2) -> str:
    """A run by a model that is right of all cases that nobody read; its id."""
    given = said_of_all(house)
    return auto_label(house.store, house.project, given, target=target, by=house.people["lead"].id)


def read_all(house: House, run: str, *, wrong: int = 0) -> int:
    """Readers read what is asked for, as the model has it but for some; how many."""
    labels = {one.case: one.label for one in labels_of_run(house.store, run)}
    done = 0
    for who in ("reader", "other"):
        while tasks := house.tasks(who):
            said = labels[tasks[0]["case"]["id"]]
            said = "other" if done < wrong else said
            reply = house.read(who, tasks[0], {"lung": said})
            assert reply.status_code == 200, reply.text
            assert "auto" not in json.dumps(tasks[0])  # nothing tells what the case is for
            done += 1
    return done


def test_from_labels_to_certificate_by_page(  # noqa: PLR0915 - one story
    clinic: House, tmp_path: Path
) -> None:
    house, lead = clinic, clinic.people["lead"]
    path, api = f"/projects/{house.project}/auto-labels", f"/api/projects/{house.project}"
    assert "Let the model label the rest" in lead.get(path).text
    assert lead.get(f"/projects/{house.project}/review").status_code == 404
    run = frozen(house)
    shown = lead.get(path).text
    assert "24 labels stand" in shown
    rows = re.findall(
        r"<tr>(.*?)</tr>", shown.split("How sure a label must be")[1].split("</table>")[0]
    )
    told = [re.sub(r"<[^>]+>", " ", row).replace("&nbsp;", " ").split() for row in rows[1:]]
    # the least sure label of each class that was taken, of all that the model said
    assert [row[:2] for row in told] == [["clear", "12"], ["opaque", "12"], ["other", "0"]]
    assert [row[2:5] for row in told[:2]] == [["98", "%", "sure"]] * 2
    assert [row[5:] for row in told[:2]] == [["12", "0.99", "%"]] * 2
    assert " ".join(told[2][2:-1]) == "none is sure enough 0"
    strip = lead.get(f"{api}/auto-labels/strip?label=0").json()
    assert (strip["label"], strip["left"], strip["frozen"]) == ("clear", 12, False)
    doubt = [one["probability"] for one in strip["frames"]]
    assert doubt == sorted(doubt)
    first, second = (one["case"] for one in strip["frames"][:2])
    words = [{"case": first, "label": "clear"}, {"case": second, "label": "opaque"}]
    body = {"run": run, "words": words, "seconds": 4.5}
    assert lead.post(f"{api}/auto-labels/review", body).json() == {"changed": 2}
    undone = {"run": run, "words": [{"case": second, "label": None}], "seconds": 1}
    assert lead.post(f"{api}/auto-labels/review", undone).json() == {"changed": 1}
    rest = {"run": run, "label": "clear", "count": 12}
    reply = lead.post(f"{api}/auto-labels/accept-rest", rest)
    assert reply.status_code == 409
    assert "11 by now" in reply.text
    assert lead.post(f"{api}/auto-labels/accept-rest", rest | {"count": 11}).json() == {
        "changed": 11
    }
    assert "by Lea Lead" in lead.get(path).text
    # what readers may not
    reader = house.people["reader"]
    for end in ("strip", "review", "accept-rest"):
        call = reader.get if end == "strip" else lambda url: reader.post(url, rest)
        assert call(f"{api}/auto-labels/{end}").status_code in {404, 422}
    assert reader.get(f"/projects/{house.project}/review").status_code == 404
    assert reader.get(path).status_code == 403
    # the audit
    planned = re.findall(r'name="cases" value="(\d+)"', lead.get(path).text)
    assert planned == sorted(planned, key=int)
    begun = lead.form(path, do="audit", run=run, cases=planned[0], mode="one look")
    assert begun.status_code == 303, begun.text
    assert "The audit is being read" in lead.get(path).text
    frozen_now = lead.post(f"{api}/auto-labels/review", body)
    assert frozen_now.status_code == 409
    audit = re.search(r'name="audit" value="([^"]+)"', lead.get(path).text)
    assert audit
    early = lead.form(path, do="decide", audit=audit[1])
    assert early.status_code == 422
    assert "planned end" in early.text
    assert read_all(house, run) == int(planned[0])
    assert "decide on it" in lead.get(path).text
    reply = lead.form(path, do="decide", audit=audit[1])
    assert reply.headers["location"].endswith("?said=certified")
    shown = lead.get(path).text
    assert "Certified." in shown
    (paper,) = lead.get(f"{api}/certificates").json()["certificates"]
    got = lead.get(f"{api}/certificates/{paper['id']}")
    assert check_signature(got.json()) == lead.get(f"{api}/certificates").json()["fingerprint"]
    kept = tmp_path / "certificate.json"
    kept.write_bytes(got.content)
    assert verified_certificate(kept)["sound"]
    page = lead.get(f"/projects/{house.project}/certificates/{paper['id']}").text
    for words_of in (
        "What this means",
        "What it does not say",
        "Drawn by lot",
        paper["words"][:30],
    ):
        assert words_of in page
    assert reader.get(f"{api}/certificates/{paper['id']}").status_code == 403
    shown = lead.get(f"/projects/{house.project}/effort").text
    for _ in range(100):
        if "With auto-labels" in shown:
            break
        time.sleep(0.1)
        shown = lead.get(f"/projects/{house.project}/effort").text
    assert "read blind for the audit" in shown
    # a newer run takes its place, and the page says so
    again = frozen_again(house)
    assert (
        "took the place" in lead.get(f"/projects/{house.project}/certificates/{paper['id']}").text
    )
    # and an audit that finds too much is refused in words
    begun = lead.form(path, do="audit", run=again, cases="5", mode="many looks")
    assert begun.status_code == 303, begun.text
    read_all(house, again, wrong=5)
    audit = re.search(r'name="audit" value="([^"]+)"', lead.get(path).text)
    assert audit
    assert lead.form(path, do="decide", audit=audit[1]).headers["location"].endswith("refused")
    more = lead.form(path, do="prolong", audit=audit[1], cases="2")
    assert more.status_code == 303
    assert lead.form(path, do="give-up", audit=audit[1]).status_code == 303
    assert "Given up" in lead.get(path).text


def frozen_again(house: House) -> str:
    from overread.store.learning.auto_labels import read_cases

    read = read_cases(house.store, house.project)
    assert read
    return frozen(house)


def shown_with(who: Any, path: str, words: str) -> str:
    """The page, once it says so."""
    for _ in range(400):
        shown: str = who.get(path).text
        if words in shown:
            return shown
        time.sleep(0.1)
    pytest.fail(f"{path} never said {words}")


def test_asking_the_model_can_be_stopped(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/auto-labels"
    lead.form(path, do="work-out")
    assert lead.form(path, do="stop").status_code == 303
    assert "could not label" not in shown_with(lead, path, "Stopped. What stood before stands")
    assert lead.form(path, do="stop").status_code == 303  # nothing is under way: nothing happens


class Steps:
    """The child's work done in the thread of its job, halted before each thing it counts."""

    def __init__(self) -> None:
        self.halted, self.on = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, store: Any, job: Job, work: Any, *given: Any) -> Any:
        def tick(name: str, more: int) -> None:
            self.halted.release()
            assert self.on.acquire(timeout=30)
            job.counts[name] = job.counts.get(name, 0) + more

        return work(store, *given, tick)

    def wait(self) -> None:
        """Until the next count stands before the work."""
        assert self.halted.acquire(timeout=30)

    def go(self) -> None:
        """Count it."""
        self.on.release()


def test_asking_the_model_counts_its_steps(clinic: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house, lead, steps = clinic, clinic.people["lead"], Steps()
    path, given = f"/projects/{house.project}/auto-labels", said_of_all(house)
    monkeypatch.setattr(auto_labels, "in_child", steps)
    monkeypatch.setattr(auto_labels, "proposals", lambda *_: given)
    assert lead.form(path, do="work-out").status_code == 303
    shown = []
    for _ in range(1 + 1 + len(TARGETS)):  # how many there are, the model, each target
        steps.wait()
        page = lead.get(path).text
        assert "The model is being asked." in page
        assert 'value="stop"' in page
        said = re.search(r'<p role="status">(.*?)</p>', page)
        bar = re.search(r'<progress .* value="(\d)" max="(\d)"></progress>', page)
        assert said
        shown.append((said[1], bar and bar.groups()))
        steps.go()
    learns = "It learns the labels thoroughly and looks at every case that nobody read."
    each = "It works out what each limit of error would come to: {} of 4 done."
    assert shown == [
        ("It begins.", None),
        (learns, ("0", "5")),
        *((each.format(at), (str(at + 1), "5")) for at in range(len(TARGETS))),
    ]
    page = shown_with(lead, path, "Which error may the labels have?")
    assert "being asked" not in page


def test_a_freeze_is_told_and_comes_to_its_end(
    clinic: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, lead = clinic, clinic.people["lead"]
    path, told = f"/projects/{house.project}/auto-labels", Told(said_of_all(house), ())
    begun, on = threading.Event(), threading.Event()

    def waits(*given: Any, **more: Any) -> str:
        begun.set()
        assert on.wait(30)
        return auto_label(*given, **more)

    monkeypatch.setattr(auto_labels, "in_child", lambda *_: told)
    monkeypatch.setattr(auto_labels, "auto_label", waits)
    assert lead.form(path, do="freeze", target="20").status_code == 303
    assert begun.wait(30)
    assert lead.form(path, do="stop").status_code == 303  # from a page that is older
    page = lead.get(path).text
    assert "The labels are being frozen." in page
    assert "Stopping" not in page
    assert 'value="stop"' not in page
    on.set()
    assert "Stopped" not in shown_with(lead, path, "24 labels stand")


def test_a_model_that_cannot_label_says_why(house: House) -> None:
    lead, path = house.people["lead"], f"/projects/{house.project}/auto-labels"
    assert lead.form(path, do="work-out").status_code == 303
    assert "no learning block" in shown_with(lead, path, "could not label")
    for fields in ({"do": "freeze", "target": "x"}, {"do": "other"}, {"do": "audit", "cases": "0"}):
        assert lead.form(path, **fields).status_code == 422
