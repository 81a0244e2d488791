"""Hints before a read is sent, and checks of a whole project, are kept and follow from the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from overread.errors import InputError
from overread.store import (
    Store,
    claim,
    head,
    read_events,
    rebuild,
    state_digests,
    submit_read,
)
from overread.store.errors import NotFoundError
from overread.store.quality.advice import Advice, count_advice, keep_advice
from overread.store.quality.label_checks import keep_label_check, latest_label_check
from tests.store.study import Study, a_read, new_study, sha


def sent(store: Store, study: Study, reader: str) -> str:
    (task,) = claim(store, study.project, reader, count=1, lease_seconds=60)
    return submit_read(store, a_read(task.id, reader)).read_id


def test_hints_are_kept_once_and_counted(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    first, second = (sent(store, study, one) for one in study.readers[:2])
    told = [
        Advice("cells", "loose-contour", "a", followed=True),
        Advice("cells", "loose-contour", "b", followed=False),
        Advice("cells", "size", "b", followed=False),
    ]
    for _ in range(2):  # an answer that got lost is sent again
        keep_advice(store, first, study.readers[0], told)
    keep_advice(store, second, study.readers[1], told[:1])
    keep_advice(store, second, study.readers[1], [])
    loose, size = count_advice(store, study.project)
    assert (loose.rule, loose.shown, loose.followed, loose.reads) == ("loose-contour", 3, 2, 2)
    assert (size.rule, size.shown, size.followed, size.reads) == ("size", 1, 0, 1)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)


def test_hints_belong_to_an_own_read(store: Store) -> None:
    study = new_study(store)
    read = sent(store, study, study.readers[0])
    one = Advice("cells", "size", "a", followed=True)
    with pytest.raises(NotFoundError):
        keep_advice(store, read, study.readers[1], [one])
    with pytest.raises(InputError, match="50 hints"):
        keep_advice(store, read, study.readers[0], [one] * 51)
    assert count_advice(store, study.project) == []


def test_the_last_check_of_a_project_is_found(new_store: Callable[[], Store]) -> None:
    store, empty = new_store(), new_store()
    study = new_study(store)
    assert latest_label_check(store, study.project) is None
    for words in ("3 hints", "2 hints"):
        keep_label_check(
            store, study.project, log_events=head(store).n, words=words, result=sha(words),
            by=study.lead,
        )  # fmt: skip
    found = latest_label_check(store, study.project)
    assert found is not None
    assert (found.words, found.result, found.made_by) == ("2 hints", sha("2 hints"), study.lead)
    assert found.event == found.log_events + 1
    with pytest.raises(NotFoundError):
        keep_label_check(store, "none", log_events=1, words="x", result=sha("x"), by=study.lead)
    with pytest.raises(InputError, match="result"):
        keep_label_check(store, study.project, log_events=1, words="x", result="x", by=study.lead)
    rebuild(read_events(store), empty)
    assert state_digests(empty) == state_digests(store)
