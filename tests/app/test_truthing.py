"""A truthing report: what it says follows from the store; the log is checked against a head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from overread.app.quality.reader_board import reader_page
from overread.app.quality.truthing_report import truthing
from overread.app.quality.truthing_sheet import sheet
from overread.app.study.verify_log import verified
from overread.errors import InputError
from overread.report import html
from overread.report.document import compiled
from overread.store import (
    Store,
    Submission,
    add_protocol_version,
    case_names,
    decide_alarm,
    give_feedback,
    head,
    pause_reader,
    raise_alarm,
    reads_of_reader,
    release_reader,
    see_feedback,
    set_profile,
    submit_read,
)
from tests.app.test_project_model import TEXT, study


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str, list[str]]:
    """Twelve cases read by three; a correction, an alarm that was decided, a new version."""
    store, project, people = study(tmp_path_factory.mktemp("study"), 12)
    profile = {"profession": "radiologist", "years": 7.0}
    set_profile(store, people[0], profile, people[0])
    point = head(store).n
    alarm = raise_alarm(store, project, people[2], {"words": "answers by chance"}, pause="Stop.")
    assert alarm is not None
    cases = [one.case for one in reads_of_reader(store, project, people[2])[:2]]
    assert give_feedback(store, alarm, cases, "system") == 2
    see_feedback(store, alarm, cases[0], people[2])
    done = {"suspects": "replace", "found": "On 20 fresh cases they are still off."}
    decide_alarm(store, alarm, "retired", reason="Guesses.", by="system", **done)
    pause_reader(store, project, people[1], "On call this week.", "system")
    release_reader(store, project, people[1], "Back from call.", "system")
    add_protocol_version(
        store, project, TEXT.replace("Two things", "Three"), "system", base_version=1
    )
    assert head(store).n > point
    return store, project, people


@pytest.fixture(scope="module")
def gathered(told: tuple[Store, str, list[str]]) -> dict[str, Any]:
    return truthing(told[0], told[1], date="2026-11-21")


def test_it_tells_who_read_what_and_what_was_done(
    told: tuple[Store, str, list[str]], gathered: dict[str, Any]
) -> None:
    store, found = told[0], gathered
    assert found["flow"]["cases"] == found["flow"]["read"] == 12
    assert found["flow"]["cases_by_readers"] == {"3": 12}
    assert found["flow"]["reads"] == 36
    assert [one["reader"] for one in found["readers"]] == ["R1", "R2", "R3"]
    assert found["readers"][0]["profile"] == {"profession": "radiologist", "years": 7.0}
    assert [one["reads"] for one in found["readers"]] == [12, 12, 12]
    assert found["readers"][2]["alarms"] == 1
    (alarm,) = found["alarms"]
    assert (alarm["reader"], alarm["state"], alarm["why"]) == ("R3", "retired", "Guesses.")
    assert [one["version"] for one in found["protocol"]["versions"]] == [1, 2]
    assert found["log"] == {"events": head(store).n, "head": head(store).hash}
    kinds = {one["question"]: one for one in found["agreement"]}
    assert kinds["grade"]["cases"] == 12
    values = [one["value"] for one in kinds["grade"]["overall"]]
    assert any(value is not None and -1 <= value <= 1 for value in values)
    json.dumps(found, allow_nan=False)


def test_what_readers_were_shown_again_and_pauses_by_hand_are_told(
    told: tuple[Store, str, list[str]], gathered: dict[str, Any]
) -> None:
    store, project, people = told
    (alarm,) = gathered["alarms"]
    assert alarm["check"] == "On 20 fresh cases they are still off."
    assert [bool(one["seen"]) for one in alarm["looked_again"]] == [True, False]
    had = [one.case for one in reads_of_reader(store, project, people[2])]
    names = set(case_names(store, had).values())
    assert {one["case"] for one in alarm["looked_again"]} <= names
    (pause,) = gathered["pauses"]
    assert (pause["reader"], pause["why"], pause["why_released"]) == (
        "R2",
        "On call this week.",
        "Back from call.",
    )
    page = html(sheet(gathered))
    for words in ("shown again", "not yet", "still off", "On call this week.", "Back from call."):
        assert words in page
    done = [one.words for one in reader_page(store, project, people[1], None).done]
    assert done == ["Let go on: Back from call.", "Paused by hand: On call this week."]


def test_names_are_told_only_when_asked_for(
    told: tuple[Store, str, list[str]], gathered: dict[str, Any]
) -> None:
    store, project, people = told
    without = json.dumps(gathered)
    assert "example.org" not in without
    assert not any(one in without for one in people)
    named = truthing(store, project, date="2026-11-21", named=True)
    assert [one["reader"] for one in named["readers"]] == ["R0", "R1", "R2"]


def test_corrections_keep_the_first_answer_in_the_count(tmp_path: Path) -> None:
    store, project, people = study(tmp_path, 10)
    row = reads_of_reader(store, project, people[0])[0].task
    submit_read(
        store,
        Submission(
            read_id=str(uuid4()),
            task=row,
            reader=people[0],
            answer={"grade": "none", "spots": []},
            protocol_version=1,
            base_revision=1,
        ),
    )
    found = truthing(store, project, date="2026-11-21")
    assert found["corrections"]["count"] == 1
    assert found["corrections"]["first"][0]["reader"] == "R1"
    assert found["flow"]["reads"] == 30
    assert found["flow"]["submissions"] == 31


def test_page_and_document_are_drawn(
    told: tuple[Store, str, list[str]], gathered: dict[str, Any]
) -> None:
    store, drawn = told[0], sheet(gathered)
    page = html(drawn)
    for words in ("How truth was made: p", "answers by chance", "Crosswalk", head(store).hash):
        assert words in page
    assert "<script" not in page
    assert compiled(drawn)[:5] == b"%PDF-"


def test_the_log_is_checked_against_a_head_that_was_kept(
    told: tuple[Store, str, list[str]],
) -> None:
    store, _, _ = told
    now = head(store)
    assert verified(store, f"{now.n}:{now.hash}")["sound"]
    assert verified(store)["sound"]
    cut = verified(store, f"{now.n + 1}:{'0' * 64}")
    assert not cut["sound"]
    other = verified(store, f"{now.n}:{'0' * 64}")
    assert not other["sound"]
    assert "NOT sound" in other["words"]
    with pytest.raises(InputError, match="EVENTS:HASH"):
        verified(store, "twelve")
