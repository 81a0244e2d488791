"""Cost: the example of the Samsung article, to the last step of its arithmetic."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.planning.cost import Step, WorkingYear, cost, steps_of


def test_the_article_word_for_word():
    """100,000 images, three labellers, 10 minutes, 21 days of 8 hours a month: "24 person-years".

    "... 10 % and review the other 90 % at 20 s each for three reviewers: 3.2 years, a saving of
    87 %. If the review is conducted by only one reviewer per image, we can reduce it by a further
    0.5 years to achieve a saving of 89 %."
    """
    by_hand = cost(steps_of(100_000, 600, readers=3))
    assert by_hand.hours == pytest.approx(50_000)
    assert int(by_hand.person_years) == 24  # 24.80: the article rounds down
    three = cost(steps_of(100_000, 600, readers=3, labelled=0.1, review_seconds=20))
    assert round(three.person_years, 1) == 3.2
    assert round(three.saving(by_hand), 2) == 0.87
    one = cost(steps_of(100_000, 600, readers=3, labelled=0.1, review_seconds=20, reviewers=1))
    assert round(three.person_years - one.person_years, 1) == 0.5
    assert round(one.saving(by_hand), 2) == 0.89


def test_money_team_and_overlap_add_up():
    steps = steps_of(1000, 36, overlap=0.2, overlap_readers=3)
    assert [(step.name, step.reads) for step in steps] == [("labelling", 800), ("overlap", 600)]
    found = cost(steps, year=WorkingYear(7, 20, 10), rate=80, team=2)
    assert found.hours == pytest.approx(14)
    assert found.person_years == pytest.approx(0.01)
    assert found.money == pytest.approx(1120)
    assert found.months == pytest.approx(0.05)
    for word in ("14 reader hours", "1,120", "2 people"):
        assert word in found.words


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: steps_of(10, 5, labelled=0.5), "review seconds must be given"),
        (lambda: steps_of(10, 5, labelled=1.5), "labelled share"),
        (lambda: steps_of(10, 5, readers=3, overlap=0.1, overlap_readers=2), "at least 3"),
        (lambda: steps_of(10, 0), "seconds must be above 0"),
        (lambda: Step("x", -1, 5), "cases must be 0 or more"),
        (lambda: cost(steps_of(10, 5), rate=0), "rate"),
        (lambda: WorkingYear(0), "hours a day"),
        (lambda: steps_of(float("nan"), 5), "cases"),
    ],
)
def test_what_cannot_be(call, words):
    with pytest.raises(InputError, match=words):
        call()
