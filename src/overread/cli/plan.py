"""``overread plan``: how many cases, at what cost, from where, read by whom."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from overread.cli import plan_project, plan_reads
from overread.cli.options import JsonOption, LevelOption, console, print_json
from overread.errors import InputError
from overread.planning.cost import Cost, Step, WorkingYear, cost, steps_of
from overread.planning.power import cases_to_show
from overread.planning.size import (
    METHODS,
    Clustering,
    Size,
    accuracy_cases,
    agreement_cases,
    agreement_width,
    proportion_cases,
    proportion_width,
)
from overread.planning.variance import MEASURES, MODELS, WEIGHTS
from overread.words import percent

_SHARES = ("sensitivity", "specificity", "accuracy")

group = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Plan a study: cases needed, cost, groups missing, who reads what, when to stop.",
)


@group.command("size")
def size(
    measure: Annotated[
        str, typer.Argument(help=f"One of {', '.join((*_SHARES, *MEASURES))}.", metavar="MEASURE")
    ],
    *,
    expected: Annotated[float, typer.Option("--expected", help="The value you expect, 0 to 1.")],
    half_width: Annotated[
        float | None,
        typer.Option("--half-width", help="Half of the interval's width that is wanted."),
    ] = None,
    cases: Annotated[
        int | None, typer.Option("--cases", min=1, help="Cases at hand: what interval they give.")
    ] = None,
    prevalence: Annotated[
        str,
        typer.Option(
            "--prevalence",
            help="Share of the cases that are positive; or of each class, comma-separated.",
        ),
    ] = "",
    grade: Annotated[
        int, typer.Option("--grade", min=0, help="Kappa of this one grade (from 1), not of all.")
    ] = 0,
    readers: Annotated[
        str, typer.Option("--readers", help="Readers of each case; several to compare: 2,3,5.")
    ] = "",
    weights: Annotated[
        str, typer.Option("--weights", help=f"Of grades: {', '.join(WEIGHTS)}.")
    ] = "nominal",
    model: Annotated[
        str, typer.Option("--model", help=f"How readers err: {', '.join(MODELS)}.")
    ] = "",
    specificity: Annotated[
        float | None,
        typer.Option("--specificity", help="With MEASURE sensitivity: plan for both at once."),
    ] = None,
    floor: Annotated[
        float | None,
        typer.Option("--floor", help="Of kappa: also the cases to show that it is above this."),
    ] = None,
    power: Annotated[float, typer.Option("--power", help="Chance to show it.")] = 0.8,
    same_case: Annotated[
        float,
        typer.Option("--same-case", help="Correlation of two readers' results on one case, 0-1."),
    ] = 0.0,
    same_reader: Annotated[
        float,
        typer.Option("--same-reader", help="Correlation of a reader's results on two cases, 0-1."),
    ] = 0.0,
    assurance: Annotated[
        float,
        typer.Option("--assurance", help="Chance that enough of the cases are positive, 0.5-1."),
    ] = 0.0,
    method: Annotated[
        str, typer.Option("--method", help=f"Interval of a share: {', '.join(METHODS)}.")
    ] = "wilson",
    level: LevelOption = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Cases needed for an interval of a wanted width, or the width that cases give.

    Example: **overread plan size kappa --expected 0.6 --half-width 0.1 --prevalence 0.3,0.7**
    """
    if (half_width is None) == (cases is None):
        got = "neither" if cases is None else "both"
        raise InputError("--half-width or --cases", "be given, one of them", got)
    shares = _numbers("--prevalence", prevalence)
    found: list[Size] = []
    shown: dict[str, int] = {}
    if measure in _SHARES:
        for many in _whole("--readers", readers) or [1]:
            how = Clustering(many, same_case, same_reader)
            share = _share_of(measure, shares)
            if specificity is not None:
                _only_with("--specificity", measure == "sensitivity" and half_width is not None)
                found += accuracy_cases(
                    expected, specificity, share, half_width or 0, assurance=assurance,
                    clustering=how, method=method, level=level,
                )  # fmt: skip
            elif cases is not None:
                found.append(
                    proportion_width(
                        expected, cases, what=measure, share=share, clustering=how,
                        method=method, level=level,
                    )
                )  # fmt: skip
            else:
                found.append(
                    proportion_cases(
                        expected, half_width or 0, what=measure, share=share, clustering=how,
                        assurance=assurance, method=method, level=level,
                    )
                )  # fmt: skip
    else:
        margin = _margin(shares, grade)
        how_they_err = model or ("latent_normal" if weights != "nominal" else "latent_class")
        for many in _whole("--readers", readers) or [2]:
            if cases is not None:
                one = agreement_width(
                    measure, expected, cases, prevalence=margin, readers=many, weights=weights,
                    model=how_they_err, level=level,
                )  # fmt: skip
            else:
                one = agreement_cases(
                    measure, expected, half_width or 0, prevalence=margin, readers=many,
                    weights=weights, model=how_they_err, level=level,
                )  # fmt: skip
            found.append(one)
            if floor is not None:
                _only_with("--floor", measure == "kappa")
                worst = model or ("worst" if many == 2 else how_they_err)
                shown[f"{many}"] = cases_to_show(
                    expected, floor, prevalence=margin, readers=many, weights=weights,
                    model=worst, power=power, level=level,
                )  # fmt: skip
    _say_sizes(found, shown, floor, as_json=as_json)


