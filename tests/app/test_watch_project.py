"""The seed's story in the store: a reader's boxes shrink, the watch sees it, a lead decides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from overread.app.quality import alarm_board
from overread.app.quality.alarm_board import alarm_page, check_reader
from overread.app.quality.watch_project import ProjectWatch
from overread.app.study.project_readers import set_readers
from overread.store import (
    NewCase,
    Store,
    Submission,
    add_cases,
    add_user,
    ask_check,
    claim,
    create_project,
    decide_alarm,
    get_alarm,
    head,
    list_alarms,
    list_pauses,
    open_store,
    reads_of_project,
    submit_read,
)

TEXT = """title: Fractures
reads_per_case: 3
watch: {on_alarm: pause}
questions:
  - {id: fractures, prompt: Box each fracture, kind: box, classes: [fracture]}
"""
SHRINK = 0.2


class Study:
    """Three readers and a project of cases with one fracture each; A is the first reader."""

    def __init__(self, folder: Path, cases: int, text: str = TEXT, seed: int = 1) -> None:
        self.store: Store = open_store(folder / f"{uuid4()}.db", sync=False)
        self.project = create_project(self.store, "p", text, "system").id
        self.readers = [
            add_user(self.store, f"{k}@example.org", f"R{k}", "reader", "system").id
            for k in range(3)
        ]
        image = {"rows": 400, "columns": 400, "frames": 1, "modality": "CR"}
        new = [NewCase(f"{k:064x}", [f"{k:064x}"], image) for k in range(cases)]
        add_cases(self.store, self.project, new, "system")
        set_readers(self.store, self.project, self.readers, by="system")
        self.random = np.random.default_rng(seed)
        self.centre = self.random.uniform(100, 300, (cases, 2))
        self.size = np.exp(self.random.normal(4, 0.3, (cases, 2)))

    def read(self, count: int, *, shrink: float = 0.0, who: Sequence[int] = (0, 1, 2)) -> int:
        """Let each read so many; A's boxes are smaller by ``shrink`` in each direction."""
        made = 0
        for _ in range(count):
            for k in who:
                tasks = claim(self.store, self.project, self.readers[k])
                if tasks:
                    at = tasks[0].case.number - 1
                    answer = self.box(at, shrink if k == 0 else 0.0)
                    submit_read(self.store, self.submission(tasks[0].id, k, answer))
                    made += 1
        return made

    def box(self, at: int, shrink: float) -> dict[str, object]:
        (x, y), (wide, high) = self.centre[at], self.size[at] * (1 - shrink)
        off = self.random.normal(0, 0.04, 4) * [wide, high, wide, high]
        corners = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]) + off
        x1, y1, x2, y2 = (float(one) for one in np.clip(corners, 0, 400))
        box = {"id": "1", "class": "fracture", "frame": 0}
        return {"fractures": [{**box, "x1": x1, "y1": y1, "x2": x2, "y2": y2}]}

    def submission(self, task: str, who: int, answer: dict[str, object]) -> Submission:
        return Submission(
            read_id=str(uuid4()),
            task=task,
            reader=self.readers[who],
            answer=answer,
            protocol_version=1,
            seconds=8.0,
        )


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path, 260)


