"""What a rule says, and what it is asked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from overread.errors import InputError
from overread.labels import Reads
from overread.monitoring.rules.figures import DrawnFigures, no_drawings
from overread.monitoring.rules.fingerprints import Fingerprint
from overread.monitoring.rules.population import Population


class Severity(StrEnum):
    """How much a hint matters."""

    NOTE = "note"  # worth knowing
    WARNING = "warning"  # worth a second look
    ERROR = "error"  # contradicts the schema or itself


@dataclass(frozen=True, slots=True)
class Hint:
    """One thing that a rule found.

    Args:
        rule: name of the rule.
        severity: how much it matters.
        words: one sentence for the reader or the lead, without names of cases or readers.
        case, reader: whose; "" where it concerns the set.
        finding: place of the drawing in its read, from 1 (of masks the class's code); None where
            it concerns the whole read.
        label: class, "" where none is meant.
        numbers: what the words rest on, lengths in pixels unless the name says ``_mm``.
        read: row of the read table; None where it concerns no single read.
        twin: row and finding of the drawing that it is nearly the same as, or row alone.
    """

    rule: str
    severity: Severity
    words: str
    case: str = ""
    reader: str = ""
    finding: int | None = None
    label: str = ""
    numbers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    read: int | None = field(default=None, compare=False)
    twin: tuple[int, int | None] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Constraints:
    """What the final protocol says about answers.

    Args:
        classes: its classes; None if unsaid. A label of another class is one that it lost.
        no_finding: classes that mean "nothing found", which stand alone.
        exclusive: sets of classes of which one read may say one.
        version: name of the final protocol version; reads of another are stale. None if unsaid.
        changed: classes that the versions since changed; None: all are touched.
    """

    classes: frozenset[str] | None = None
    no_finding: frozenset[str] = frozenset()
    exclusive: tuple[frozenset[str], ...] = ()
    version: str | None = None
    changed: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RuleContext:
    """What a rule is asked with. A rule that lacks what it needs says nothing.

    Args:
        reads: the reads looked at, one of one reader or the whole set.
        drawn: figures of their drawings; without rows where no images were looked at.
        usual: class code -> what is usual for its drawings; may come from another, larger set.
        prints: case code -> fingerprint of its image.
        constraints: of the protocol.
        spacing_mm: case code -> mm a pixel (row, column).
        false_alarm: probability that a rule speaks of a usual drawing, or in the whole set of a
            usual reader or a pair of different images.
        sample: this is one read on its way, so rules of whole sets (imbalance, readers) are mute.
    Raises:
        InputError: a false-alarm rate outside (0, 0.5).
    """

    reads: Reads
    drawn: DrawnFigures = field(default_factory=no_drawings)
    usual: Mapping[int, Population] = field(default_factory=lambda: MappingProxyType({}))
    prints: Mapping[int, Fingerprint] = field(default_factory=lambda: MappingProxyType({}))
    constraints: Constraints = Constraints()
    spacing_mm: Mapping[int, tuple[float, float]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    false_alarm: float = 0.01
    sample: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.false_alarm < 0.5:
            raise InputError("false_alarm", "lie between 0 and 0.5", self.false_alarm)

    def case_of(self, read: int) -> str:
        """Name of the case of a read."""
        return str(self.reads.index.cases[self.reads.index.case[read]])

    def reader_of(self, read: int) -> str:
        """Name of the reader of a read."""
        return self.reads.index.readers[int(self.reads.index.reader[read])]

    def hint(
        self,
        rule: str,
        severity: Severity,
        words: str,
        read: int,
        *,
        finding: int | None = None,
        label: str = "",
        **numbers: float,
    ) -> Hint:
        """A hint about one read."""
        case, reader = self.case_of(read), self.reader_of(read)
        return Hint(rule, severity, words, case, reader, finding, label, numbers, read)


Rule: TypeAlias = Callable[[RuleContext], tuple[Hint, ...]]
"""A rule: a pure function of the context. The ready-made ones and a user's own look alike."""
