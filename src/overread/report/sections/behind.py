"""Which cases stand behind a figure: links from numbers to the disputed cases of the report."""

from __future__ import annotations

from collections.abc import Callable

from overread.report.blocks import Link
from overread.report.content import CaseView, Content

_LINKS = 3
_NAME = 18


def most_listed(content: Content) -> int:
    """Disputed cases that the report holds; drawings are large."""
    drawn = any(case.panel is not None for case in content.cases.disputed)
    return 24 if drawn else 60


def case_anchor(position: int) -> str:
    """Id of a disputed case on the page, by its place in the list."""
    return f"case-{position + 1}"


def of_class(content: Content, name: str) -> tuple[Link, ...]:
    """Disputed cases in which somebody, or the consensus, says this class."""
    return _links(
        content,
        lambda case: case.consensus == name or any(vote.said == name for vote in case.votes),
    )


def of_reader(content: Content, reader: int) -> tuple[Link, ...]:
    """Disputed cases in which this reader differs from the consensus."""
    return _links(
        content,
        lambda case: any(v.reader == reader and v.said != case.consensus for v in case.votes),
    )


def of_pair(content: Content, one: int, other: int) -> tuple[Link, ...]:
    """Disputed cases in which these two readers differ."""

    def differ(case: CaseView) -> bool:
        first = {vote.said for vote in case.votes if vote.reader == one}
        second = {vote.said for vote in case.votes if vote.reader == other}
        return bool(first and second and first != second)

    return _links(content, differ)


def of_confusion(content: Content, truth: str, said: str) -> tuple[Link, ...]:
    """Disputed cases of one consensus class in which somebody says another."""
    return _links(
        content,
        lambda case: case.consensus == truth and any(vote.said == said for vote in case.votes),
    )


def short(name: str) -> str:
    """A name that fits into a link."""
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _links(content: Content, wanted: Callable[[CaseView], bool]) -> tuple[Link, ...]:
    listed = content.cases.disputed[: most_listed(content)]
    found = [(i, case) for i, case in enumerate(listed) if wanted(case)]
    return tuple(Link(case_anchor(i), short(case.name)) for i, case in found[:_LINKS])
