"""What a reader can say: the kind of label, its classes, its range."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from overread.arrays import natural_key
from overread.errors import InputError


class Kind(StrEnum):
    """The label kinds. One read table exists for each (instances: ``InstanceReads``)."""

    NOMINAL = "nominal"  # one class of several, no order
    ORDINAL = "ordinal"  # one grade of several, in order
    MULTILABEL = "multi-label"  # any subset of the classes
    SCORE = "score"  # a number
    BOX = "box"  # any number of boxes, each with a class
    INSTANCE = "instance"  # any number of outlines, each with a class
    MASK = "mask"  # every pixel a class; class 0 is the background


@dataclass(frozen=True, slots=True)
class LabelClass:
    """One class (or grade) of a schema.

    Args:
        name: what readers say.
        code: optional ontology code, written "SCHEME:CODE" ("RADLEX:RID5350", "SCT:233604007").
    """

    name: str
    code: str | None = None

    def __post_init__(self) -> None:
        if not self.name or self.name != self.name.strip():
            raise InputError("class name", "be a text without blanks around it", f"{self.name!r}")
        if self.code is not None and ":" not in self.code:
            raise InputError(
                "ontology code",
                'be written "SCHEME:CODE"',
                f"{self.code!r}",
                remedy='For example "RADLEX:RID5350".',
            )


@dataclass(frozen=True, slots=True)
class LabelSchema:
    """The answers that a protocol allows.

    Args:
        kind: the label kind.
        classes: in the order of the codes 0, 1, ...; for ordinal kinds from least to most; for
            masks the background comes first; empty for scores.
        low, high: inclusive range of a score; ``None`` is unbounded.
    Raises:
        InputError: two classes of one name, too few classes for the kind, or an empty range.
    """

    kind: Kind
    classes: tuple[LabelClass, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        names = self.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError("class names", "differ from each other", f"{twice[0]!r} twice")
        if self.kind is Kind.SCORE and names:
            raise InputError("a score schema", "have no classes", f"{len(names)} classes")
        if self.kind is not Kind.SCORE and not names:
            raise InputError(f"a {self.kind} schema", "have at least one class", "none")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise InputError("score range", "have low < high", f"{self.low} .. {self.high}")

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in the order of their codes."""
        return tuple(one.name for one in self.classes)

    def code(self, name: str) -> int:
        """Code of the class called ``name``; ``InputError`` when the schema has no such class."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InputError("class", f"be one of {', '.join(self.names)}", f"{name!r}") from None


def schema_of(kind: Kind, names: Iterable[str]) -> LabelSchema:
    """Schema with these class names in natural order ("2" before "10"), without codes.

    Example:
        >>> schema_of(Kind.ORDINAL, ["10", "2"]).names
        ('2', '10')
    """
    return LabelSchema(kind, tuple(LabelClass(name) for name in sorted(names, key=natural_key)))
