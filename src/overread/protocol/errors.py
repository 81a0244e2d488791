"""What is wrong with a protocol file: every fault with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from overread.errors import InputError


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Args:
        line: in the file, from 1.
        where: the path of the value ("questions 1, classes 3, colour").
        rule: what it must do, completing "must ...".
        got: the offending value, shortened.
    """

    line: int
    where: str
    rule: str
    got: str

    def __str__(self) -> str:
        """The fault as a sentence."""
        return f"line {self.line}: {self.where} must {self.rule}; got {self.got}"


class ProtocolError(InputError):
    """A protocol file breaks rules; ``problems`` names every one of them, in order of lines."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.file = name
        self.problems = tuple(sorted(problems, key=lambda one: one.line))
        first = self.problems[0]
        more = len(self.problems) - 1
        remedy = f"{more} more below it." if more else ""
        where = f"{name}, line {first.line}: {first.where}"
        super().__init__(where, first.rule, first.got, remedy=remedy)

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process."""
        return type(self), (self.file, self.problems)


def short(value: object, most: int = 60) -> str:
    """A value as it is shown in a fault."""
    text = repr(value)
    return text if len(text) <= most else text[: most - 1] + "…"
