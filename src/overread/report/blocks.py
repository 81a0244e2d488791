"""What sections are made of: blocks that the page and the document both know how to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Link:
    """A way to a place in the report. Args: anchor: id without "#"; text: what it says."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table.

    Args:
        text: what it says.
        note: a second, quieter line.
        svg: a small drawing instead of, or before, the text.
        reader: index of the reader whose mark stands before the text; -1 none.
        links: to the cases behind the figure.
        tone: "", "warning" or "quiet".
    """

    text: str = ""
    note: str = ""
    svg: str = ""
    reader: int = -1
    links: tuple[Link, ...] = ()
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. Args: role: "name", "number", "bar" or "words"."""

    title: str
    role: str = "words"


@dataclass(frozen=True, slots=True)
class Table:
    """A table. Rows after ``shown`` are folded away on the page, left out of the document.

    Args:
        more: rows that are not here at all.
        more_words: where they are, completing "and 120 more ...".
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: int = 12
    more: int = 0
    more_words: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing. Args: alt: what it shows, for those who do not see it; wide: a row of its own."""

    kind: ClassVar[str] = "chart"
    title: str
    svg: str
    alt: str
    caption: str = ""
    wide: bool = True


@dataclass(frozen=True, slots=True)
class Charts:
    """Drawings side by side."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]
    small: bool = False
    more_words: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section. Args: anchor: id, or ""."""

    kind: ClassVar[str] = "heading"
    text: str
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that stands out. Args: tone: "warning", "good", "empty" (teaches what to do)."""

    kind: ClassVar[str] = "note"
    title: str
    text: str
    tone: str = "warning"


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure. Args: words: is this good?"""

    value: str
    label: str
    words: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Key figures side by side."""

    kind: ClassVar[str] = "figures"
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class VoteGroup:
    """Readers who said the same. Args: readers: (index, name), a few; n: all of them."""

    said: str
    readers: tuple[tuple[int, str], ...]
    n: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class CaseCard:
    """One case with its votes."""

    anchor: str
    name: str
    consensus: str
    probability: str
    probability_svg: str
    entropy: str
    votes: tuple[VoteGroup, ...]
    note: str = ""
    svg: str = ""


@dataclass(frozen=True, slots=True)
class CaseList:
    """Cases, one a row, or one a card where they are drawn; after ``shown`` folded away."""

    kind: ClassVar[str] = "cases"
    cases: tuple[CaseCard, ...]
    drawn: bool
    shown: int = 60
    more: int = 0
    more_words: str = ""


@dataclass(frozen=True, slots=True)
class Legend:
    """Readers and their marks.

    Args: readers: (index, name); more: readers not shown; drawn: the
    consensus is drawn beside them; title: what has the marks, if not readers.
    """

    kind: ClassVar[str] = "legend"
    readers: tuple[tuple[int, str], ...]
    more: int = 0
    drawn: bool = False
    title: str = "Readers"


@dataclass(frozen=True, slots=True)
class Terms:
    """Words and what they mean. Args: terms: (word, meaning)."""

    kind: ClassVar[str] = "terms"
    terms: tuple[tuple[str, str], ...]


Block: TypeAlias = (
    Table | Chart | Charts | Text | Heading | Note | Figures | CaseList | Legend | Terms
)


@dataclass(frozen=True, slots=True)
class Section:
    """One section. Args: anchor: id; lead: its answer in a sentence."""

    anchor: str
    title: str
    lead: str
    blocks: tuple[Block, ...]
