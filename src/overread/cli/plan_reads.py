"""``overread plan groups, reads, replan, demand``: what needs tables of cases, readers or reads."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer
from rich.table import Table

from overread.app.analysis.outputs import refuse_outputs, refuse_suffix
from overread.app.analysis.plan_reads import (
    groups_of,
    plan_again,
    plan_reads,
    plan_table,
    read_protocol_file,
)
from overread.app.analysis.reads_on_demand import BY, next_asks, replay
from overread.cli.consensus import table_of
from overread.cli.options import (
    JsonOption,
    ReadingOptions,
    ReadsArgument,
    SeedOption,
    console,
    print_json,
    progress,
    reading,
)
from overread.errors import InputError
from overread.exchange import as_document, write_table
from overread.exchange.consensus_table import TABLE_OUT
from overread.labels import ClassReads
from overread.planning.plan import Design, Plan
from overread.words import percent

_SHOWN = 20
_DONE = ("sure", "settled", "spent")

CasesArgument = Annotated[
    Path, typer.Argument(metavar="CASES", help="Table of the cases: `case` and what is known.")
]
ReadersArgument = Annotated[
    Path,
    typer.Argument(metavar="READERS", help="Table: `reader`, if need be `most` and `may_not`."),
]
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Write the table: .csv, .tsv or .parquet.")
]
BatchesOption = Annotated[int, typer.Option("--batches", min=1, help="Parts of the data set.")]
SubOption = Annotated[int, typer.Option("--sub-batches", min=1, help="Parts of each batch.")]
EachOption = Annotated[int, typer.Option("--reads", min=1, help="Readers of an ordinary case.")]
OverlapOption = Annotated[
    float, typer.Option("--overlap", min=0, max=1, help="Share of the cases that several read.")
]
OverlapReadersOption = Annotated[
    int, typer.Option("--overlap-readers", min=1, help="Readers of each overlap case.")
]
GroupOption = Annotated[str, typer.Option("--group", help="Column of the patient.")]
GroupsOption = Annotated[
    str,
    typer.Option(
        "--groups",
        help="Cases of a patient: free, together (same readers) or apart (no reader gets two).",
    ),
]
BalanceOption = Annotated[
    str,
    typer.Option(
        "--balance", help="Columns to balance over, comma-separated; class, site, modality."
    ),
]
GoldOption = Annotated[
    Path | None, typer.Option("--gold", help="Table of known cases: `case` and the same columns.")
]
GoldRateOption = Annotated[
    float, typer.Option("--gold-rate", min=0, max=1, help="Hidden gold cases for each first read.")
]
RepeatRateOption = Annotated[
    float, typer.Option("--repeat-rate", min=0, max=1, help="Hidden repeats for each first read.")
]
DistanceOption = Annotated[
    int, typer.Option("--distance", min=1, help="Reads at least between two looks at a case.")
]


def groups(
    cases: CasesArgument,
    *,
    protocol: Annotated[
        Path | None, typer.Option("--protocol", help="Protocol file with the wishes.")
    ] = None,
    by: Annotated[str, typer.Option("--by", help="More columns to count, comma-separated.")] = "",
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Groups and classes of the cases against the protocol's wishes; what to sample more of.

    Example: **overread plan groups cases.csv --protocol protocol.yaml --by sex,site**
    """
    _check_out(out, cases, protocol)
    wanted = read_protocol_file(protocol) if protocol is not None else None
    found, notes = groups_of(cases, wanted, by=_names(by))
    rows = pl.DataFrame([asdict(one) for one in found.groups], infer_schema_length=None)
    if out is not None:
        write_table(rows, out)
    if as_json:
        print_json(as_document({
            "groups": rows.to_dicts(),
            "unknown": dict(found.unknown),
            "effective_groups": dict(found.effective),
            "warnings": [*found.warnings, *notes],
        }))  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for name in ("by", "group", "cases", "share", "wished", "more"):
        table.add_column(name, justify="left" if name in {"by", "group"} else "right")
    for one in found.groups:
        table.add_row(
            one.by,
            one.group,
            f"{one.count:,}",
            percent(one.share, 1),
            f"{one.wanted:,}" if one.wanted else "",
            f"{one.more:,}" if one.more else "",
        )
    console().print(table)
    for words in (*found.warnings, *notes):
        console().print(words, style="yellow", markup=False)
    if not found.warnings and not notes:
        console().print("Nothing is missing.", markup=False)


