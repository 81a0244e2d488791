"""Hours and money: what a project took, against every case read by k readers."""

from __future__ import annotations

from dataclasses import dataclass

from overread.errors import InputError
from overread.words import percent

HOURS_A_YEAR = 21 * 8 * 12
"""Working hours: 21 days of 8 hours in each of 12 months."""


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work.

    Args:
        cases: how many; readers: of each; seconds: each time.
    """

    cases: int
    readers: float
    seconds: float

    def __post_init__(self) -> None:
        for name in ("cases", "readers", "seconds"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InputError(name, "be at least 0", getattr(self, name))

    @property
    def hours(self) -> float:
        """Of people."""
        return self.cases * self.readers * self.seconds / 3600


@dataclass(frozen=True, slots=True)
class Effort:
    """Account of a project.

    Args:
        labelling, review, audit: what people did.
        full: the same data set labelled by hand, every case by every reader.
        cost_an_hour: in any currency; 0 where nobody asks.
    """

    labelling: Work
    review: Work
    audit: Work
    full: Work
    cost_an_hour: float = 0.0

    @property
    def hours(self) -> float:
        """Spent in all."""
        return self.labelling.hours + self.review.hours + self.audit.hours

    @property
    def saved(self) -> float:
        """Share of the full effort that was not needed; below 0 where it took more."""
        return 1 - self.hours / self.full.hours if self.full.hours else 0.0

    @property
    def years(self) -> tuple[float, float]:
        """Person-years spent, and those of labelling all by hand."""
        return self.hours / HOURS_A_YEAR, self.full.hours / HOURS_A_YEAR

    @property
    def cost(self) -> tuple[float, float]:
        """Money spent, and that of labelling all by hand."""
        return self.hours * self.cost_an_hour, self.full.hours * self.cost_an_hour

    @property
    def words(self) -> str:
        """One sentence."""
        spent, full = self.years
        times = (
            f"{spent:.1f} instead of {full:.1f} person-years" if full >= 0.5
            else f"{self.hours:.1f} instead of {self.full.hours:.1f} hours"
        )  # fmt: skip
        return f"{times}: {percent(self.saved)} saved"


def effort_of(
    cases: int, *, share_labelled: float, readers: int, label_seconds: float,
    review_seconds: float, reviewers: int | None = None, audited: int = 0,
    share_accepted: float = 0.0, cost_an_hour: float = 0.0,
) -> Effort:  # fmt: skip
    """Predict the effort of labelling a share and reviewing, or accepting, the rest.

    Args:
        cases: of the whole set; share_labelled: of them by ``readers`` readers each.
        label_seconds, review_seconds: for one reader and one case.
        reviewers: of each case of the rest; as many as readers by default.
        audited: cases read blind, by one reader each, for the certificate.
        share_accepted: of the rest that a certificate spares the review.
    Source:
        Bangert et al. 2021, Front. Radiol. 1:748968: 100,000 cases, three readers, 10 minutes
        take 24 person-years; a tenth labelled and the rest reviewed in 20 s takes 3.2.
    Example:
        >>> one = effort_of(100_000, share_labelled=0.1, readers=3, label_seconds=600,
        ...                 review_seconds=20)
        >>> one.words
        '3.2 instead of 24.8 person-years: 87 % saved'
    """
    for name, share in (("share labelled", share_labelled), ("share accepted", share_accepted)):
        if not 0 <= share <= 1:
            raise InputError(name, "be in [0, 1]", share)
    labelled = round(cases * share_labelled)
    rest = round((cases - labelled) * (1 - share_accepted))
    return Effort(
        labelling=Work(labelled, readers, label_seconds),
        review=Work(rest, readers if reviewers is None else reviewers, review_seconds),
        audit=Work(audited, 1, label_seconds),
        full=Work(cases, readers, label_seconds),
        cost_an_hour=cost_an_hour,
    )