def test_a_reader_whose_boxes_shrink_is_paused_shown_checked_and_released(study: Study) -> None:
    store, project, one = study.store, study.project, study.readers[0]
    watch = ProjectWatch(project)
    study.read(60)
    assert watch.catch_up(store) == []
    point = head(store).n
    raised: list[str] = []
    reads = 0
    while not raised and reads < 40:
        study.read(1, shrink=SHRINK)
        reads += 1
        raised = watch.catch_up(store)
    assert 3 <= reads <= 20
    (alarm,) = list_alarms(store, project)
    assert (alarm.id, alarm.reader) == (raised[0], one)
    assert "boxes" in alarm.told["words"]
    assert "smaller" in alarm.told["words"]
    effect = next(row for row in alarm.told["effects"] if row["metric"] == "log_area")
    assert effect["low"] < 2 * np.log(1 - SHRINK) < effect["high"]
    assert alarm.told["worst"]
    # paused, with the reads since the last good point set aside, and their cases queued again
    assert list_pauses(store, project)[one].reason.startswith("Paused: ")
    assert claim(store, project, one) == []
    kept = reads_of_project(store, project, "fractures")
    assert alarm.aside >= reads - 3
    assert alarm.aside + kept.reader.count(one) == 60 + reads
    assert alarm.told["last_good_event"] is not None
    assert abs(alarm.told["last_good_event"] - point) < 60
    # a check on cases that the others read and this reader never had
    study.read(25, who=(1, 2))
    theirs = reads_of_project(store, project, "fractures")
    mine = {case for case, who in zip(theirs.case, theirs.reader, strict=True) if who == one}
    fresh = [case for case in dict.fromkeys(theirs.case) if case not in mine][-20:]
    assert ask_check(store, alarm.id, fresh, "system") == 20
    assert study.read(20, who=(0,)) == 20
    assert claim(store, project, one) == []
    assert watch.catch_up(store) == []
    decide_alarm(store, alarm.id, "released", reason="In line.", suspects="replace", by="system")
    for _ in range(30):
        study.read(1)
        assert watch.catch_up(store) == []
    assert get_alarm(store, alarm.id).state == "released"
    # a server that starts again knows it all again
    again = ProjectWatch(project)
    assert again.catch_up(store) == []
    assert len(list_alarms(store, project)) == 1