def reads(
    cases: CasesArgument,
    readers: ReadersArgument,
    *,
    batches: BatchesOption = 1,
    sub_batches: SubOption = 1,
    each: EachOption = 1,
    overlap: OverlapOption = 0.0,
    overlap_readers: OverlapReadersOption = 3,
    group: GroupOption = "",
    groups: GroupsOption = "free",
    balance: BalanceOption = "",
    gold: GoldOption = None,
    gold_rate: GoldRateOption = 0.0,
    repeat_rate: RepeatRateOption = 0.0,
    distance: DistanceOption = 20,
    seed: SeedOption = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Who reads what, in which order: batches, overlap, hidden gold and repeats, balanced.

    Example: **overread plan reads cases.csv readers.csv --overlap 0.2 --out plan.csv**
    """
    _check_out(out, cases, readers, gold)
    wanted = Design(
        batches=batches, sub_batches=sub_batches, reads=each, overlap=overlap,
        overlap_readers=overlap_readers, groups=groups, gold=gold_rate,  # type: ignore[arg-type]
        repeats=repeat_rate, distance=distance, seed=seed,
    )  # fmt: skip
    _check_groups(group, groups)
    found = plan_reads(
        cases, readers, wanted, gold=gold, group=group, balance=_names(balance) or None
    )
    _say_plan(found, wanted, out, as_json=as_json)


def again(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="Table of the plan so far.")],
    cases: CasesArgument,
    readers: ReadersArgument,
    *,
    done: Annotated[Path, typer.Option("--done", help="Table of the reads done: case, reader.")],
    batches: BatchesOption = 1,
    sub_batches: SubOption = 1,
    each: EachOption = 1,
    overlap: OverlapOption = 0.0,
    overlap_readers: OverlapReadersOption = 3,
    group: GroupOption = "",
    groups: GroupsOption = "free",
    balance: BalanceOption = "",
    gold: GoldOption = None,
    gold_rate: GoldRateOption = 0.0,
    repeat_rate: RepeatRateOption = 0.0,
    distance: DistanceOption = 20,
    seed: SeedOption = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Readers came or went: what is done stays, the rest is planned again.

    Give the options of the plan again; READERS are those who read from now on.

    Example: **overread plan replan plan.csv cases.csv now.csv --done reads.csv --overlap 0.2**
    """
    _check_out(out, plan, cases, readers, done, gold)
    wanted = Design(
        batches=batches, sub_batches=sub_batches, reads=each, overlap=overlap,
        overlap_readers=overlap_readers, groups=groups, gold=gold_rate,  # type: ignore[arg-type]
        repeats=repeat_rate, distance=distance, seed=seed,
    )  # fmt: skip
    _check_groups(group, groups)
    found = plan_again(
        plan, done, cases, readers, wanted, gold=gold, group=group, balance=_names(balance) or None
    )
    _say_plan(found, wanted, out, as_json=as_json)


@reading
def demand(
    how: ReadingOptions,
    reads: ReadsArgument,
    *,
    sure: Annotated[float, typer.Option("--sure", help="Stop at this posterior.")] = 0.95,
    loss: Annotated[
        float,
        typer.Option("--loss", min=0, help="Stop where all reads left would help by less."),
    ] = 0.005,
    least: Annotated[int, typer.Option("--least", min=1, help="Reads of every case.")] = 1,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Reads of a case at most.")
    ] = None,
    choose_by: Annotated[
        str, typer.Option("--by", help=f"What a read is chosen by: {', '.join(BY)}.")
    ] = "information",
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Consensus method with confusions.")
    ] = None,
    replayed: Annotated[
        bool, typer.Option("--replay", help="READS holds all reads: how many would have done?")
    ] = False,
    warm_up: Annotated[
        float, typer.Option("--warm-up", help="With --replay: share that everybody reads.")
    ] = 0.1,
    seed: SeedOption = 0,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Reads on demand: which cases are sure by now, and whom to ask for the others.

    Example: **overread plan demand reads.csv --sure 0.95 --most 5**
    """
    _check_out(out, reads)
    table = how.read(reads)
    if choose_by not in BY:
        raise InputError("--by", f"be one of {', '.join(BY)}", f"{choose_by!r}")
    with progress("consensus", quiet=as_json) as tick:
        if replayed:
            document, rows = _replayed(
                table, sure=sure, loss=loss, least=least, by=choose_by, method=method,
                warm_up=warm_up, seed=seed, progress=tick,
            )  # fmt: skip
        else:
            rows = next_asks(
                table, sure=sure, loss=loss, least=least, most=most, by=choose_by,
                method=method, progress=tick,
            )  # fmt: skip
            many = dict(
                zip(*rows["state"].value_counts().to_dict(as_series=False).values(), strict=True)
            )
            words = ", ".join(f"{many.get(one, 0):,} {one}" for one in ("ask", *_DONE))
            document = {"words": f"{words} of {rows.height:,} cases.", "cases": rows.to_dicts()}
    if out is not None:
        write_table(rows, out)
    if as_json:
        print_json(as_document(document))
        return
    if not replayed:
        console().print(table_of(rows.head(_SHOWN)))
    console().print(str(document["words"]), markup=False)


def _replayed(table: Any, **settings: Any) -> tuple[dict[str, Any], pl.DataFrame]:
    if not isinstance(table, ClassReads):
        raise InputError("kind", "be nominal or ordinal for --replay", table.schema.kind)
    found = replay(table, **settings)
    rows = pl.DataFrame({"case": table.index.cases.tolist(), "reads": found.reads})
    document = {"words": found.words, "saved": found.saved, "asked": int(found.used.sum()),
                "all": int(found.used.size)}  # fmt: skip
    return document, rows


def _say_plan(found: Plan, wanted: Design, out: Path | None, *, as_json: bool) -> None:
    table = plan_table(found)
    if out is not None:
        write_table(table, out)
    if as_json:
        print_json(as_document({
            "design": asdict(wanted),
            "counts": found.counts(),
            "balance": asdict(found.balance),
            "notes": list(found.notes),
            "picture": [
                {"reader": reader, "batch": batch, "sub_batch": sub} | kinds
                for reader, batch, sub, kinds in found.picture()
            ],
            "rows": table.to_dicts(),
        }))  # fmt: skip
        return
    shown = Table(box=None, pad_edge=False)
    for name in ("reader", "batch", *found.counts(), "in all"):
        shown.add_column(name, justify="left" if name == "reader" else "right")
    grouped = table.group_by("reader", "batch", "role").len().sort("reader", "batch")
    for (reader, batch), part in grouped.group_by(["reader", "batch"], maintain_order=True):
        many = dict(zip(part["role"].to_list(), part["len"].to_list(), strict=True))
        cells = [f"{many.get(role, 0):,}" for role in found.counts()]
        shown.add_row(str(reader), str(batch), *cells, f"{sum(many.values()):,}")
    console().print(shown)
    for words in (found.balance.words, *found.notes):
        console().print(words, markup=False)
    console().print(
        f"{len(table):,} reads" + (f", written: {out}" if out else "; --out writes them."),
        markup=False,
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _check_out(out: Path | None, *inputs: Path | None) -> None:
    refuse_outputs({"--out": out}, *inputs)
    if out is not None:
        refuse_suffix("--out", out, TABLE_OUT)


def _check_groups(group: str, groups: str) -> None:
    if groups != "free" and not group:
        remedy = "Name the column of the patient."
        raise InputError("--group", f"be given for --groups {groups}", "nothing", remedy=remedy)
