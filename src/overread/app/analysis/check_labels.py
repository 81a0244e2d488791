"""Look at a whole set of labels beside its images by the label rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from overread.app.analysis import label_figures
from overread.app.analysis.gentle_check import usual_constraints
from overread.app.analysis.label_figures import SeenImages
from overread.app.analysis.label_images import decoded, images_by_name
from overread.labels import Reads
from overread.monitoring.rules import RULES, Constraints, Hint, Rule, RuleContext, check


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What the rules found in a set.

    Args:
        hints: errors first, then warnings, then notes.
        context: what the rules were asked with; figures of every drawing.
        looked_at: cases whose image was looked at.
        not_found, refused: cases without an image, and with one that could not be decoded.
        misplaced: reads drawn on an image of another size, which the pixel rules left out.
    """

    hints: tuple[Hint, ...]
    context: RuleContext
    looked_at: int = 0
    not_found: int = 0
    refused: int = 0
    misplaced: int = 0


def check_labels(
    reads: Reads,
    *,
    images: Path | None = None,
    constraints: Constraints | None = None,
    rules: Mapping[str, Rule] = RULES,
    false_alarm: float = 0.01,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Checked:
    """Check a whole set.

    Args:
        reads: of any kind.
        images: folder with their images; None: the rules that need none.
        constraints: of the final protocol; by default "no finding" stands alone.
        rules: name -> rule, of :func:`overread.app.analysis.label_rules.rules_with`.
        false_alarm: see :class:`overread.monitoring.rules.RuleContext`.
        progress: called with cases looked at, and in all.
    Raises:
        InputError: a folder without an image of any case, a false-alarm rate out of range.
        MethodError: a user's own rule failed.
    """
    constraints = constraints or usual_constraints(reads.schema.names)
    context = RuleContext(reads, constraints=constraints, false_alarm=false_alarm)
    if images is None:
        return Checked(check(context, rules), context)
    seen = SeenImages(reads)
    index = reads.index
    code = {str(name): at for at, name in enumerate(index.cases)}
    found = images_by_name(images, code)
    for done, (name, image) in enumerate(decoded(found), start=1):
        if image is not None:
            seen.look(code[name], image.frames, spacing_mm=image.spacing_mm)
        progress(done, len(found))
    context = seen.context(constraints, false_alarm)
    return Checked(
        check(context, rules),
        context,
        looked_at=len(seen.prints),
        not_found=index.n_cases - len(found),
        refused=len(found) - len(seen.prints),
        misplaced=seen.misplaced,
    )


def power(checked: Checked) -> Mapping[str, float]:
    """See :func:`overread.app.analysis.label_figures.power`."""
    return label_figures.power(checked.context)
