"""What a table says of itself: its label kind and its classes, in columns that Overread writes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from overread.errors import InputError
from overread.exchange.cells import as_texts
from overread.exchange.tables import OpenTable
from overread.labels import Kind

KIND = "label_kind"
"""Column with the label kind, the same in every row."""

CLASSES = "label_classes"
"""Column with the classes in order, a JSON list, the same in every row."""

COLUMNS = (KIND, CLASSES)

_KINDS = {kind.value: kind for kind in Kind}


@dataclass(frozen=True, slots=True)
class Stated:
    """What a table says. Args: kind, classes; None where it says nothing."""

    kind: Kind | None = None
    classes: tuple[str, ...] | None = None


def stated(table: OpenTable) -> Stated:
    """Read what a table says of itself.

    Raises:
        InputError: it says two things, or a kind that there is not.
    """
    kind, classes = _only(table, KIND), _only(table, CLASSES)
    if kind is not None and kind not in _KINDS:
        raise InputError(f'column "{KIND}"', f"be one of {', '.join(_KINDS)}", repr(kind[:40]))
    return Stated(_KINDS[kind] if kind else None, _names(classes) if classes else None)


def _only(table: OpenTable, name: str) -> str | None:
    if name not in table.names:
        return None
    values = as_texts(table.load([name])[name]).drop_nulls().unique()
    if len(values) > 1:
        raise InputError(f'column "{name}"', "say the same in all rows", f"{len(values)} things")
    return str(values[0]) if len(values) else None


def _names(text: str) -> tuple[str, ...]:
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f'column "{CLASSES}"', "be a JSON list of texts", "another form")
    return tuple(names)
