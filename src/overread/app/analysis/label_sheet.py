"""What label rules found in a set, laid out as one sheet with a picture of what each is about."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby
from pathlib import Path

from overread import __version__
from overread.app.analysis.check_labels import Checked, power
from overread.app.analysis.drawn_paths import DrawnPath, drawn_path
from overread.app.analysis.label_images import decoded, images_by_name
from overread.images import CaseImage, thumbnail
from overread.monitoring.rules import Hint, class_balance
from overread.report import Sheet
from overread.report.blocks import (
    Block,
    Cell,
    Chart,
    Charts,
    Column,
    Figure,
    Section,
    Table,
    Text,
)
from overread.words import percent

MOST = 24
"""Pictures of one rule."""

_SIDE = 320  # pixels of a picture
_MARGIN = 0.6
_LEAST = 24.0


@dataclass(frozen=True, slots=True)
class About:
    """What the sheet says of itself. Args: title: of the sheet; source: name of the reads' file."""

    title: str
    source: str
    date: str


def label_sheet(checked: Checked, about: About, images: Path | None) -> Sheet:
    """Lay out what the rules found.

    Args:
        images: folder that was looked at; the pictures are cut out of its images again.
    Raises:
        MissingExtraError: the packages that draw pictures are not installed.
    """
    index, hints = checked.context.reads.index, checked.hints
    kinds = len({hint.rule for hint in hints})
    by_rule = {rule: tuple(those) for rule, those in groupby(sorted(hints, key=_rule), key=_rule)}
    order = sorted(by_rule, key=lambda rule: hints.index(by_rule[rule][0]))
    shown = {rule: by_rule[rule][:MOST] for rule in order}
    drawn = {} if images is None else _pictures(checked, shown.values(), images)
    rate = percent(checked.context.false_alarm, 1)
    words = f"{len(hints):,} hints of {kinds} kinds. They are hints, not verdicts: nothing was"
    sections = [_section(rule, by_rule[rule], shown[rule], drawn) for rule in order]
    return Sheet(
        about.title,
        ("label rules", about.source, about.date),
        about.date,
        __version__,
        (
            ("Found", f"{words} changed." if hints else "Nothing stands out."),
            ("Power", _power_words(checked)),
        ),
        (
            Figure(f"{index.n_reads:,}", "reads", f"of {index.n_cases:,} cases"),
            Figure(f"{checked.context.drawn.n:,}", "drawings", "measured on their images"),
            Figure(f"{checked.looked_at:,}", "images", _missing_words(checked)),
            Figure(f"{len(hints):,}", "hints", f"at a rate of {rate}"),
        ),
        (*sections, *_balance(checked)),
    )


def _rule(hint: Hint) -> str:
    return hint.rule


def _power_words(checked: Checked) -> str:
    told = [
        f"of {name} drawn 30 % too wide, {percent(share)}" for name, share in power(checked).items()
    ]
    if not told:
        return "Too few drawings of a class to say how many loose ones would be listed."
    return f"Tried on this set: {'; '.join(told)} would be listed."


def _missing_words(checked: Checked) -> str:
    parts = (
        (checked.not_found * bool(checked.looked_at), "not in the folder"),
        (checked.refused, "not decoded"),
        (checked.misplaced, "reads of another size"),
    )
    return ", ".join(f"{count:,} {words}" for count, words in parts if count)


def _section(
    rule: str, hints: Sequence[Hint], shown: Sequence[Hint], drawn: Mapping[int, str]
) -> Section:
    title = rule.replace("-", " ")
    pictures = tuple(
        Chart(_about(hint), drawn[id(hint)], _about(hint), hint.words, wide=False)
        for hint in shown
        if id(hint) in drawn
    )
    rest = [hint for hint in hints if id(hint) not in drawn]
    blocks: list[Block] = []
    if pictures:
        blocks.append(Charts(pictures, small=True))
    if rest:
        rows = tuple((Cell(_about(hint)), Cell(hint.words)) for hint in rest)
        blocks.append(Table(title, (Column("What", "name"), Column("Why")), rows))
    name = title[:1].upper() + title[1:]
    count = "1 hint." if len(hints) == 1 else f"{len(hints):,} hints."
    return Section(rule, name, count, tuple(blocks))


