"""What each rule of stopping says, one plain sentence a rule, and which of them decides."""

from __future__ import annotations

from dataclasses import dataclass

from overread.app.learning.progress import LEAST_TESTED, LearnedSoFar
from overread.selection.stopping import RULES, Rule

NAMES = {
    "target": "Accuracy wanted", "cost": "Time", "elbow": "Elbow", "stable": "Stabilisation",
}  # fmt: skip
"""Rules as the page calls them."""

ASKS = {
    "target": "is the accuracy wanted reached?",
    "cost": "does a label take longer than it saves?",
    "elbow": "do more labels hardly help?",
    "stable": "do the model's answers hardly change?",
}
"""What each rule asks."""

STOPS, GOES_ON, CANNOT_TELL = "Says stop", "Says go on", "Cannot tell yet"
NOT_ASKED = "Is not asked"


@dataclass(frozen=True, slots=True)
class RuleTold:
    """A rule on the page.

    Args:
        name: of it, as people call it; asks: what it asks.
        says: :data:`STOPS`, :data:`GOES_ON`, :data:`CANNOT_TELL` or :data:`NOT_ASKED`.
        why: with its figures.
        decides: the advice follows it.
    """

    name: str
    asks: str
    says: str
    why: str
    decides: bool


def rules_told(found: LearnedSoFar) -> tuple[RuleTold, ...]:
    """All four rules, the one that decides first."""
    wishes = found.setup.wishes
    usual = "cost" if wishes.target is None else "target"
    decides = wishes.rule or usual
    known = {one.name: one for one in found.advice.rules} if found.advice else {}
    told = [_told(name, known.get(name), found, decides=name == decides) for name in RULES]
    return tuple(sorted(told, key=lambda one: not one.decides))


def _told(name: str, rule: Rule | None, found: LearnedSoFar, *, decides: bool) -> RuleTold:
    says, why = CANNOT_TELL, _why_not(found)
    if name == "target" and found.setup.wishes.target is None:
        says, why = NOT_ASKED, "the protocol names no accuracy to stop at"
    elif rule is not None:
        why = f"{rule.words}; about {rule.ahead}" if rule.ahead else rule.words
        if rule.known:
            says = STOPS if rule.stop else GOES_ON
    return RuleTold(NAMES[name], ASKS[name], says, f"{why[:1].upper()}{why[1:]}.", decides)


def _why_not(found: LearnedSoFar) -> str:
    """Why no rule can tell."""
    if found.tested < LEAST_TESTED:
        return f"{found.tested} of {LEAST_TESTED} test labels are there"
    return "the model has learned in too few steps for a curve"


def at_best(found: LearnedSoFar, labelled: int, cases: int) -> str:
    """Where the target decides and the likely curve never gets there: when the best one would."""
    target = found.setup.wishes.target
    if found.curve is None or found.advice is None or target is None:
        return ""
    likely, best, _ = found.curve.labels_for(1 - target, most=cases)
    if likely is not None or found.advice.decides != "target":
        return ""
    if best is None:
        return " Even the best of its interval does not get there: lower the target, or review."
    more = max(best - labelled, 0)
    when = f"after {more:,} more labels" if more else "by now"
    return f" At the best of its interval it gets there {when}."
