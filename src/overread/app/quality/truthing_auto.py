"""Labels that a model gave, in a truthing report: audits, certificates, where labels are from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from overread.app.study.label_sources import standing_autos
from overread.report.blocks import Cell, Column, Section, Table
from overread.store import Store
from overread.store.learning.audits import list_audits, list_label_certificates
from overread.store.learning.auto_labels import list_auto_runs, reviewers, standing_run


def auto_labels_told(store: Store, project: str) -> dict[str, Any] | None:
    """What a truthing report tells of auto-labels; None where a project has none."""
    run = standing_run(store, project)
    if run is None:
        return None
    autos = standing_autos(store, project, run.question)
    kinds = Counter(
        "read since" if one.read else "certified" if one.certificate else "reviewed"
        for one in autos.values()
    )
    papers = [json.loads(one.document) for one in list_label_certificates(store, project)]
    return {
        "question": run.question,
        "model": run.model,
        "made": run.made,
        "runs": len(list_auto_runs(store, project)),
        "target": run.settings["target"],
        "labels": dict(kinds),
        "reviewers": len(reviewers(store, run.id)),
        "audits": [
            {"number": one.number, "begun": one.begun, "state": one.state, "words": one.words,
             "planned": one.settings["planned"], "mode": one.settings["mode"],
             "confidence": one.settings["confidence"]}
            for one in reversed(list_audits(store, project))
        ],
        "certificates": [
            {"id": one["certificate"]["id"], "words": one["certificate"]["words"],
             "key": one["signature"]["fingerprint"]}
            for one in papers
        ],
    }  # fmt: skip


def auto_section(told: Mapping[str, Any]) -> Iterator[Section]:
    """The section, where there is something to tell."""
    of = told.get("auto_labels")
    if of is None:
        return
    count = of["labels"]
    lead = (
        f"A model ({of['model']}) labelled cases that nobody had read. "
        f"{count.get('certified', 0):,} of its labels are certified by a blind audit, "
        f"{count.get('reviewed', 0):,} were looked over by people alone, and "
        f"{count.get('read since', 0):,} cases were read since: there the read is the label. "
        "Labels that are neither certified nor looked over are not exported."
    )
    yield Section("auto-labels", "Labels that a model gave", lead, (_audits(of), _papers(of)))


def _audits(of: Mapping[str, Any]) -> Table:
    return _table(
        "Blind audits, refused ones too",
        ("Begun", "Planned", "Confidence", "Outcome"),
        [
            (one["begun"][:10], f"{one['planned']:,} cases, {one['mode']}",
             f"{100 * one['confidence']:.6g} %", one["words"] or "under way")
            for one in of["audits"]
        ],
    )  # fmt: skip


def _papers(of: Mapping[str, Any]) -> Table:
    rows = [(one["id"], one["words"], one["key"]) for one in of["certificates"]]
    return _table("Certificates", ("Certificate", "Statement", "Signed by the key"), rows)


def _table(caption: str, titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    columns = tuple(Column(one, "words" if at else "name") for at, one in enumerate(titles))
    made = tuple(tuple(Cell(text) for text in row) for row in rows)
    return Table(caption, columns, made, 40)
