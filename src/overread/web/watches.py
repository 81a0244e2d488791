"""Projects watched while they are read, see :mod:`overread.web.beside`."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from overread.app.quality.watch_project import ProjectWatch
from overread.store import Store, last_read
from overread.web.beside import Beside

Watches: TypeAlias = Beside[ProjectWatch]

new_watches = partial(Beside, ProjectWatch, "a watch", 0.2)


def watch_of(watches: Watches, store: Store, project: str) -> ProjectWatch | None:
    """The watch as it is; brought up to date beside the page where it is behind."""
    kept = watches.known(project)
    if kept is None or kept.until < last_read(store, project)[0]:
        watches.wake(store, project)
    return kept
