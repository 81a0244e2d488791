"""When to stop labelling, and how much longer it takes: four rules, in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.curve import LearningCurve
from overread.words import percent

RULES = ("target", "cost", "elbow", "stable")
"""Rules that can decide."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of a person.

    Args:
        label: one case labelled from nothing, all its reads together.
        review: one auto-label looked at; correct: what a wrong one costs on top.
    """

    label: float
    review: float
    correct: float

    def __post_init__(self) -> None:
        if min(self.label, self.review, self.correct) < 0 or self.label == 0:
            raise InputError("seconds", "be at least 0, and above 0 for a label", self)


@dataclass(frozen=True, slots=True)
class Rule:
    """What one rule says.

    Args:
        name: "target", "cost", "elbow" or "stable".
        stop: it says so.
        more: labels until it will, if that can be told; most: at worst.
        words: why.
        known: False while too little is measured for the rule to say anything.
    """

    name: str
    stop: bool
    more: int | None
    most: int | None
    words: str
    known: bool = True

    @property
    def ahead(self) -> str:
        """Labels until it says stop, "120 more labels (at worst 340)"; "" where none is told."""
        if self.stop or self.more is None:
            return ""
        most = f" (at worst {_round(self.most):,})" if self.most and self.most > self.more else ""
        return f"{_round(self.more):,} more labels{most}"


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to go on labelling.

    Args:
        stop: now.
        more: labels, hours: that are likely still worth it; None where it cannot be told.
        words: for the page: "Stop now: ..." or "About 120 more labels, 3.5 hours: ...".
        rules: all that can be asked; decides: name of the one that the others follow.
    """

    stop: bool
    more: int | None
    hours: float | None
    words: str
    rules: tuple[Rule, ...]
    decides: str


def advise(
    curve: LearningCurve, *, pool: int, costs: Costs, target: float | None = None,
    predictions: tuple[Ints, ...] = (), rule: str | None = None,
) -> Advice:  # fmt: skip
    """Advise on stopping.

    Args:
        curve: of the error on held-back cases so far.
        pool: cases in all; those without a label are reviewed after the end.
        costs: seconds.
        target: accuracy wanted of the auto-labels, in (0, 1).
        predictions: (cases,) classes after successive steps, the newest last.
        rule: that decides, of :data:`RULES`; "target" where there is one, else "cost".
    Raises:
        InputError: the rule is none of those that can be asked: "target" without a target, say.
    """
    if target is not None and not 0 < target < 1:
        raise InputError("target", "be an accuracy in (0, 1)", target)
    rules = [cost_rule(curve, pool, costs), elbow_rule(curve)]
    if target is not None:
        rules.insert(0, target_rule(curve, pool, target))
    if predictions:
        rules.append(stable_rule(predictions))
    chosen = next((one for one in rules if one.name == (rule or rules[0].name)), None)
    if chosen is None:
        raise InputError("rule", f"be one of {', '.join(one.name for one in rules)}", rule)
    hours = None if chosen.more is None else chosen.more * costs.label / 3600
    words = _words(chosen, hours)
    return Advice(chosen.stop, chosen.more, hours, words, tuple(rules), chosen.name)


def target_rule(curve: LearningCurve, pool: int, target: float) -> Rule:
    """Stop when the accuracy on held-back cases is likely there."""
    likely, _, worst = curve.labels_for(1 - target, most=pool)
    now, wanted = 1 - float(curve.error(curve.last)), percent(target, 1)
    words = f"accuracy is about {percent(now, 1)}, {wanted} wanted"
    if likely is not None and likely <= curve.last:
        return Rule("target", True, 0, None, words)
    if likely is None:
        words = f"accuracy rises too slowly to be at {wanted} before every case is read"
        if 1 - curve.floor < target:
            top = percent(1 - curve.floor, 1)
            words = f"accuracy levels off near {top}, below the {wanted} wanted"
        return Rule("target", False, None, None, words)
    most = None if worst is None else worst - curve.last
    return Rule("target", False, likely - curve.last, most, words)


