"""Agreement, consensus, reports and the rest on every label kind, in every state of the reads."""

from __future__ import annotations

import itertools
import json

import numpy as np
import polars as pl
import pytest

from overread.app.analysis import write_report as write_report_module
from overread.app.analysis.compare_methods import compare
from overread.app.analysis.label_sets import label_sets_of
from overread.app.analysis.measure_agreement import measure_agreement
from overread.app.analysis.rank_next_reads import rank_next_reads
from overread.app.analysis.reach_consensus import reach_consensus
from overread.app.analysis.save_consensus import consensus_rows, refuse_form, save_consensus
from overread.app.analysis.truth import NumberScore
from overread.app.analysis.write_report import ReportRequest, fill_report, write_report
from overread.errors import InputError
from overread.exchange import as_document
from overread.labels import Kind, MultiLabelReads, class_reads
from overread.report import html
from tests.app.small_reads import READS
from tests.app.states import STATES, state, unreadable

EVERY = list(itertools.product(Kind, STATES))
RANKED = (Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL)
COMPARED = (Kind.NOMINAL, Kind.ORDINAL, Kind.SCORE)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_agreement_is_a_figure_or_words(kind, name):
    reads = state(kind, name)
    told = []
    study = measure_agreement(reads, draws=100, progress=lambda *step: told.append(step))
    figures = study.figures
    assert figures.overall
    for one in itertools.chain(figures.overall, figures.by_class, figures.against_rest,
                               figures.within):  # fmt: skip
        assert np.isfinite(one.value) or one.undefined, one.key
        assert one.words or one.undefined
    if name in ("no_overlap", "one_reader", "one_read"):
        assert all(one.undefined for one in figures.overall)
    if name == "repeats" and kind is not Kind.MULTILABEL:
        assert figures.within
    assert all(done <= total for done, total in told)
    json.dumps(as_document(study), allow_nan=False)


@pytest.mark.parametrize(("kind", "name"), EVERY)
def test_consensus_has_an_answer_or_says_why(kind, name, tmp_path):
    reads = state(kind, name)
    reached = reach_consensus(reads)
    rows = consensus_rows(reached, probabilities=True)
    assert set(rows["case"].to_list()) <= set(reads.index.cases.tolist())
    path = tmp_path / "consensus.parquet"
    save_consensus(reached, reads, path, probabilities=True)
    assert pl.read_parquet(path).equals(rows)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("name", ["one_reader", "repeats", "one_case"])
