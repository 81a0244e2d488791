"""Raw reads, consensus and history of a project as files that Overread itself reads back."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl

from overread.app.analysis.consensus_labels import (
    about_consensus,
    consensus_labels,
    with_provenance,
    with_references,
)
from overread.app.analysis.mask_files import consensus_pictures, read_pictures
from overread.app.analysis.mask_frames import batches
from overread.app.analysis.reach_consensus import Reached, reach_consensus
from overread.app.study.conformity import conformity, require_whole
from overread.app.study.label_sources import Auto, standing_autos, with_sources
from overread.app.study.project_protocol import protocol_of
from overread.app.study.project_tables import Labels, Tick, project_labels, quiet
from overread.errors import InputError, MethodError
from overread.exchange import reads_table, write_coco, write_coco_masks, write_table
from overread.exchange.atomic import written
from overread.labels import BoxReads, InstanceReads, Kind, MaskReads, Reads
from overread.protocol import Question
from overread.store import Store, each_read, head

What: TypeAlias = Literal["reads", "consensus", "history"]
Form: TypeAlias = Literal["csv", "parquet", "coco", "masks"]

WHATS: tuple[What, ...] = ("reads", "consensus", "history")
FORMS: tuple[Form, ...] = ("csv", "parquet", "coco", "masks")
SUFFIX: Mapping[Form, str] = {
    "csv": ".csv", "parquet": ".parquet", "coco": ".json", "masks": ".zip",
}  # fmt: skip

_HOLDS: Mapping[Form, frozenset[Kind]] = {
    "csv": frozenset(Kind),
    "parquet": frozenset(Kind),
    "coco": frozenset({Kind.BOX, Kind.INSTANCE, Kind.MASK}),
    "masks": frozenset({Kind.MASK}),
}
_ROWS = 20_000


def forms_for(store: Store, project: str) -> frozenset[Form]:
    """The forms that can hold the answers of one of a project's questions or more."""
    kinds = {one.kind for one in protocol_of(store, project).protocol.questions}
    return frozenset(form for form, held in _HOLDS.items() if held & kinds)


def export_labels(
    store: Store,
    project: str,
    folder: Path,
    *,
    what: What,
    form: Form,
    questions: Sequence[str] = (),
    final: bool = False,
    tick: Tick = quiet,
) -> Path:
    """Write raw reads, the consensus, or all that was ever said.

    "reads" holds each reader's latest read of each case in the default columns of a read table;
    "consensus" that of the default model of each label kind, in the same columns, with its
    provenance; "history" every revision, repeat, flag and comment as it was sent.

    Args:
        folder: that is there; the file is called after ``what`` and ``form``, without a name of
            anybody or anything in it.
        form: "csv", "parquet"; "coco" for boxes, outlines and masks; "masks" for PNG (or NIfTI
            where a case has several frames) in a .zip, one folder a reader.
        questions: ids of those wanted; by default all that the form can hold. Several become a
            .zip with one file each.
        final: refuse unless every label conforms to the newest version of the protocol.
        tick: counts what is done; may raise to stop.
    Returns:
        The file that was written; it stands there whole or not at all.
    Raises:
        InputError: nothing was read yet, no such question, or none that the form can hold; or,
            of a final export, that labels do not conform.
        NotFoundError: no such project.
    """
    version = protocol_of(store, project)
    if final:
        require_whole(conformity(store, project))
    chosen = _chosen(version.protocol.questions, questions, what, form)
    until = head(store).n  # every question as things stand now
    with tempfile.TemporaryDirectory(prefix=".overread-export-", dir=folder) as place:
        room = Path(place)
        if what == "history":
            parts = _history(store, project, chosen, room, form, until, tick)
        else:
            parts = _questions(
                store, project, chosen, room, what, form, version.version, until, tick
            )
        if not parts:
            raise InputError("project", "have reads of these questions", "none yet")
        whole = _together(parts, room) if len(parts) > 1 else parts[0]
        target = folder / f"{what}{''.join(whole.suffixes[-1:])}"
        with written(target) as half:
            shutil.move(whole, half)
    return target