def _about(hint: Hint) -> str:
    parts = (
        hint.case and f"case {hint.case}",
        hint.reader and f"reader {hint.reader}",
        hint.finding is not None and f"drawing {hint.finding}",
        hint.label,
    )
    return ", ".join(str(one) for one in parts if one) or "the set"


def _balance(checked: Checked) -> Iterable[Section]:
    balance = class_balance(checked.context.reads)
    if balance is None:
        return
    columns = (
        ("Class", "name"), ("Count", "number"), ("1 to", "number"), ("To balance", "words"),
    )  # fmt: skip
    rows = []
    for at, name in enumerate(balance.names):
        more = int(balance.more[at])
        advice = f"read about {more:,} more, or train on {balance.keep[at]:,} of the largest"
        ratio = f"{balance.ratio[at]:.1f}" if balance.count[at] else "-"
        count = f"{balance.count[at]:,.0f}"
        rows.append((Cell(name), Cell(count), Cell(ratio), Cell(advice if more else "")))
    table = Table("Classes", tuple(Column(*one) for one in columns), tuple(rows))
    text = Text("Ratios are of effective numbers of samples (Cui et al. 2019).")
    lead = "How often each class occurs, and what would balance the set."
    yield Section("classes", "Classes", lead, (table, text))


def _pictures(checked: Checked, groups: Iterable[Sequence[Hint]], folder: Path) -> dict[int, str]:
    """Id of a hint -> SVG of what it is about; none where its image is not there."""
    reads = checked.context.reads
    wanted: dict[str, list[tuple[Hint, DrawnPath | None]]] = {}
    for hint in (one for group in groups for one in group if one.case):
        row, finding = hint.read, hint.finding
        path = None if row is None or finding is None else drawn_path(reads, row, finding)
        wanted.setdefault(hint.case, []).append((hint, path))
    if not wanted or not checked.looked_at:
        return {}
    made: dict[int, str] = {}
    known = {str(reads.index.cases[code]) for code in checked.context.prints}
    for case, image in decoded(images_by_name(folder, sorted(wanted.keys() & known))):
        for hint, path in wanted[case] if image is not None else ():
            if image is not None:
                made[id(hint)] = _svg(image, path)
    return made


def _svg(image: CaseImage, path: DrawnPath | None) -> str:
    """Part of an image with the drawing over it."""
    at = len(image.frames) // 2 if path is None else min(path.frame, len(image.frames) - 1)
    left, top, right, bottom = 0, 0, image.columns, image.rows
    if path is not None:
        x1, y1, x2, y2 = path.box
        margin = max(_LEAST, _MARGIN * max(x2 - x1, y2 - y1))
        left, top = max(0, int(x1 - margin)), max(0, int(y1 - margin))
        right = min(image.columns, int(x2 + margin) + 1)
        bottom = min(image.rows, int(y2 + margin) + 1)
    part = replace(image, frames=(image.frames[at][top:bottom, left:right],))
    data = base64.b64encode(thumbnail(part, size=_SIDE)).decode()
    width, height = right - left, bottom - top
    line = f'fill="none" vector-effect="non-scaling-stroke" d="{escape(path.path)}"' if path else ""
    over = (
        f'<g transform="translate({-left} {-top})"><path stroke="#000" stroke-opacity=".6" '
        f'stroke-width="4" {line}/><path stroke="#9ba5ff" stroke-width="2" {line}/></g>'
        if path
        else ""
    )
    return (
        f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">'
        f'<image href="data:image/png;base64,{data}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none"/>{over}</svg>'
    )
