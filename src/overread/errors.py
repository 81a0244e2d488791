"""The errors Overread raises on purpose.

Every message has the form ``{name} must {rule}; got {value}`` followed by a remedy, so that
a reader of a log, a page or a terminal knows what to change. No message holds a case name, a
reader name or any other identifier: rows are named by their number, counted from 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

_SHOWN_ROWS = 5


class OverreadError(Exception):
    """Base of every error that Overread raises on purpose."""


class InputError(OverreadError, ValueError):
    """An input breaks a rule.

    Args:
        name: what is wrong, in the words of the caller ("label", "x2", "READS").
        rule: what it must do, completing "must ...".
        got: the offending value, already safe to show (no identifier).
        rows: numbers (from 1, the header not counted) of the rows concerned.
        remedy: the one thing to do, a full sentence.
    """

    def __init__(
        self, name: str, rule: str, got: object, *, rows: Iterable[int] = (), remedy: str = ""
    ) -> None:
        self.name = name
        self.rule = rule
        self.got = got
        self.rows = tuple(int(row) for row in rows)
        self.remedy = remedy
        where = f"{_row_words(self.rows)}: " if self.rows else ""
        message = f"{where}{name} must {rule}; got {got}"
        super().__init__(f"{message}. {remedy}" if remedy else message)

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process, which pickle cannot do from the message."""
        words = self.name, self.rule, str(self.got)
        return partial(type(self), *words, rows=self.rows, remedy=self.remedy), ()


class MissingExtraError(OverreadError, ImportError):
    """A heavy part is asked for whose packages are not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.what = what
        self.extra = extra
        super().__init__(
            f"{what} needs packages that are not installed. Run: pip install 'overread[{extra}]'"
        )

    def __reduce__(self) -> tuple[object, ...]:
        """As of :class:`InputError`."""
        return type(self), (self.what, self.extra)


class MethodError(OverreadError):
    """A method cannot be applied to otherwise sound reads; the message says why and what can."""


def _row_words(rows: tuple[int, ...]) -> str:
    shown = ", ".join(str(row) for row in rows[:_SHOWN_ROWS])
    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
