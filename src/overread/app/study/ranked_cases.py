"""Disputed cases of a project in the order that adjudication takes them, ready to be filtered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from overread.app.analysis.disagreement import Disagreement, Pair, disagreement
from overread.app.study.project_tables import said_of_project
from overread.protocol import Question
from overread.store import Store, get_cases

SUBGROUPS = ("site", "sex", "age_band", "device", "modality")
_PAGE = 500
LEAST_ENTROPY = 1e-3  # nats: what readers differ on is never quite sure


@dataclass(frozen=True, slots=True)
class Ranked:
    """A disputed question of a case.

    Args:
        entropy: of the consensus, in nats; the plain share of disagreement where there is none.
        words: who says what, in counts and without names.
        group: what is known of the case, as of :data:`SUBGROUPS`; "" where nothing is.
    """

    case: str
    question: str
    entropy: float
    weight: float
    words: str
    classes: tuple[str, ...]
    pairs: tuple[Pair, ...]
    group: tuple[str, ...]

    @property
    def score(self) -> float:
        """Entropy times clinical weight: what adjudication orders by."""
        return self.entropy * self.weight


def disagreements(
    store: Store, project: str, questions: Sequence[Question]
) -> dict[str, Disagreement]:
    """Where readers differ now, question by question; of large projects the model keeps it."""
    return {one.id: disagreement(one, said_of_project(store, project, one)) for one in questions}


def ranked(
    store: Store,
    found: Mapping[str, Disagreement],
    entropy: Mapping[str, Mapping[str, float]],
) -> tuple[Ranked, ...]:
    """Rank the disputed cases, the weightiest first.

    Args:
        found: question -> where readers differ.
        entropy: question -> case -> of the consensus, in nats.
    """
    cases = sorted({case for one in found.values() for case in one.disputes})
    groups = _groups(store, cases)
    made = list(_lines(found, entropy, groups))
    return tuple(sorted(made, key=lambda one: (-one.score, one.case, one.question)))


def _lines(
    found: Mapping[str, Disagreement],
    entropy: Mapping[str, Mapping[str, float]],
    groups: Mapping[str, tuple[str, ...]],
) -> Iterator[Ranked]:
    for question, one in found.items():
        known = entropy.get(question, {})
        for case, dispute in one.disputes.items():
            nats = known.get(case)
            sure = dispute.share if nats is None else max(nats, LEAST_ENTROPY)
            apart = one.apart[case]
            yield Ranked(
                case, question, sure, dispute.weight, dispute.words, apart.classes, apart.pairs,
                groups.get(case, ()),
            )  # fmt: skip


def _groups(store: Store, cases: Sequence[str]) -> dict[str, tuple[str, ...]]:
    made: dict[str, tuple[str, ...]] = {}
    same: dict[tuple[str, ...], tuple[str, ...]] = {}  # few different ones, each kept once
    for start in range(0, len(cases), _PAGE):
        for key, row in get_cases(store, cases[start : start + _PAGE]).items():
            known = {**row.meta, "modality": row.image.get("modality", "")}
            group = tuple(str(known.get(name) or "") for name in SUBGROUPS)
            made[key] = same.setdefault(group, group)
    return made
