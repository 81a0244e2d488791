"""What a plan of reads is made of: cases, readers, the design asked for, and the plan itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from overread.arrays import Bools, Ints
from overread.errors import InputError

Groups = Literal["free", "together", "apart"]


class Role(StrEnum):
    """Why a reader gets a case."""

    ONLY = "only"  # an ordinary first read
    OVERLAP = "overlap"  # one of the cases that several read
    GOLD = "gold"  # the answer is known; the reader does not know that it is
    REPEAT = "repeat"  # the reader's own case again, unannounced


ROLES = tuple(Role)


@dataclass(frozen=True, slots=True, eq=False)
class PlanCases:
    """Cases to be planned.

    Args:
        names: each once.
        tags: "class", "site", "modality", ... -> one text a case; balance and qualifications
            speak of them. "" is not known.
        group: (cases,) patient of each case; None where every case stands alone.
    """

    names: tuple[str, ...]
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    group: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if len(set(self.names)) < len(self.names):
            seen: set[str] = set()
            row = next(i for i, n in enumerate(self.names) if n in seen or seen.add(n))  # type: ignore[func-returns-value]
            raise InputError("case", "be there once", "the same name again", rows=[row + 1])
        for name, column in (*self.tags.items(), ("group", self.group or self.names)):
            if len(column) != len(self.names):
                raise InputError(name, f"have {len(self.names)} entries", len(column))

    def in_order(self) -> PlanCases:
        """The same cases sorted by name, so that a plan does not depend on the rows' order."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)

        def sort(column: Sequence[str]) -> tuple[str, ...]:
            return tuple(column[i] for i in order)

        tags = {name: sort(column) for name, column in sorted(self.tags.items())}
        return PlanCases(sort(self.names), tags, None if self.group is None else sort(self.group))


NO_CASES = PlanCases(())


@dataclass(frozen=True, slots=True)
class PlanReader:
    """Somebody who reads.

    Args:
        name: who.
        most: reads at most, gold and repeats not counted; None is no limit.
        may_not: tag -> values that this reader is not qualified for.
        seen: names of cases (gold, too) that this reader is not to be given, whatever their tags:
            they refused it, or know what others said of it.
    """

    name: str
    most: int | None = None
    may_not: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    seen: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.most is not None and self.most < 0:
            raise InputError("reads at most", "be 0 or more", self.most)


@dataclass(frozen=True, slots=True)
class Design:
    """How the cases are to be read.

    Args:
        batches: parts of the data set, one after the other.
        sub_batches: parts of each batch.
        reads: readers of each ordinary case.
        overlap: share of the cases that ``overlap_readers`` read.
        overlap_readers: readers of each overlap case.
        groups: cases of one patient are "free", "together" (the same readers, the same
            sub-batch, one after the other) or "apart" (no reader reads two of them).
        gold: hidden known cases for each ordinary or overlap read.
        repeats: hidden second looks for each ordinary or overlap read.
        distance: least difference in position between the two looks.
        seed: of all draws.
    Raises:
        InputError: a number out of its range.
    """

    batches: int = 1
    sub_batches: int = 1
    reads: int = 1
    overlap: float = 0.0
    overlap_readers: int = 3
    groups: Groups = "free"
    gold: float = 0.0
    repeats: float = 0.0
    distance: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("batches", self.batches, 1),
            ("sub-batches", self.sub_batches, 1),
            ("reads", self.reads, 1),
            ("distance", self.distance, 1),
            ("seed", self.seed, 0),
        ):
            if value < least:
                raise InputError(name, f"be {least} or more", value)
        for name, share in (
            ("overlap", self.overlap),
            ("gold", self.gold),
            ("repeats", self.repeats),
        ):
            if not 0 <= share <= 1:
                raise InputError(name, "be a share between 0 and 1", share)
        if self.overlap and self.overlap_readers < max(self.reads, 2):
            rule = f"be at least {max(self.reads, 2)}"
            raise InputError("readers of the overlap", rule, self.overlap_readers)
        if self.groups not in ("free", "together", "apart"):
            raise InputError("groups", "be free, together or apart", f"{self.groups!r}")


@dataclass(frozen=True, slots=True)
class Balance:
    """How even a plan is; reads are those of roles only and overlap.

    Args:
        load: (fewest, most) reads of a reader.
        off: tag -> largest difference, in reads, between what a reader has of a value and an
            even share of it (of the readers who may read it, by their loads).
        pairs: (fewest, most) overlap cases on which two readers meet; (0, 0) without overlap.
        words: the same in plain words.
    """

    load: tuple[int, int]
    off: Mapping[str, float]
    pairs: tuple[int, int]
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Who reads what: one row a read, by reader and position.

    Args:
        cases: names of all cases, gold behind the others.
        readers: names.
        case, reader: (rows,) places in ``cases`` and ``readers``.
        batch, sub_batch: (rows,) from 1; sub-batches are counted within their batch.
        position: (rows,) from 1 within a reader.
        role: (rows,) places in :data:`ROLES`.
        balance: how even it is; notes: what could only nearly be met, in words.
    """

    cases: tuple[str, ...]
    readers: tuple[str, ...]
    case: Ints
    reader: Ints
    batch: Ints
    sub_batch: Ints
    position: Ints
    role: Ints
    balance: Balance
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.case.size)

    def of_role(self, role: Role) -> Bools:
        """(rows,) which have it."""
        return np.asarray(self.role == ROLES.index(role))

    def counts(self) -> dict[str, int]:
        """Rows of each role."""
        return {role.value: int(self.of_role(role).sum()) for role in ROLES}

    def picture(self) -> list[tuple[str, int, int, dict[str, int]]]:
        """(reader, batch, sub-batch, rows of each role): the plan as a table to draw."""
        parts = sorted(set(zip(self.batch.tolist(), self.sub_batch.tolist(), strict=True)))
        out: list[tuple[str, int, int, dict[str, int]]] = []
        for j, name in enumerate(self.readers):
            for batch, sub in parts:
                here = (self.reader == j) & (self.batch == batch) & (self.sub_batch == sub)
                many: NDArray[np.int64] = np.bincount(self.role[here], minlength=len(ROLES))
                out.append(
                    (
                        name,
                        batch,
                        sub,
                        dict(zip((r.value for r in ROLES), many.tolist(), strict=True)),
                    )
                )
        return out


def qualified(cases: PlanCases, readers: Sequence[PlanReader]) -> Bools:
    """(cases, readers) who may read what."""
    may = np.ones((len(cases.names), len(readers)), dtype=np.bool_)
    for j, reader in enumerate(readers):
        for tag, values in reader.may_not.items():
            if tag not in cases.tags:
                has = ", ".join(cases.tags) or "none"
                rule = f"be a column of the cases, for {tag} is not"
                raise InputError("qualification", rule, has)
            barred = np.array([value in values for value in cases.tags[tag]], dtype=np.bool_)
            may[:, j] &= ~barred.reshape(len(cases.names))
        if reader.seen:
            may[:, j] &= np.array([name not in reader.seen for name in cases.names], dtype=np.bool_)
    return may
