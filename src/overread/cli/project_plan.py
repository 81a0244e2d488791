"""What ``overread plan project`` does once its options are read: draws up, writes, tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from overread.app.analysis.plan_reads import readers_of
from overread.app.study.home import open_home, project_called
from overread.app.study.plan_ground import MODALITY, ReaderWish
from overread.app.study.plan_preview import Preview, preview
from overread.app.study.plan_project import Drawn, PlanWish, draw_again, draw_up, readers_now
from overread.cli.home_options import ACTOR
from overread.cli.options import console, print_json
from overread.errors import InputError
from overread.exchange import as_document
from overread.store import Store, list_users
from overread.store.work.plans import Written, write_plan


@dataclass(frozen=True, slots=True)
class Asked:
    """The options. Args: settings: of a :class:`PlanWish`, but for its readers."""

    project: str
    settings: Mapping[str, Any]
    readers: Path | None
    seconds: float | None
    again: bool
    write: bool


def run(asked: Asked, home: Path, *, database: str, blobs: str, as_json: bool) -> None:
    """Draw up the plan, write it where that is asked for, and tell."""
    opened = open_home(home, database=database, blobs=blobs)
    try:
        key = project_called(opened.store, asked.project).id
        drawn = _drawn(opened.store, key, asked)
        shown = preview(opened.store, key, drawn, seconds=asked.seconds)
        written = write_plan(opened.store, key, drawn.new, ACTOR) if asked.write else None
    finally:
        opened.store.close()
    if as_json:
        print_json(as_document(_document(drawn, shown, written)))
    else:
        _say(shown, written)


def _drawn(store: Store, project: str, asked: Asked) -> Drawn:
    people = _readers(store, project, asked.readers)
    if asked.again:
        return draw_again(store, project, readers=people)
    everybody = readers_now(store, project, None)
    return draw_up(store, project, PlanWish(readers=people or everybody, **asked.settings))


def _readers(store: Store, project: str, table: Path | None) -> tuple[ReaderWish, ...] | None:
    """Readers of a table; None where there is none."""
    if table is None:
        return None
    here = {one.id for one in readers_now(store, project, None)}
    users = [one for one in list_users(store) if one.id in here]
    made: list[ReaderWish] = []
    for row, one in enumerate(readers_of(table), start=1):
        ids = [user.id for user in users if one.name in {user.email, user.name}]
        if len(ids) != 1:
            rule = "be the e-mail or name of one who reads in the project"
            got = f"{one.name!r}, which {'several have' if ids else 'nobody has'}"
            raise InputError("reader", rule, got, rows=[row])
        strange = sorted(set(one.may_not) - {MODALITY})
        if strange:
            raise InputError("may_not", "speak of modality", strange[0], rows=[row])
        barred = tuple(sorted(one.may_not.get(MODALITY, ())))
        made.append(ReaderWish(ids[0], one.most, barred))
    return tuple(made)


def _document(drawn: Drawn, shown: Preview, written: Written | None) -> dict[str, Any]:
    picture = shown.picture
    return {
        "words": shown.words,
        "balance": shown.balance,
        "hours": shown.hours,
        "warnings": list(shown.warnings),
        "design": asdict(drawn.design),
        "counts": drawn.plan.counts(),
        "kept": shown.kept,
        "readers": [
            {"reader": line.name, "reads": line.reads, "done": line.done, **line.counts}
            for line in picture.lines
        ],
        "parts": [
            {"reader": line.name, "batch": batch, "sub_batch": sub, **asdict(cell)}
            for line in picture.lines
            for (batch, sub), cell in zip(picture.parts, line.cells, strict=True)
        ],
        "written": None if written is None else asdict(written),
    }


def _say(shown: Preview, written: Written | None) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("reader", "reads", "only", "overlap", "gold", "repeat", "done"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    for line in shown.picture.lines:
        counts = [f"{line.counts[role]:,}" for role in ("only", "overlap", "gold", "repeat")]
        table.add_row(line.name, f"{line.reads:,}", *counts, f"{line.done:,}")
    console().print(table)
    for words in (shown.words, shown.balance, shown.hours):
        if words:
            console().print(words, markup=False)
    for words in shown.warnings:
        console().print(words, style="yellow", markup=False)
    if written is None:
        console().print("Not written; --write writes it.", markup=False)
        return
    console().print(
        f"Plan {written.number} is written: {written.opened:,} tasks opened, "
        f"{written.withdrawn:,} withdrawn.",
        markup=False,
    )
