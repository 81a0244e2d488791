"""What pre-labels and hints do to readers, measured beside pages: :mod:`overread.web.beside`."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from overread.app.learning.pre_label_anchoring import ProjectAnchoring
from overread.store import Store, last_read
from overread.store.learning.hints import last_hints_shown
from overread.store.learning.pre_labels import last_pre_label
from overread.web.beside import Beside

Anchorings: TypeAlias = Beside[ProjectAnchoring]

new_anchorings = partial(Beside, ProjectAnchoring, "what pre-labels do", 0.2)


def anchoring_now(anchorings: Anchorings, store: Store, project: str) -> ProjectAnchoring | None:
    """What is known by now; None where nothing is proposed or hinted, or nobody has looked yet.

    It is brought up to date beside the page where it is behind.
    """
    newest = max(last_pre_label(store, project), last_hints_shown(store, project))
    if not newest:
        return None
    kept = anchorings.known(project)
    if kept is None or kept.until < max(newest, last_read(store, project)[0]):
        anchorings.wake(store, project)
    return kept