def test_a_report_of_every_state(kind, name, monkeypatch):
    reads = state(kind, name)
    if (kind, name) != (Kind.NOMINAL, "one_reader"):  # comparing fits every method six times
        monkeypatch.setattr(write_report_module, "_MOST_COMPARED", 0)
    request = ReportRequest("A title", "reads.csv", "2026-01-01", draws=100)
    steps = []
    content = fill_report(reads, request, progress=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    head = content.head
    assert head.n_reads == reads.index.n_reads
    assert bool(head.n_repeats) == (name == "repeats")
    assert head.n_unreadable == 0
    assert np.nansum(content.reads_per_reader) == reads.index.n_reads
    if name in ("one_reader", "one_case"):  # drawing is slow, and the others look as usual
        assert "A title" in html(content)


@pytest.mark.parametrize("kind", Kind)
def test_an_unreadable_vote_says_so_in_a_report(kind, monkeypatch):
    reads = state(kind, "some_unreadable")
    monkeypatch.setattr(write_report_module, "_MOST_COMPARED", 0)
    content = fill_report(reads, ReportRequest("t", "s", "d", draws=100))
    assert content.head.n_unreadable > 0
    assert html(content)
    rows = {(reads.index.cases[c], int(r)) for c, r in
            zip(reads.index.case, reads.index.reader, strict=True) if r == 2 and c % 2}  # fmt: skip
    said = {(view.name, vote.reader): vote.said
            for view in content.cases.disputed for vote in view.votes}  # fmt: skip
    shown = rows & set(said)
    assert {said[key] for key in shown} == {"cannot be read"}
    assert all(words != "cannot be read" for key, words in said.items() if key not in rows)


@pytest.mark.parametrize("kind", RANKED)
@pytest.mark.parametrize("name", ["no_overlap", "some_unreadable"])
def test_next_reads(kind, name):
    reads = state(kind, name)
    rows = rank_next_reads(reads, top=5)
    assert rows.height == 5
    assert rows["gain"].to_list() == sorted(rows["gain"], reverse=True)
    assert rows["per_second"].to_list() == [None] * 5
    whose = rank_next_reads(reads, readers="any", top=500)
    read = set(zip(reads.index.cases[reads.index.case].tolist(),
                   (reads.index.readers[r] for r in reads.index.reader), strict=True))  # fmt: skip
    assert not read & set(zip(whose["case"], whose["reader"], strict=True))
    with pytest.raises(InputError, match="readers must"):
        rank_next_reads(reads, readers="nobody")


def test_next_reads_of_kinds_without():
    for kind in set(Kind) - set(RANKED):
        with pytest.raises(InputError, match="kind must be nominal"):
            rank_next_reads(READS[kind]())


@pytest.mark.parametrize("kind", COMPARED)
def test_methods_side_by_side(kind):
    reads = READS[kind]()
    clock = iter(range(1000))
    what = "value" if kind is Kind.SCORE else "label"
    right = 50 if kind is Kind.SCORE else reads.schema.names[0]
    truth = {"case": reads.index.cases.tolist(), what: [right] * reads.index.n_cases}
    told = []
    found = compare(reads, truth=truth, clock=lambda: float(next(clock)),
                    progress=lambda *step: told.append(step))  # fmt: skip
    assert told[-1] == (len(found.entries) + 1,) * 2
    for entry in found.entries:
        assert (entry.seconds, entry.note) == (1.0, "")
        assert entry.score.n_cases == reads.index.n_cases
        assert isinstance(entry.score, NumberScore) == (kind is Kind.SCORE)
        assert (entry.held_out is None) == (kind is Kind.SCORE)
    assert (found.recommendation is None) == (kind is Kind.SCORE)


def test_a_method_without_an_answer_is_a_note_beside_the_others():
    reads = unreadable(READS[Kind.SCORE](), np.ones(36, dtype=bool))
    [entry] = compare(reads).entries
    assert "no read that answers" in entry.note
    assert entry.result is None
    reads = unreadable(READS[Kind.SCORE](), READS[Kind.SCORE]().index.case == 0)
    truth = {"case": ["case 1"], "value": [3]}
    [entry] = compare(reads, truth=truth).entries
    assert "nothing to score" in entry.note


def test_reads_of_one_reader_cannot_be_held_out():
    found = compare(state(Kind.NOMINAL, "one_reader"))
    assert found.recommendation is None
    assert all(entry.held_out is None for entry in found.entries)


def test_questions_of_a_set_table():
    reads = READS[Kind.MULTILABEL]()
    questions = reads.as_questions()
    assert questions.index.n_cases == reads.index.n_cases * 2
    assert questions.label.tolist() == reads.present.reshape(-1).tolist()
    assert questions.index.group.tolist() == np.repeat(np.arange(12), 2).tolist()
    from dataclasses import replace

    patient = np.arange(12) // 3
    index = replace(reads.index, group=patient, groups=np.array(list("abcd"), dtype=object))
    grouped = replace(reads, index=index).as_questions().index
    assert grouped.group.tolist() == np.repeat(patient, 2).tolist()


def test_subgroups_of_every_kind():
    for kind in Kind:
        reads = READS[kind]()
        keys = ["percent"] if kind in RANKED else None
        half = ["north"] * 3 + ["south"] * (reads.index.n_cases - 3)
        found = measure_agreement(reads, measures=keys, subgroup=half, draws=100)
        scopes = {one.scope for one in found.figures.by_subgroup}
        assert scopes == {"subgroup north", "subgroup south"}


def test_boxes_as_sets_of_classes():
    reads = state(Kind.BOX, "some_unreadable")
    sets = label_sets_of(reads)
    assert isinstance(sets, MultiLabelReads)
    for row in range(reads.index.n_reads):
        found = sorted(set(reads.label[reads.read == row].tolist()))
        if reads.unreadable[row]:
            assert (sets.present[row] == -1).all()
        else:
            assert np.flatnonzero(sets.present[row]).tolist() == found


def test_a_report_scores_gold_as_if_it_had_not_been_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(write_report_module, "_MOST_COMPARED", 0)
    reads = READS[Kind.NOMINAL]()
    gold = {"case": reads.index.cases.tolist(), "label": ["normal"] * 12}
    request = ReportRequest("t", "s", "d", gold=gold, draws=100)
    page, pdf = tmp_path / "page.html", tmp_path / "page.pdf"
    calibration = write_report(reads, request, page, pdf=pdf).calibration
    assert calibration.against == "gold"
    assert calibration.accuracy < 1
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "page.pdf"}


def test_slots_are_not_compared():
    content = fill_report(
        READS[Kind.NOMINAL](), ReportRequest("t", "s", "d", exchangeable=True, draws=100)
    )
    assert content.comparison is None
    assert content.head.anonymous
    assert content.consensus.reliability.readers == ("any reader",)


def test_one_class_alone(monkeypatch):
    monkeypatch.setattr(write_report_module, "_MOST_COMPARED", 0)
    reads = class_reads(["a", "a", "b"], ["A", "B", "A"], ["x", "x", "x"], schema=["x", "y"])
    study = measure_agreement(reads, draws=100)
    assert all(np.isfinite(one.value) or one.undefined for one in study.figures.overall)
    assert consensus_rows(reach_consensus(reads))["consensus"].to_list() == ["x", "x"]
    html(fill_report(reads, ReportRequest("t", "s", "d", draws=100)))


def test_forms_of_a_consensus(tmp_path):
    boxes, masks = READS[Kind.BOX](), READS[Kind.MASK]()
    for path in (tmp_path / "a.json", tmp_path / "a.csv"):
        refuse_form(boxes, path)
    refuse_form(masks, tmp_path)
    refuse_form(masks, tmp_path / "a.csv")
    for reads, name in ((boxes, "a"), (masks, "a.json"), (READS[Kind.SCORE](), "a.json")):
        with pytest.raises(InputError, match="--out must end in"):
            refuse_form(reads, tmp_path / name)
    with pytest.raises(InputError, match="--out must end in"):
        save_consensus(reach_consensus(boxes, method="median_boxes"), boxes, tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []
