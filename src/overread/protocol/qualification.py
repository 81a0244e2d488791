"""What a protocol demands of its readers: who they are, and a dry run on gold cases."""

from __future__ import annotations

from dataclasses import dataclass

from overread.errors import MissingExtraError
from overread.protocol.errors import ProtocolError
from overread.protocol.yaml_tree import parse

ESTIMATE, LOWER_BOUND = "estimate", "lower_bound"
EXACT, WITHIN_ONE = "exact", "within_one"


@dataclass(frozen=True, slots=True)
class Qualification:
    """The demands of a protocol, its ``qualification:`` block.

    Args:
        professions, specialties: one of these; () demands nothing.
        modalities: all of these.
        board: board certification is demanded.
        least_years: of experience.
        pass_mark: that the score of every question must reach, 0 to 1.
        rule: "estimate" holds the score itself against the mark, "lower_bound" the lower end of
            its 95 % interval.
        least_cases: gold cases of one run.
        most_runs: runs that a reader has before the lead must allow another one.
        grades: "exact", or "within_one" where the neighbouring grade counts as right.
        tolerance: of a score question; None is a tenth of its range.
        overlap: least IoU of a box or outline that counts as found.
        most_exposures: readers who may see a gold case before it is worn out.
        on_change: a new version that changes what somebody was qualified on "ask"s the lead, has
            them qualify "again" on the changed part, or lets certificates stand ("keep").
    """

    professions: tuple[str, ...] = ()
    specialties: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    board: bool = False
    least_years: float = 0.0
    pass_mark: float = 0.8
    rule: str = ESTIMATE
    least_cases: int = 10
    most_runs: int = 3
    grades: str = EXACT
    tolerance: float | None = None
    overlap: float = 0.5
    most_exposures: int = 50
    on_change: str = "ask"


def demands_qualification(text: str) -> bool:
    """Whether a protocol file has a ``qualification:`` block; False for a file with faults."""
    try:
        tree, _ = parse(text, "protocol")
    except (ProtocolError, MissingExtraError):
        return False
    return isinstance(tree, dict) and tree.get("qualification") is not None


def best_lower_bound(cases: int) -> float:
    """Lower end of Wilson's 95 % interval where all of ``cases`` were right: n / (n + 1.96²)."""
    return cases / (cases + 1.959964**2)
