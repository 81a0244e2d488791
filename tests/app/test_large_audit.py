"""A large set: thresholds and audit are chosen together, the surest labels are certified first."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overread.app.learning import blind_audit
from overread.app.learning.freeze_labels import Proposals, auto_label, offers
from overread.app.learning.issue_certificate import decide
from overread.app.study.label_sources import standing_autos
from overread.store.learning.auto_labels import get_run, read_cases
from tests.app.learned import CLASSES, Ward, ward


def doubtful(one: Ward) -> Proposals:
    """A model that errs as often as it says: hardly where it is sure, half where it is not."""
    rng = np.random.default_rng(5)
    n = len(one.cases)
    sure = 1 - 0.5 * rng.beta(0.25, 1.5, size=n + 400)
    right = rng.random(n + 400) < sure
    table = np.empty((n, 2))
    for at, case in enumerate(one.cases):
        truth = CLASSES.index(one.truth[case])
        said = truth if right[at] else 1 - truth
        table[at, said], table[at, 1 - said] = sure[at], 1 - sure[at]
        if not right[at]:
            one.wrong.add(case)
    return Proposals("finding", CLASSES, one.cases, table, "a model", sure[n:], right[n:])


def test_what_an_audit_bears_is_certified_and_the_rest_goes_to_readers(tmp_path: Path) -> None:
    here = ward(tmp_path, cases=1100)
    given = doubtful(here)
    told = {one.target: one for one in offers(here.store, here.project, given)}
    best = told[0.05].best
    assert best is not None
    assert best.certified is not None
    assert 100 < best.certified <= told[0.05].accepted
    run = auto_label(here.store, here.project, given, target=0.05, by=here.lead)
    (plan,) = blind_audit.audit_offer(here.store, get_run(here.store, run)).plans
    assert plan == best
    audit = blind_audit.begin(
        here.store, here.project, run, cases=plan.cases, mode=blind_audit.ONE_LOOK, seed=2,
        by=here.lead,
    )  # fmt: skip
    while here.read(100):  # those of the audit, and those that were too unsure
        pass
    found = decide(here.store, here.project, audit, keys=tmp_path, by=here.lead)
    assert found.certificate, found.words
    autos = standing_autos(here.store, here.project, "finding")
    certified = [one for one in autos.values() if one.certificate == found.certificate]
    assert len(certified) >= 0.5 * best.certified
    assert sum(one.case in here.wrong for one in certified) <= 0.05 * len(certified)
    assert not set(here.read(2000)) & {one.case for one in certified}
    left = set(here.cases) - read_cases(here.store, here.project)
    assert left <= {one.case for one in certified}  # what is not certified was read, or is now
    here.store.close()
