"""The top of the report: three sentences and the key figures."""

from __future__ import annotations

import numpy as np

from overread.labels import Kind
from overread.report.blocks import Figure
from overread.report.content import Content
from overread.report.words import average, band, count, headline, interval, listed, number
from overread.words import percent

SURE = 0.95
_TITLES = ("Agreement", "Consensus", "Next")


def sentences(content: Content) -> tuple[tuple[str, str], ...]:
    """Title and text of the three sentences; the caller's own where there are any."""
    own = content.head.summary
    texts = own or (_agreement(content), _consensus(content), _next(content))
    titles = _TITLES if len(texts) == len(_TITLES) else ("",) * len(texts)
    return tuple(zip(titles, texts, strict=True))


def figures(content: Content) -> tuple[Figure, ...]:
    """Cases, readers, reads, repeats, cannot be read, read once."""
    head = content.head
    per_case = head.n_reads / head.n_cases if head.n_cases else 0.0
    single = head.n_single / head.n_cases if head.n_cases else 0.0
    unreadable = head.n_unreadable / head.n_reads if head.n_reads else 0.0
    return (
        Figure(f"{head.n_cases:,}", "cases", f"{average(per_case)} reads a case"),
        Figure(f"{len(content.readers):,}", "readers", _reader_words(content)),
        Figure(f"{head.n_reads:,}", "reads", _repeat_words(head.n_repeats)),
        Figure(
            f"{head.n_unreadable:,}",
            "cannot be read",
            "no read failed" if not head.n_unreadable else f"{percent(unreadable)} of the reads",
            "warning" if unreadable > 0.05 else "",
        ),
        Figure(
            f"{head.n_single:,}",
            "read by one reader",
            ("every case has a second read" if head.n_cases else "")
            if not head.n_single
            else f"{percent(single)} of the cases; nobody checks them",
            "warning" if single > 0.05 else "",
        ),
    )


def _reader_words(content: Content) -> str:
    n = len(content.readers)
    if content.head.anonymous:
        return "not told apart"
    if n == 0:
        return "nobody has read yet"
    if n == 1:
        return "agreement needs a second"
    return "enough to outvote one" if n > 2 else "a third would break ties"


def _repeat_words(n_repeats: int) -> str:
    if not n_repeats:
        return "no repeats: intra-reader unknown"
    return f"{count(n_repeats, 'repeat')} for intra-reader agreement"


def _agreement(content: Content) -> str:
    overall = content.agreement.overall
    if not overall:
        if not content.readers:
            return "Nobody has read yet, so there is nothing to compare."
        if len(content.readers) == 1:
            return "One reader alone cannot agree or disagree; ask a second to read the same cases."
        return "Agreement was not computed for this report."
    first = headline(overall)
    if first is None:
        return f"Agreement has no value here: {overall[0].undefined}."
    ends = interval(first.low, first.high)
    within = f" ({percent(first.level)} interval {ends})" if ends else ""
    adverb, figure = band(first), number(first.value, first.unit)
    caution = " Read the warning beside it." if first.warning else ""
    if adverb:
        return f"Readers agree {adverb}: {first.name} is {figure}{within}.{caution}"
    return f"{first.name} between readers is {figure}{within}.{caution}"


def _consensus(content: Content) -> str:
    result, head = content.consensus, content.head
    if result is None:
        return "No consensus was asked for; this report is about agreement alone."
    reads = result.reads[result.reads > 0]
    per_case = average(float(np.mean(reads))) if reads.size else "0"
    text = f"The consensus ({method_words(result.method)}) rests on {per_case} reads a case"
    shown = result.probability if result.kind not in (Kind.SCORE, Kind.MASK) else np.empty(0)
    if content.findings is not None:
        shown = content.findings.existence
    if shown.size:
        things = "findings" if content.findings is not None else "cases"
        text += f" and is at least {percent(SURE)} sure of {percent(float((shown >= SURE).mean()))}"
        text += f" of {shown.size:,} {things}"
    return f"{text}." + (
        f" {count(head.n_single, 'case')} rest on one reader alone." * (head.n_single > 0)
    )


def _next(content: Content) -> str:
    cases = content.cases
    if cases.n_next or cases.next_reads:
        n = max(cases.n_next, len(cases.next_reads))
        first = [item.case for item in cases.next_reads]
        start = (
            f", {listed(first, 2)}" if first and n <= 2 else f", {first[0]} first" if first else ""
        )
        return f"Ask for another read of {count(n, 'case')}{start}; they would gain most."
    if not content.readers:
        return "Hand the first cases to two readers or more, and run the report again."
    if len(content.readers) == 1:
        return (
            "Give at least a tenth of the cases to a second reader, to learn how far labels hold."
        )
    if cases.disputed:
        n = max(cases.n_disputed, len(cases.disputed))
        return f"Look at the {count(n, 'case')} that readers dispute, the first ones together."
    return "Nothing is disputed; keep a small overlap between readers so that it stays visible."


def method_words(method: str) -> str:
    """A method's registered name, as people say it."""
    known = {
        "dawid_skene": "Dawid-Skene",
        "one_coin": "one-coin Dawid-Skene",
        "ordinal": "ordinal Dawid-Skene",
        "ordinal_dawid_skene": "ordinal Dawid-Skene",
        "majority": "majority vote",
        "ebcc": "EBCC",
        "staple": "STAPLE",
        "hierarchical": "hierarchical Dawid-Skene",
    }
    return known.get(method, method.replace("_", " "))
