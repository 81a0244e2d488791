"""A project that learns, through the server: what readers get, and what its lead sees."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from overread.store.learning.asking import waiting
from tests.app.learning.study import NAMES, picture, protocol
from tests.web.conftest import House, bring_in

CASES = 36


def shown(truth: int, seed: int) -> bytes:
    """A picture as a file."""
    import io

    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(picture(truth, seed)).save(made, "PNG")
    return made.getvalue()


def new_project(house: House, text: str) -> None:
    """Go on with another project, read by the same two."""
    lead = house.people["lead"]
    reply = lead.form("/projects/new", name="Learning", text=text)
    assert reply.status_code == 303, reply.text
    house.project = reply.headers["location"].rsplit("/", 1)[-1]
    ids = [house.people[one].id for one in ("reader", "other")]
    lead.form(f"/projects/{house.project}/members", reader=ids)


def until(met: Callable[[], object], seconds: float = 180.0) -> None:
    """Wait for work beside the pages."""
    ends = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < ends, "it does not come"
        time.sleep(0.05)


def page_of(house: House, **query: str) -> str:
    reply = house.people["lead"].get(f"/projects/{house.project}/learning", params=query)
    assert reply.status_code == 200, reply.text
    return str(reply.text)


def truth_of(house: House) -> dict[str, int]:
    """Case -> what it shows: they were brought in in the order of their names."""
    from overread.store.work.plan_view import list_facts

    return {one.id: (one.number - 1) % 3 for one in list_facts(house.store, house.project)}


def test_readers_get_what_the_model_asks_for_and_the_page_tells(house: House) -> None:
    new_project(house, protocol(settings="held_back: 0.3"))
    bring_in(house, 0, **{f"{at:03d}.png": shown(at % 3, at) for at in range(CASES)})
    truth = truth_of(house)
    asked: list[str] = []

    def read() -> int:
        for task in house.tasks("reader", 1):
            said = house.read("reader", task, {"what": NAMES[truth[task["case"]["id"]]]})
            assert said.status_code == 200, said.text
            asked.append(task["case"]["id"])
        return len(asked)

    until(lambda: house.tasks("reader", 1))
    until(lambda: read() >= 20)
    assert len(set(asked)) == len(asked)
    until(lambda: "accuracy on" in page_of(house))
    text = page_of(house)
    assert "How good it gets" in text
    assert "What comes next" in text
    for told in ("When to stop", "Accuracy wanted", "Elbow", "Stabilisation", "Calibration error",
                 "Balanced accuracy", "5 s a read (measured: the median of ",
                 "4 s a review (as the protocol says: 0 of 10 are timed)"):  # fmt: skip
        assert told in text, told
    assert re.search(r'class="decides"><th scope="row">Time <span', text)
    assert re.search(r"\d+ of about \d+|\d+ labels;", " ".join(text.split()))
    until(lambda: "Neighbours look alike" in page_of(house))
    assert "Group 1" in page_of(house)
    assert "Rhea Reader" in page_of(house, by="reader")
    for by in ("label", "uncertainty", "split", "reader"):
        assert page_of(house, by=by).count("<circle") > CASES
    overview = house.people["lead"].get(f"/projects/{house.project}").text
    assert "See the learning" in overview
    # some cases wait, not all 16: the others are asked for when the model wants them
    assert len(waiting(house.store, house.project).untouched) <= 6


def test_a_lead_stops_goes_on_and_settles(house: House) -> None:
    new_project(house, protocol(settings="held_back: 0.3"))
    lead, path = house.people["lead"], f"/projects/{house.project}/learning"
    assert lead.form(path, action="stopped").status_code == 303
    assert "No more cases are asked for." in page_of(house)
    assert lead.form(path, action="on").status_code == 303
    assert "No more cases are asked for." not in page_of(house)
    refused = lead.form(path, action="settings", question="what", target="300")
    assert refused.status_code == 422
    assert "target" in refused.text
    kept = lead.form(path, action="settings", question="what", target="95", held_back="30")
    assert kept.status_code == 303
    assert 'name="target" inputmode="decimal" value="95"' in page_of(house)
    assert lead.form(path, action="nothing").status_code == 422
    for rule in ("elbow", ""):  # a rule that decides, and the usual one again
        assert lead.form(path, action="settings", question="what", rule=rule).status_code == 303
        assert f'<option value="{rule}" selected>' in page_of(house)
    for wrong in ({"rule": "luck"}, {"rule": "target", "target": ""}):
        refused = lead.form(path, action="settings", question="what", **wrong)
        assert refused.status_code == 422
        assert "learning, rule" in refused.text


def test_a_project_begins_to_learn(house: House) -> None:
    new_project(house, protocol().split("learning:", maxsplit=1)[0])
    bring_in(house, 5)
    path = f"/projects/{house.project}/learning"
    assert "Let a model learn while readers read" in page_of(house)
    assert len(house.tasks("reader", 1)) == 1
    reply = house.people["lead"].form(path, action="settings", question="what")
    assert reply.status_code == 303, reply.text
    until(lambda: "5 cases" in page_of(house) and "4 wait for a reader" in page_of(house))
