"""A report as it is drawn: sentences and figures at the top, then sections of blocks."""

from __future__ import annotations

from dataclasses import dataclass

from overread.report.blocks import Figure, Section


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the page and the document draw.

    Args:
        title: of the report.
        over: small words above it, the date the last.
        date: as printed. version: of the software.
        sentences: title and text of each.
        figures: key figures.
        sections: the rest.
    """

    title: str
    over: tuple[str, ...]
    date: str
    version: str
    sentences: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    sections: tuple[Section, ...]