def test_a_check_tells_who_is_off_still(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    store, one = study.store, study.readers[0]
    watch = ProjectWatch(study.project)
    study.read(60)
    while not watch.catch_up(store):
        study.read(1, shrink=SHRINK)
    study.read(25, who=(1, 2))
    (alarm,) = list_alarms(store, study.project)
    page = alarm_page(store, alarm.id, watch)
    assert (page.check.cases, page.check.in_line, page.paused) == ((), None, True)
    assert check_reader(store, alarm.id, 12, by="system") == 12
    assert study.read(3, who=(0,), shrink=SHRINK) == 3
    watch.catch_up(store)
    assert alarm_page(store, alarm.id, watch).check.words == "3 of 12 read."
    assert study.read(12, who=(0,), shrink=SHRINK) == 9
    assert claim(store, study.project, one) == []
    watch.catch_up(store)
    page = alarm_page(store, alarm.id, watch)
    assert (page.check.done, page.check.in_line) == (12, False)
    assert page.check.words.startswith("On 12 fresh cases they are still off.")
    around = [-0.02, 0.01, -0.01, 0.03, 0.0, -0.02]
    monkeypatch.setattr(alarm_board, "_levels", lambda *_: iter(around))
    page = alarm_page(store, alarm.id, watch)
    assert page.check.in_line
    assert page.check.words.startswith("On 6 fresh cases they are in line with the others.")


def test_readers_who_do_not_change_are_left_alone(tmp_path: Path) -> None:
    study = Study(tmp_path, 200, seed=3)
    watch = ProjectWatch(study.project)
    for _ in range(20):
        study.read(10)
        assert watch.catch_up(study.store) == []
    assert {len(one.states) for one in watch.questions.values()} == {3}


def test_without_an_overlap_the_watch_says_what_it_waits_for(tmp_path: Path) -> None:
    study = Study(tmp_path, 30, text=TEXT.replace("reads_per_case: 3", "reads_per_case: 1"))
    watch = ProjectWatch(study.project)
    study.read(8)
    assert watch.catch_up(study.store) == []
    assert watch.questions["fractures"].lacking == "No case was read by two readers yet."


def test_what_is_awaited_is_told_as_it_is(tmp_path: Path) -> None:
    study = Study(tmp_path, 90)
    watch = ProjectWatch(study.project)
    study.read(14, who=(0, 1))
    assert watch.catch_up(study.store) == []
    told = watch.questions["fractures"]
    assert told.lacking == ("14 cases have 2 of 3 reads; they are compared when the third is in.")
    study.read(3, who=(2,))
    assert watch.catch_up(study.store) == []
    assert told.lacking == "9 reads can be compared; charts begin at 60."


@pytest.mark.parametrize(("level", "paused"), [("ask", False), ("pause", True)])
def test_a_level_that_was_always_so_is_told_from_a_change(
    tmp_path: Path, level: str, *, paused: bool
) -> None:
    wish = f"{{change: pause, level: {level}}}"
    study = Study(tmp_path, 200, text=TEXT.replace("{on_alarm: pause}", f"{{on_alarm: {wish}}}"))
    watch = ProjectWatch(study.project)
    raised: list[str] = []
    for _ in range(19):
        study.read(10, shrink=0.3)  # from the first read on
        raised += watch.catch_up(study.store)
    (alarm,) = list_alarms(study.store, study.project)
    assert (alarm.reader, alarm.told["chart"]) == (study.readers[0], "level")
    # 0.7 of each side leave 49 % of the area: told by the others, not by what they look like
    # beside this reader (66 % smaller)
    size = next(one for one in alarm.told["effects"] if one["metric"] == "log_area")
    assert size["low"] < np.log(0.49) < size["high"]
    assert abs(size["value"] - np.log(0.49)) < 0.15
    assert bool(list_pauses(study.store, study.project)) is paused


def test_the_points_of_an_alarm_end_at_its_evidence(study: Study) -> None:
    watch = ProjectWatch(study.project)
    study.read(60)
    study.read(25, shrink=SHRINK)
    assert len(watch.catch_up(study.store)) == 1
    (alarm,) = list_alarms(study.store, study.project)
    points = alarm.told["points"]
    assert [one["number"] for one in points] == list(range(len(points)))
    assert max(one["evidence"] for one in points[:-1]) <= 1 < points[-1]["evidence"]
    before = [one["value"] for one in points if one["number"] < alarm.told["since"]]
    after = [one["value"] for one in points if one["number"] >= alarm.told["since"]]
    # size or IoU: which of them reaches its bound first is a matter of the bounds' simulation
    effect = alarm.told["effect"]
    assert effect["metric"] == alarm.told["metric"]
    assert abs(np.mean(before)) < 0.1
    assert effect["low"] < np.mean(after) - np.mean(before) < effect["high"]
    # both sides are 20 % shorter: the area is 36 % smaller
    size = next(one for one in alarm.told["effects"] if one["metric"] == "log_area")
    assert abs(size["value"] - np.log(0.64)) < 0.2


def test_ask_and_warn_pause_nobody(tmp_path: Path) -> None:
    study = Study(tmp_path, 140, text=TEXT.replace("pause", "ask"))
    watch = ProjectWatch(study.project)
    study.read(60)
    study.read(40, shrink=SHRINK)  # the others are not blamed for what they are compared with
    assert len(watch.catch_up(study.store)) == 1
    assert list_pauses(study.store, study.project) == {}
    assert list_alarms(study.store, study.project)[0].aside == 0
    assert claim(study.store, study.project, study.readers[0])


def test_an_alarm_about_who_left_blames_nobody_else(tmp_path: Path) -> None:
    study = Study(tmp_path, 120)
    study.read(60)
    study.read(30, shrink=SHRINK)
    set_readers(study.store, study.project, study.readers[1:], by="system")
    watch = ProjectWatch(study.project)
    assert len(watch.catch_up(study.store)) == 1
    assert [one.reader for one in list_alarms(study.store, study.project)] == study.readers[:1]
    assert list_pauses(study.store, study.project)[study.readers[0]].alarm


def test_a_watch_stays_small_and_sees_as_much(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("watch_memory", "watch_project"):
        monkeypatch.setattr(f"overread.app.quality.{module}.WINDOW", 90)
    store, project = study.store, study.project
    watch = ProjectWatch(project)
    study.read(30, who=(0, 1))  # nobody is third yet: nothing can be compared, and all is let go
    watch.catch_up(store)
    study.read(150)
    watch.catch_up(store)
    (one,) = watch.questions.values()
    assert one.compared == 450  # the cases that were forgotten are looked up when they are read
    assert len(one.order) <= 180
    assert len(one.said) <= 180
    assert list_alarms(store, project) == []
    study.read(20, shrink=SHRINK, who=(0, 1))
    study.read(50, who=(2,))  # the third comes after
    assert len(watch.catch_up(store)) == 1
    again = ProjectWatch(project)  # a server that starts again begins near the end, and is agreed
    assert again.catch_up(store) == []
    assert again.questions["fractures"].compared < 400
    assert set(again.questions["fractures"].states) == set(one.states)
