"""The table of rules, and how all of them are asked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from overread.errors import MethodError
from overread.monitoring.rules.contradictions import contradictions
from overread.monitoring.rules.duplicates import drawing_duplicates, duplicates
from overread.monitoring.rules.hint import Hint, Rule, RuleContext, Severity
from overread.monitoring.rules.imbalance import imbalance
from overread.monitoring.rules.loose import loose_contours
from overread.monitoring.rules.readers import deviating_readers
from overread.monitoring.rules.size import sizes, too_small_for_texture

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "contradictions": contradictions,
        "loose": loose_contours,
        "size": sizes,
        "texture": too_small_for_texture,
        "imbalance": imbalance,
        "duplicates": duplicates,
        "drawing-duplicates": drawing_duplicates,
        "readers": deviating_readers,
    }
)
"""Name -> rule; a user's own is added with ``RULES | {"mine": mine}``."""

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def check(context: RuleContext, rules: Mapping[str, Rule] = RULES) -> tuple[Hint, ...]:
    """Ask all rules; errors first, then warnings, then notes, each as its rule orders them.

    Args:
        context: what they are asked with.
        rules: name -> rule.
    Raises:
        MethodError: a rule gave something else than a tuple of hints, with its name.
    Example:
        >>> from overread.labels import class_reads
        >>> reads = class_reads(list(range(400)), ["R"] * 400, ["a"] * 396 + ["b"] * 4)
        >>> check(RuleContext(reads))[0].words[:30]
        "4 against 396 of 'a' (1 to 99."
    """
    hints: list[Hint] = []
    for name, rule in rules.items():
        found = rule(context)
        if not isinstance(found, tuple) or not all(isinstance(one, Hint) for one in found):
            raise MethodError(f"The label rule {name!r} must return a tuple of hints")
        hints += found
    return tuple(sorted(hints, key=lambda hint: _ORDER[hint.severity]))
