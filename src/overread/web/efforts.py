"""Reading time of projects, counted once beside the pages and kept up to date by what is new."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from overread.app.quality.effort_ledger import Ledger
from overread.errors import OverreadError
from overread.store import Store

_LOG = logging.getLogger("overread.web")
_WAIT_SECONDS = 0.15

Found = TypeVar("Found")


@dataclass(slots=True, eq=False)
class _Kept:
    ledger: Ledger
    lock: threading.Lock = field(default_factory=threading.Lock)
    whole: bool = False
    running: threading.Thread | None = None


@dataclass(slots=True, eq=False)
class Efforts:
    """Ledgers by project, each kept until the server ends."""

    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def use(self, store: Store, project: str, show: Callable[[Ledger | None], Found]) -> Found:
        """Show a project's ledger; what is new is counted first where that is quick.

        Args:
            show: called with the ledger, which does not move meanwhile; with None while its
                first count is under way.
        """
        kept = self._begin(store, project)
        if kept.running is not None:
            kept.running.join(_WAIT_SECONDS)
        if not kept.whole:
            return show(None)
        with kept.lock:
            return show(kept.ledger)

    def wait(self, project: str) -> None:
        """Wait for a count under way (for tests, and before a picture is taken)."""
        kept = self._kept.get(project)
        if kept is not None and kept.running is not None:
            kept.running.join()

    def _begin(self, store: Store, project: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(project, _Kept(Ledger(project)))
            if kept.running is None or not kept.running.is_alive():
                kept.running = threading.Thread(target=_count, args=(store, kept), daemon=True)
                kept.running.start()
            return kept


def _count(store: Store, kept: _Kept) -> None:
    try:
        kept.ledger.catch_up(store, kept.lock)
        kept.whole = True
    except OverreadError as error:
        _LOG.error("%s in a count of effort", type(error).__name__)
