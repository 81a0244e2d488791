"""Names and plain words of the figures of detection agreement."""

from __future__ import annotations

from overread.agreement.scopes import Measure

_NONE = "no findings were given"
_NO_MATCH = "no findings were matched"
_ADVICE = (
    "Look at the cases with the most unmatched findings, agree on what counts as one finding and "
    "what is too small to box, and add examples to the protocol."
)


def measures_of(at_least: float, distance: float | None, unit: str) -> tuple[Measure, ...]:
    """The measures in the order in which they are shown.

    Args:
        at_least: IoU of a match.
        distance: largest distance of centres, or None.
        unit: "mm" or "px".
    """
    at = f"IoU {at_least:g} or more"
    centre: tuple[Measure, ...] = ()
    if distance is not None:
        centre = (
            Measure(
                "f1_centre",
                f"F1 of findings with centres within {distance:g} {unit}",
                "",
                "{value} of 100 findings have a match whose centre is near.",
                _NONE,
                share=True,
            ),
        )
    return (*_agreement(at), *centre, *_differences(unit), *_oriented(at, unit))


def class_measures(at_least: float) -> tuple[Measure, ...]:
    """The measures of one class; a match must have the class too."""
    at = f"IoU {at_least:g} or more"
    plain = {one.key: one for one in (*_agreement(at), *_differences("px"))}
    return tuple(
        plain[key]
        for key in ("f1_class", "iou_matched", "existence", "existence_positive", "size_difference")
    )


def _agreement(at: str) -> tuple[Measure, ...]:
    return (
        Measure(
            "f1",
            f"F1 of findings, {at}",
            "",
            "{value} of 100 findings are also found by the other reader, whatever their class.",
            _NONE,
            share=True,
            worse=_ADVICE,
            limit=0.6,
        ),
        Measure(
            "f1_class",
            f"F1 of findings, {at}, same class",
            "",
            "{value} of 100 findings are also found, and named the same, by the other reader.",
            _NONE,
            share=True,
            worse=_ADVICE,
            limit=0.5,
        ),
        Measure(
            "f1_50_95",
            "F1 of findings, mean over IoU .50 to .95",
            "",
            "{value} of 100, averaged over ever stricter demands on the place of a finding.",
            _NONE,
            share=True,
        ),
        Measure(
            "f1_case",
            f"F1 of findings, {at}, mean over cases",
            "",
            "{value} of 100, each case counting the same, two empty reads as agreement.",
            "no case was compared",
            share=True,
        ),
        Measure(
            "iou_matched",
            "IoU of matched findings",
            "",
            "Matched findings share {value} % of their joint area.",
            _NO_MATCH,
            share=True,
            worse="Say in the protocol where the edge of a finding is.",
            limit=0.7,
        ),
        Measure(
            "class_matched",
            "Same class of matched findings",
            "",
            "{value} of 100 matched findings get the same class.",
            _NO_MATCH,
            share=True,
            worse="Look at which classes are mixed up and define the border between them.",
            limit=0.8,
        ),
        Measure(
            "existence",
            "Agreement that a case has findings or none",
            "",
            "On {value} of 100 cases two readers agree whether there is any finding at all.",
            "no case was compared",
            share=True,
        ),
        Measure(
            "existence_positive",
            "Positive agreement on cases with findings",
            "",
            "When a reader finds something in a case, the other does too in {value} of 100.",
            "no case has findings",
            share=True,
            worse="Readers differ on what is worth a finding: agree on a threshold first.",
            limit=0.7,
        ),
    )


def _differences(unit: str) -> tuple[Measure, ...]:
    return (
        Measure(
            "count_difference",
            "Difference in the number of findings",
            "findings a case",
            "Two readers differ by {value} findings a case.",
            "no case was compared",
            low_is_good=True,
        ),
        Measure(
            "size_difference",
            "Difference in the area of matched findings",
            "%",
            "The larger of two matched findings has {value} % more area.",
            _NO_MATCH,
            log=True,
            low_is_good=True,
        ),
        Measure(
            "edge_difference",
            "Distance of the edges of matched findings",
            unit,
            "Edges of matched findings lie {value} " + unit + " apart.",
            _NO_MATCH,
            low_is_good=True,
        ),
    )


def _oriented(at: str, unit: str) -> tuple[Measure, ...]:
    sides = tuple(
        Measure(
            f"shift_{side}",
            f"Shift of the {side} edge",
            unit,
            f"The {side} edge lies {{value}} {unit} further {{more}} than the other's.",
            _NO_MATCH,
            oriented=True,
            ways=("right", "left") if side in ("left", "right") else ("down", "up"),
        )
        for side in ("left", "top", "right", "bottom")
    )
    return (
        Measure(
            "sensitivity",
            f"Share of the other's findings that are found too, {at}",
            "",
            "Finds {value} of 100 findings of the other.",
            "the other has no findings",
            share=True,
            oriented=True,
        ),
        Measure(
            "extra",
            "Findings a case that the other does not have",
            "findings a case",
            "Adds {value} findings a case that the other does not have.",
            "no case was compared",
            oriented=True,
            low_is_good=True,
        ),
        Measure(
            "count_bias",
            "Findings a case more than the other",
            "findings a case",
            "Marks {value} findings a case {more} than the other.",
            "no case was compared",
            oriented=True,
        ),
        Measure(
            "count_ratio",
            "Number of findings over the other's",
            "",
            "Marks {value} findings for each one of the other.",
            "the other has no findings",
            oriented=True,
        ),
        Measure(
            "size_bias",
            "Area of matched findings against the other's",
            "%",
            "Draws matched findings with {value} % {more} area than the other.",
            _NO_MATCH,
            log=True,
            oriented=True,
        ),
        *sides,
    )
