"""The cases behind the numbers: most disputed ones, and those that need another read."""

from __future__ import annotations

import math

from overread.report.blocks import (
    Block,
    CaseCard,
    CaseList,
    Cell,
    Chart,
    Charts,
    Column,
    Heading,
    Legend,
    Note,
    Section,
    Table,
    VoteGroup,
)
from overread.report.charts.bars import histogram
from overread.report.charts.interval_bar import share_bar
from overread.report.charts.panel import panel
from overread.report.content import CaseView, Content
from overread.report.sections.behind import case_anchor, most_listed
from overread.report.words import count, number

_LISTED = 20
_DRAWN = 12
_NAMED = 12  # readers named in one group of votes
_LEGEND = 24
_NEXT = 60


def cases_section(content: Content) -> Section:
    """Disputed cases with their votes, then those that need another read."""
    part = content.cases
    blocks: list[Block] = []
    if part.disputed:
        blocks += _disputed(content)
    elif len(content.readers) > 1:
        text = "No two reads of one case differ. A wider overlap between readers would test this."
        blocks.append(Note("Nothing is disputed", text, "empty"))
    elif not content.readers:
        text = "Once reads are in, the cases that readers dispute stand here, with every vote."
        blocks.append(Note("No reads yet", text, "empty"))
    else:
        text = "A case is disputed when two reads of it differ; here every case has one reader."
        blocks.append(Note("Nothing can be disputed yet", text, "empty"))
    blocks += _next_reads(content)
    n = max(part.n_disputed, len(part.disputed))
    lead = f"{count(n, 'case')} with reads that differ, the least certain first."
    return Section(
        "cases", "Cases to look at", lead if n else "Cases behind the numbers.", tuple(blocks)
    )


def _disputed(content: Content) -> list[Block]:
    part = content.cases
    drawn = any(case.panel is not None for case in part.disputed)
    most = _DRAWN if drawn else _LISTED
    blocks: list[Block] = []
    if not content.head.anonymous:
        blocks.append(_legend(content))
    top = max((c.entropy for c in part.disputed if math.isfinite(c.entropy)), default=1.0)
    cards = tuple(
        _card(content, i, case) for i, case in enumerate(part.disputed[: most_listed(content)])
    )
    more = max(part.n_disputed, len(part.disputed)) - len(cards)
    blocks.append(
        CaseList(
            cards,
            drawn,
            min(most, len(cards)),
            max(more, 0),
            "less disputed, in the consensus table",
        )
    )
    known = [] if part.entropy is None else [e for e in part.entropy.tolist() if math.isfinite(e)]
    if part.entropy is not None and known:
        ends = (0.0, max(*known, top, 0.1))
        chart = Chart(
            "How uncertain all cases are",
            histogram(part.entropy, axis="entropy (nats)", domain=ends, bins=24, width=560),
            f"Histogram of the entropy of {count(len(known), 'case')}.",
            "0 is certain; ln 2 = 0.69 is a coin between two classes.",
        )
        blocks.append(Charts((chart,)))
    return blocks


def _legend(content: Content) -> Legend:
    voting = {vote.reader for case in content.cases.disputed for vote in case.votes}
    shown = sorted(i for i in voting if 0 <= i < len(content.readers))
    names = tuple((i, content.readers[i]) for i in shown[:_LEGEND])
    return Legend(names, len(shown) - len(names), any(c.panel for c in content.cases.disputed))


def _card(content: Content, position: int, case: CaseView) -> CaseCard:
    known = math.isfinite(case.probability)
    return CaseCard(
        case_anchor(position),
        case.name,
        case.consensus,
        number(case.probability) if known else "",
        share_bar(case.probability) if known else "",
        number(round(case.entropy, 2)) if math.isfinite(case.entropy) else "",
        _groups(content, case),
        case.note,
        panel(case.panel) if case.panel is not None else "",
    )


def _groups(content: Content, case: CaseView) -> tuple[VoteGroup, ...]:
    said: dict[str, list[tuple[int, str]]] = {}
    for vote in case.votes:
        inside = 0 <= vote.reader < len(content.readers) and not content.head.anonymous
        name = content.readers[vote.reader] if inside else ""
        said.setdefault(vote.said, []).append((vote.reader if inside else -1, name))
    for readers in said.values():
        readers.sort()
    ordered = sorted(said.items(), key=lambda item: (item[0] != case.consensus, -len(item[1])))
    return tuple(
        VoteGroup(text, tuple(readers[:_NAMED]), len(readers), text == case.consensus)
        for text, readers in ordered
    )


def _next_reads(content: Content) -> list[Block]:
    part = content.cases
    if not part.next_reads:
        return []
    top = max(item.gain for item in part.next_reads) or 1.0
    rows = tuple(
        (
            Cell(item.case),
            Cell(
                number(item.gain, "nats"), svg=share_bar(item.gain / top, ink="accent", width=120)
            ),
            Cell(item.reason),
        )
        for item in part.next_reads[:_NEXT]
    )
    columns = (Column("Case", "name"), Column("Expected gain", "bar"), Column("Why"))
    more = max(0, max(part.n_next, len(part.next_reads)) - len(rows))
    table = Table(
        "Cases that another read would help most", columns, rows, 15, more, "with less to gain"
    )
    return [Heading("Cases that need another read", "next-reads"), table]
