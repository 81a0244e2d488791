"""Names and plain words of the figures of mask agreement."""

from __future__ import annotations

from overread.agreement.scopes import Measure

_ONE_EMPTY = "in no case do both readers mark something: there are no two surfaces to compare"


def measures_of(unit: str, tolerance: float, *, distances: bool) -> tuple[Measure, ...]:
    """The measures in the order in which they are shown.

    Args:
        unit: "mm" or "px".
        tolerance: of the surface Dice, in that unit.
        distances: whether the distances of surfaces are among them.
    """
    return (*_overlaps(), *(_distances(unit, tolerance) if distances else ()), *_sizes())


def _overlaps() -> tuple[Measure, ...]:
    return (
        Measure(
            "dice",
            "Dice, mean over cases",
            "",
            "Two readers' masks overlap by {value} % (Dice; two empty masks count as 100 %).",
            "no case was compared",
            share=True,
            worse="Look at the cases with the lowest overlap: is it the edge, or whether there is "
            "anything at all?",
            limit=0.7,
        ),
        Measure(
            "iou",
            "IoU, mean over cases",
            "",
            "Two readers' masks share {value} % of their joint area (two empty masks: 100 %).",
            "no case was compared",
            share=True,
        ),
        Measure(
            "dice_pooled",
            "Dice of all pixels pooled",
            "",
            "Of the pixels a reader marks, the other marks {value} %; large findings weigh more.",
            "nothing was marked",
            share=True,
        ),
        Measure(
            "both_empty",
            "Both masks empty",
            "",
            "In {value} % of the comparisons neither reader marks anything.",
            "no case was compared",
            share=True,
        ),
        Measure(
            "one_empty",
            "One mask empty, the other not",
            "",
            "In {value} % of the comparisons one reader marks something and the other nothing.",
            "no case was compared",
            share=True,
            low_is_good=True,
            worse="Agree first on when there is something to mark.",
            limit=0.1,
        ),
    )


def _distances(unit: str, tolerance: float) -> tuple[Measure, ...]:
    within = f"within {tolerance:g} {unit}"
    most = "But for 5 % of the outline, outlines lie at most {value} "
    lengths = (
        ("hd", "Hausdorff distance", "At the worst place the outlines lie {value} "),
        ("hd95", "95th percentile of the surface distances (HD95)", most),
        ("assd", "Average symmetric surface distance (ASSD)", "On average outlines lie {value} "),
    )
    return (
        *(
            Measure(
                key,
                f"{name}, mean over cases",
                unit,
                f"{words}{unit} apart.",
                _ONE_EMPTY,
                low_is_good=True,
            )
            for key, name, words in lengths
        ),
        Measure(
            "surface_dice",
            f"Surface Dice {within}, mean over cases",
            "",
            f"{{value}} % of the outlines lie {within} of the other's.",
            "no case was compared",
            share=True,
            worse="Say in the protocol where the edge is, with an example at full zoom.",
            limit=0.8,
        ),
    )


def _sizes() -> tuple[Measure, ...]:
    return (
        Measure(
            "size_difference",
            "Difference in size",
            "%",
            "The larger of two masks is {value} % larger.",
            _ONE_EMPTY,
            log=True,
            low_is_good=True,
        ),
        Measure(
            "size_bias",
            "Size against the other's",
            "%",
            "Marks {value} % {more} than the other.",
            _ONE_EMPTY,
            log=True,
            oriented=True,
        ),
    )
