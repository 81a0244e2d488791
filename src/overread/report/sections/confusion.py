"""What readers say for what is there: one confusion matrix a reader, and the worst mix-ups."""

from __future__ import annotations

from typing import Any

import numpy as np

from overread.arrays import Floats
from overread.consensus.result import Consensus
from overread.report.blocks import Block, Cell, Chart, Charts, Column, Heading, Table
from overread.report.charts.interval_bar import share_bar
from overread.report.charts.matrix import confusion_matrix
from overread.report.content import Content
from overread.report.sections.behind import of_confusion
from overread.report.words import count
from overread.words import percent

_READERS_DRAWN = 9
_CLASSES_DRAWN = 8  # up to here every reader has a matrix; beyond, the pool alone
_POOL_DRAWN = 24
_MIXED = 15


def confusion_blocks(content: Content, result: Consensus[Any]) -> list[Block]:
    """Small multiples for few classes, the pooled matrix for many, and the worst mix-ups."""
    shares = result.reliability.confusion
    if shares is None or not shares.size or shares.shape[1] != len(content.classes):
        return []  # findings may have "nothing" as one class more
    blocks: list[Block] = [Heading("What is taken for what", "confusion")]
    classes = content.classes
    if len(classes) <= _POOL_DRAWN:
        blocks += _matrices(content, result, shares)
    blocks.append(_mixed(content, result, shares))
    return blocks


def _matrices(content: Content, result: Consensus[Any], shares: Floats) -> list[Block]:
    part, classes = result.reliability, content.classes
    few = len(classes) <= _CLASSES_DRAWN and not content.head.anonymous
    reads = np.asarray(part.reads, dtype=np.float64)
    drawn = np.argsort(-reads, kind="stable")[:_READERS_DRAWN] if few else np.empty(0, dtype=int)
    drawn = np.sort(drawn[reads[drawn] > 0])
    charts = []
    if len(part.readers) > 1 or not few:
        charts.append(_chart("All readers", pooled(shares, reads), classes, small=few))
    charts += [_chart(part.readers[i], shares[i], classes, small=True) for i in drawn]
    more = len(part.readers) - len(drawn)
    words = ""
    if few and more:
        words = f"Drawn are the {len(drawn)} readers with most reads; and {more} more."
    return [Charts(tuple(charts), small=few, more_words=words)]


def _chart(name: str, share: Floats, classes: tuple[str, ...], *, small: bool) -> Chart:
    side = max(24, min(44, 190 // len(classes))) if small else 0
    diagonal = np.diagonal(share)
    known = diagonal[np.isfinite(diagonal)]
    recall = percent(float(known.mean())) if known.size else "unknown"
    return Chart(
        name,
        confusion_matrix(classes, share, side=side),
        f"Confusion matrix of {name}: rows are the consensus, columns what is said; "
        f"mean recall {recall}.",
        f"{recall} right on average over classes",
        wide=not small,
    )


def pooled(shares: Floats, reads: Floats) -> Floats:
    """(classes, classes) mean confusion of all readers, each weighted by the number of reads."""
    known = np.isfinite(shares)
    weight = np.where(known, reads[:, None, None], 0.0)
    total = weight.sum(axis=0)
    mean = (np.where(known, shares, 0.0) * weight).sum(axis=0) / np.where(total > 0, total, 1.0)
    return np.asarray(np.where(total > 0, mean, np.nan))


def _mixed(content: Content, result: Consensus[Any], shares: Floats) -> Table:
    classes = content.classes
    pool = pooled(shares, np.asarray(result.reliability.reads, dtype=float))
    off = np.where(np.isfinite(pool), pool, 0.0)
    np.fill_diagonal(off, 0.0)
    order = np.argsort(-off, axis=None, kind="stable")
    order = order[off.reshape(-1)[order] > 0]
    rows = []
    for flat in order[:_MIXED]:
        truth, said = divmod(int(flat), len(classes))
        share = float(off[truth, said])
        rows.append(
            (
                Cell(f"{classes[truth]} read as {classes[said]}"),
                Cell(percent(share), svg=share_bar(share, width=120)),
                Cell(
                    _mixed_words(share), links=of_confusion(content, classes[truth], classes[said])
                ),
            )
        )
    columns = (Column("Mix-up", "name"), Column("Of the reads", "bar"), Column("Is this good?"))
    more = max(0, len(order) - _MIXED)
    caption = f"The most frequent mix-ups, over {count(len(result.reliability.readers), 'reader')}"
    return Table(caption, columns, tuple(rows), 6, more, "rarer ones")


def _mixed_words(share: float) -> str:
    if share >= 0.25:
        return "the guideline should show how to tell them apart"
    if share >= 0.1:
        return "worth a page in the atlas"
    return "rare"
