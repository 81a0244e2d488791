"""What can go wrong in a store; every error says what was kept and what to do."""

from __future__ import annotations

from functools import partial

from overread.errors import OverreadError


class StoreError(OverreadError):
    """Base of every error of the store. Nothing of the failed operation was kept."""


class NotFoundError(StoreError):
    """A row does not exist, or is not for this reader; the two look alike on purpose.

    Args:
        what: the kind of row ("task", "project").
        key: its id.
    """

    def __init__(self, what: str, key: object) -> None:
        self.what = what
        self.key = key
        super().__init__(f"there is no {what} {key} here")

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process."""
        return type(self), (self.what, str(self.key))


class ConflictError(StoreError):
    """A change rests on a state that is no longer current; the newer state was kept.

    Args:
        what: what was to be changed ("draft", "read").
        rule: why it cannot be, completing "{what} ...".
        current_version: the version (or revision) that stands now; None where there is none.
    """

    def __init__(self, what: str, rule: str, *, current_version: int | None = None) -> None:
        self.what = what
        self.rule = rule
        self.current_version = current_version
        super().__init__(f"{what} {rule}")

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process."""
        return partial(type(self), self.what, self.rule, current_version=self.current_version), ()


class BusyError(StoreError):
    """The store could not be written (or reached) in time; the same call may be made again."""


class FullError(StoreError):
    """The disk is full or refuses to write; nothing of the operation was kept."""


class NewerStoreError(StoreError):
    """The store was written by a newer Overread than this one."""


class BrokenLogError(StoreError):
    """The event log, or a blob, is not what was once written."""


class NotQualifiedError(StoreError):
    """The protocol demands a qualification that this reader has not; no task was given."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        super().__init__("the reader is not qualified for this project yet")

    def __reduce__(self) -> tuple[object, ...]:
        """Make the same error in another process."""
        return type(self), (self.reader,)