def _chosen(
    questions: tuple[Question, ...], wanted: Sequence[str], what: What, form: Form
) -> list[Question]:
    ids = {one.id for one in questions}
    strange = [one for one in wanted if one not in ids]
    if strange:
        raise InputError("question", f"be one of {', '.join(sorted(ids))}", repr(strange[0][:40]))
    if what == "history" and form not in {"csv", "parquet"}:
        raise InputError("format of the history", "be csv or parquet", form)
    asked = [one for one in questions if not wanted or one.id in wanted]
    fitting = [one for one in asked if one.kind in _HOLDS[form]]
    if not fitting or (wanted and len(fitting) < len(asked)):
        other = next(one for one in asked if one not in fitting)
        takes = [name for name in FORMS if other.kind in _HOLDS[name]]
        rule = f"be {' or '.join(takes)} for {other.kind.value} answers"
        raise InputError("format", rule, form)
    return fitting


def _questions(  # noqa: PLR0917 - the parts of one export, in their order
    store: Store,
    project: str,
    questions: Sequence[Question],
    room: Path,
    what: What,
    form: Form,
    protocol: int,
    until: int,
    tick: Tick,
) -> list[Path]:
    parts = []
    for question in questions:
        labels = project_labels(store, project, question, until=until, tick=tick)
        reads = labels.reads if what == "consensus" else labels.read
        if reads is not None:
            path = room / f"{what}-{question.id}{SUFFIX[form]}"
            if what == "reads":
                _write_reads(reads, path, form)
            else:
                autos = _autos(store, project, question, form)
                _write_consensus(labels, path, form, protocol, tick, autos)
            parts.append(path)
        tick("questions", 1)
    return parts


def _write_reads(reads: Reads, path: Path, form: Form) -> None:
    if form == "masks" and isinstance(reads, MaskReads):
        read_pictures(path, reads)
    elif form == "coco" and isinstance(reads, MaskReads):
        write_coco_masks(path, [(reads, None)])
    elif form == "coco" and isinstance(reads, BoxReads | InstanceReads):
        write_coco(path, reads)
    elif isinstance(reads, MaskReads):
        _join((reads_table(part) for part in batches(reads)), path)
    else:
        write_table(reads_table(reads), path)


def _autos(store: Store, project: str, question: Question, form: Form) -> dict[str, Auto]:
    classes = question.kind in {Kind.NOMINAL, Kind.ORDINAL, Kind.MULTILABEL}
    return standing_autos(store, project, question.id) if classes and form != "coco" else {}


def _write_consensus(  # noqa: PLR0917
    labels: Labels, path: Path, form: Form, protocol: int, tick: Tick, autos: Mapping[str, Auto]
) -> None:
    reads = labels.reads
    if reads is None:
        return
    if isinstance(reads, MaskReads):
        _write_mask_consensus(reads, labels, path, form, protocol, tick)
        return
    reached = reach_consensus(reads, gold=labels.gold)
    about = about_consensus(reached, protocol=protocol, references=len(labels.references))
    if form == "coco" and isinstance(reads, BoxReads | InstanceReads):
        decided = sorted(labels.references)
        write_coco(
            path, reads, reached.result, about={"consensus": about | {"reference_cases": decided}}
        )
    else:
        table = with_references(consensus_labels(reached, reads), labels.references)
        table = with_sources(table, reads, labels.references, autos)
        write_table(with_provenance(table, about), path)
    tick("cases", reads.index.n_cases)