def cost_rule(curve: LearningCurve, pool: int, costs: Costs) -> Rule:
    """Stop where one more label costs more time than it saves in review and correction."""
    rest = max(pool - curve.last, 0)
    if not rest:
        return Rule("cost", True, 0, 0, "every case is labelled")
    more = np.unique(np.concatenate([[0], np.geomspace(1, rest, 300).round()]))
    after = rest - more

    def total(error: Floats) -> Floats:
        return more * costs.label + after * (costs.review + error * costs.correct)

    best = int(more[total(curve.error(curve.last + more)).argmin()])
    spread = [
        float(more[total(floor + scale * (curve.last + more) ** -power).argmin()])
        for floor, scale, power in curve.draws
    ]
    ahead = total(curve.error(curve.last + more))
    if best == 0:
        spared = float(ahead[0] - ahead[1]) + costs.label
        words = (
            f"a further label costs more than it saves: {_digits(costs.label)} against "
            f"{_digits(spared)} s; {_hours(ahead.min())} to the end"
        )
        return Rule("cost", True, 0, None, words)
    words = (
        "labelling saves more review than it costs: "
        f"{_hours(ahead.min())} to the end, {_hours(ahead[0])} without it"
    )
    return Rule("cost", False, best, int(np.quantile(spread, 0.975)), words)


def elbow_rule(curve: LearningCurve, *, within: float = 0.1) -> Rule:
    """Stop where doubling the labels takes away less than a share of the error.

    The classical elbow (the point farthest from the chord) moves with the axis; this one does not.
    """

    def gain(labels: float) -> float:
        now = float(curve.error(labels))
        return 1 - float(curve.error(2 * labels)) / now if now > 0 else 0.0

    now = gain(curve.last)
    enough = percent(within)
    words = f"twice the labels would spare {percent(now)} of the errors; {enough} or less ends it"
    if now <= within:
        return Rule("elbow", True, 0, None, words)
    ahead = [n for n in curve.last * np.geomspace(1, 100, 200) if gain(float(n)) <= within]
    return Rule("elbow", False, round(ahead[0]) - curve.last if ahead else None, None, words)


def stable_rule(predictions: tuple[Ints, ...], *, level: float = 0.99, steps: int = 3) -> Rule:
    """Stop when successive predictions agree: mean kappa over three steps is at least .99.

    Source:
        Bloodgood & Vijay-Shanker 2009, CoNLL (stabilising predictions).
    """
    kappas = [kappa(a, b) for a, b in pairwise(predictions)]
    if len(kappas) < steps:
        words = f"{len(kappas)} of {steps} steps of the model can be compared"
        return Rule("stable", False, None, None, words, known=False)
    mean = float(np.mean(kappas[-steps:]))
    words = f"successive predictions agree with kappa {mean:.3f}, {level:g} wanted"
    return Rule("stable", mean >= level, 0 if mean >= level else None, None, words)


def kappa(one: Ints, other: Ints) -> float:
    """Cohen's kappa of two rows of predictions; 1 where both are the same single class."""
    if len(one) != len(other) or not len(one):
        raise InputError("predictions", "be of the same cases, at least one", len(other))
    classes = int(max(np.max(one), np.max(other))) + 1
    table = np.zeros((classes, classes))
    np.add.at(table, (np.asarray(one), np.asarray(other)), 1 / len(one))
    chance = float(table.sum(axis=0) @ table.sum(axis=1))
    return 1.0 if chance >= 1 else (float(np.trace(table)) - chance) / (1 - chance)


def _words(rule: Rule, hours: float | None) -> str:
    if rule.stop:
        return f"Stop now: {rule.words}."
    if rule.more is None or hours is None:
        return f"Go on: {rule.words}."
    time = f"{hours:.1f} hours" if hours >= 1 else f"{max(round(hours * 60), 1)} minutes"
    return f"About {rule.ahead}, {time}: {rule.words}."


def _digits(seconds: float) -> str:
    return f"{float(f'{seconds:.3g}'):g}"


def _hours(seconds: float) -> str:
    hours = float(seconds) / 3600
    return f"{hours:.1f} hours" if hours >= 1 else f"{60 * hours:.0f} min"


def _round(number: int) -> int:
    """Two digits: more would be a lie."""
    return int(float(f"{number:.2g}"))