def _say_sizes(
    found: list[Size], shown: dict[str, int], floor: float | None, *, as_json: bool
) -> None:
    best = min(found, key=lambda one: one.reads)
    if as_json:
        rows = [asdict(one) | {"half_width": one.half_width, "reads": one.reads} for one in found]
        extra = {"cases_to_show_above_floor": shown} if shown else {}
        print_json({"sizes": rows} | extra)
        return
    for one in found:
        console().print(one.words, markup=False)
    for many, n in shown.items():
        words = f"{n:,} cases of {many} readers show that kappa is above {floor:g}."
        console().print(words, markup=False)
    if len({one.readers for one in found}) > 1:
        words = f"Fewest reads: {best.readers} readers a case, {best.reads:,} reads."
        console().print(words, style="bold", markup=False)


def _share_of(measure: str, shares: list[float]) -> float:
    if len(shares) > 1:
        raise InputError("--prevalence", f"be one share for {measure}", f"{len(shares)}")
    if not shares or measure == "accuracy":
        return 1.0
    return shares[0] if measure == "sensitivity" else 1 - shares[0]


def _margin(shares: list[float], grade: int) -> list[float]:
    """Shares of the classes; of yes / no where one is given, of a grade and the rest if asked."""
    if not shares:
        remedy = "Agreement by chance, and so kappa, depends on it. Say 0.5 if nothing is known."
        raise InputError("--prevalence", "be given", "none", remedy=remedy)
    whole = [shares[0], 1 - shares[0]] if len(shares) == 1 else shares
    if not grade:
        return whole
    if grade > len(whole):
        raise InputError("--grade", f"be in 1 .. {len(whole)}", grade)
    share = whole[grade - 1] / sum(whole)
    return [share, 1 - share]


def _numbers(name: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InputError(name, "be numbers, comma-separated", f"{text!r}") from None


def _whole(name: str, text: str) -> list[int]:
    numbers = _numbers(name, text)
    if any(n != int(n) for n in numbers):
        raise InputError(name, "be whole numbers, comma-separated", f"{text!r}")
    return [int(n) for n in numbers]


def _only_with(name: str, fits: bool) -> None:
    if not fits:
        rule = {
            "--specificity": "come with MEASURE sensitivity and --half-width",
            "--floor": "come with MEASURE kappa",
        }[name]
        raise InputError(name, rule, "another")


@group.command("cost")
def show_cost(
    *,
    cases: Annotated[float, typer.Option("--cases", min=1, help="Cases of the data set.")],
    seconds: Annotated[float, typer.Option("--seconds", help="To label one case, one reader.")],
    readers: Annotated[float, typer.Option("--readers", help="Who label each case.")] = 1,
    labelled: Annotated[
        float, typer.Option("--labelled", help="Share labelled by people; a model does the rest.")
    ] = 1.0,
    review_seconds: Annotated[
        float | None, typer.Option("--review-seconds", help="To review a label that a model made.")
    ] = None,
    reviewers: Annotated[
        float | None, typer.Option("--reviewers", help="Of each; as many as label by default.")
    ] = None,
    overlap: Annotated[float, typer.Option("--overlap", help="Share that more readers label.")] = 0,
    overlap_readers: Annotated[
        float, typer.Option("--overlap-readers", help="Readers of each overlap case.")
    ] = 3,
    rate: Annotated[float | None, typer.Option("--rate", help="Money for a reader's hour.")] = None,
    team: Annotated[
        int | None, typer.Option("--team", min=1, help="People who share the work, full time.")
    ] = None,
    hours: Annotated[float, typer.Option("--hours", help="Working hours a day.")] = 8,
    days: Annotated[float, typer.Option("--days", help="Working days a month.")] = 21,
    months: Annotated[float, typer.Option("--months", help="Working months a year.")] = 12,
    as_json: JsonOption = False,
) -> None:
    """Reader hours, person-years and money, and what they save against labelling all by hand.

    Example: **overread plan cost --cases 100000 --seconds 600 --readers 3 --labelled 0.1
    --review-seconds 20**
    """
    year = WorkingYear(hours, days, months)
    steps = steps_of(
        cases, seconds, readers=readers, labelled=labelled, review_seconds=review_seconds,
        reviewers=reviewers, overlap=overlap, overlap_readers=overlap_readers if overlap else 0,
    )  # fmt: skip
    found = cost(steps, year=year, rate=rate, team=team)
    by_hand = cost(steps_of(cases, seconds, readers=readers), year=year, rate=rate, team=team)
    if as_json:
        print_json(_cost_document(found) | {"all_by_hand": _cost_document(by_hand),
                                            "saving": found.saving(by_hand)})  # fmt: skip
        return
    table = Table(box=None, pad_edge=False)
    for name in ("step", "cases", "readers", "seconds", "hours"):
        table.add_column(name, justify="left" if name == "step" else "right")
    for step in found.steps:
        table.add_row(*_step_cells(step))
    console().print(table)
    console().print(found.words, markup=False)
    if labelled < 1 or overlap:
        saved = found.saving(by_hand)
        console().print(
            f"All labelled by {readers:g} each: {by_hand.person_years:,.2f} person-years; "
            f"this {'saves' if saved >= 0 else 'adds'} {percent(abs(saved))}.", markup=False
        )  # fmt: skip


def _step_cells(step: Step) -> tuple[str, ...]:
    return (
        step.name, f"{step.cases:,.0f}", f"{step.readers:g}", f"{step.seconds:g}",
        f"{step.hours:,.0f}",
    )  # fmt: skip


def _cost_document(found: Cost) -> dict[str, object]:
    return {
        "hours": found.hours,
        "person_years": found.person_years,
        "money": found.money,
        "months": found.months,
        "words": found.words,
        "steps": [asdict(step) | {"hours": step.hours} for step in found.steps],
    }


group.command("groups")(plan_reads.groups)
group.command("reads")(plan_reads.reads)
group.command("replan")(plan_reads.again)
group.command("project")(plan_project.project)
group.command("demand")(plan_reads.demand)