def _write_mask_consensus(  # noqa: PLR0917
    reads: MaskReads, labels: Labels, path: Path, form: Form, protocol: int, tick: Tick
) -> None:
    first: dict[str, Any] = {}
    count = len(labels.references)

    def reached() -> Iterator[tuple[MaskReads, Reached]]:
        for part in batches(reads):
            try:
                made = reach_consensus(part, gold=_gold_of(part, labels.gold))
            except MethodError:  # nobody could read any of these cases
                continue
            first.setdefault("about", about_consensus(made, protocol=protocol, references=count))
            yield part, made
            tick("cases", part.index.n_cases)

    if form == "coco":
        write_coco_masks(path, ((part, made.result) for part, made in reached()))
    elif form == "masks":
        consensus_pictures(path, ((part, made.result) for part, made in reached()), first)
    else:
        _join(
            (
                with_provenance(
                    with_sources(
                        with_references(consensus_labels(made, part), labels.references),
                        part,
                        labels.references,
                        {},
                    ),
                    about_consensus(made, protocol=protocol, references=count),
                )
                for part, made in reached()
            ),
            path,
        )


def _gold_of(part: MaskReads, gold: pl.DataFrame | None) -> pl.DataFrame | None:
    """The gold of these cases; None where they have none."""
    if gold is None:
        return None
    here = gold.filter(pl.col("case").is_in(part.index.cases.tolist()))
    return here if here.height else None


def _history(  # noqa: PLR0917
    store: Store,
    project: str,
    questions: Sequence[Question],
    room: Path,
    form: Form,
    until: int,
    tick: Tick,
) -> list[Path]:
    def tables() -> Iterator[pl.DataFrame]:
        rows: list[dict[str, Any]] = []
        for read in each_read(store, project, latest=False, until=until):
            answer = read.pop("answer")
            said = ((one.id, _text(answer.get(one.id))) for one in questions)
            rows += [{**read, "question": name, "value": value} for name, value in said]
            if len(rows) >= _ROWS:
                yield pl.DataFrame(rows, _TYPES)
                tick("answers", len(rows))
                rows = []
        if rows:
            yield pl.DataFrame(rows, _TYPES)
            tick("answers", len(rows))

    path = room / f"history{SUFFIX[form]}"
    # readers' own words: a spreadsheet must not take them for formulas
    return [path] if _join(tables(), path, for_spreadsheets=form == "csv") else []


_TYPES: dict[str, Any] = {
    "read": pl.String, "case": pl.String, "case_name": pl.String, "group": pl.String,
    "reader": pl.String, "task": pl.String, "cannot_be_read": pl.Boolean,
    "ask_a_senior": pl.Boolean, "surplus": pl.Boolean, "comment": pl.String, "round": pl.Int64,
    "revision": pl.Int64, "seconds": pl.Float64, "submitted": pl.String,
    "protocol_version": pl.Int64, "question": pl.String, "value": pl.String,
}  # fmt: skip


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def _join(tables: Iterable[pl.DataFrame], path: Path, *, for_spreadsheets: bool = False) -> bool:
    """Write tables below each other, one in memory at a time; false where there is none."""
    parts: list[Path] = []
    for table in tables:
        parts.append(path.with_name(f"{path.stem}-{len(parts)}.part.parquet"))
        if path.suffix == ".csv":
            # the same quoting as of a whole table, whatever its size
            parts[-1] = parts[-1].with_suffix(".csv")
        write_table(table, parts[-1], for_spreadsheets=for_spreadsheets)
    if len(parts) == 1:
        parts[0].rename(path)
    elif path.suffix == ".csv":
        _join_csv(parts, path)
    elif parts:
        pl.scan_parquet(parts).sink_parquet(path)
    for part in parts:
        part.unlink(missing_ok=True)
    return bool(parts)


def _join_csv(parts: Sequence[Path], path: Path) -> None:
    with path.open("wb") as whole:
        for at, part in enumerate(parts):
            with part.open("rb") as one:
                if at:
                    one.readline()
                shutil.copyfileobj(one, whole)


def _together(parts: Sequence[Path], room: Path) -> Path:
    whole = room / "all.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as kept:
        for part in parts:
            kept.write(part, part.name)
            part.unlink()
    return whole
