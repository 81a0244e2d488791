"""When to stop labelling, and how much longer it takes: four rules, in words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from overread.arrays import Floats, Ints
from overread.errors import InputError
from overread.selection.curve import LearningCurve


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
    """

    name: str
    stop: bool
    more: int | None
    most: int | None
    words: str


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to go on labelling.

    Args:
        stop: now.
        more: labels, hours: that are likely still worth it; None where it cannot be told.
        words: for the page: "Stop now: ..." or "About 120 more labels, 3.5 hours: ...".
        rules: all of them; the first asked for decides.
    """

    stop: bool
    more: int | None
    hours: float | None
    words: str
    rules: tuple[Rule, ...]


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
        rule: that decides; "target" where there is one, else "cost".
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
    return Advice(chosen.stop, chosen.more, hours, _words(chosen, hours), tuple(rules))


def target_rule(curve: LearningCurve, pool: int, target: float) -> Rule:
    """Stop when the accuracy on held-back cases is likely there."""
    likely, _, worst = curve.labels_for(1 - target, most=pool)
    now = 1 - float(curve.error(curve.last))
    if likely is not None and likely <= curve.last:
        return Rule("target", True, 0, None, f"accuracy is about {now:.1%}, {target:.1%} wanted")
    if likely is None:
        words = f"accuracy levels off near {1 - curve.floor:.1%}, below the {target:.1%} wanted"
        if 1 - curve.floor >= target:
            words = f"accuracy rises too slowly to be at {target:.1%} before every case is read"
        return Rule("target", False, None, None, words)
    most = None if worst is None else worst - curve.last
    words = f"accuracy is about {now:.1%}, {target:.1%} wanted"
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
    hours = total(curve.error(curve.last + more)) / 3600
    least = float(hours.min())
    ahead = f"{least:.1f} hours to the end" if least >= 1 else f"{60 * least:.0f} min to the end"
    if best == 0:
        return Rule("cost", True, 0, None, f"a further label costs more than it saves; {ahead}")
    words = f"labelling saves more review than it costs; {ahead}"
    return Rule("cost", False, best, int(np.quantile(spread, 0.975)), words)


def elbow_rule(curve: LearningCurve, *, within: float = 0.1) -> Rule:
    """Stop where doubling the labels takes away less than a share of the error.

    The classical elbow (the point farthest from the chord) moves with the axis; this one does not.
    """

    def gain(labels: float) -> float:
        now = float(curve.error(labels))
        return 1 - float(curve.error(2 * labels)) / now if now > 0 else 0.0

    now = gain(curve.last)
    words = f"twice the labels would take away {now:.0%} of the errors"
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
        return Rule("stable", False, None, None, f"fewer than {steps + 1} steps so far")
    mean = float(np.mean(kappas[-steps:]))
    words = f"successive predictions agree with kappa {mean:.3f}"
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
    number = _round(rule.more)
    at_most = f" (at worst {_round(rule.most):,})" if rule.most and rule.most > rule.more else ""
    time = f"{hours:.1f} hours" if hours >= 1 else f"{max(round(hours * 60), 1)} minutes"
    return f"About {number:,} more labels{at_most}, {time}: {rule.words}."


def _round(number: int) -> int:
    """Two digits: more would be a lie."""
    return int(float(f"{number:.2g}"))
