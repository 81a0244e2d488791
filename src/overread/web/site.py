"""What every request of one server shares."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from overread.store import Blobs, Store
from overread.web.anchorings import Anchorings, new_anchorings
from overread.web.checks import Checks
from overread.web.demands import Demands, new_demands
from overread.web.efforts import Efforts
from overread.web.jobs import Jobs
from overread.web.loops import Learnings
from overread.web.models import Models
from overread.web.offered import Offered
from overread.web.plan_counts import PlanCounts, new_counts
from overread.web.sign_on import SignOn
from overread.web.watches import Watches, new_watches

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Site:
    """A server's parts and settings.

    Args:
        store, blobs: where everything is kept.
        secret: key of the CSRF tokens and of what is hashed; 32 bytes or more.
        clock: tells the time, with a zone.
        hosts: names this server answers to.
        secure: it is reached by https, so cookies stay off http.
        address: how people reach it, without a slash at the end ("https://reads.example").
        import_root: folder whose sub-folders a lead may import by name; None allows uploads only.
        reports: folder whose reports leads may open; None where there are none.
        upload_folder: where uploads lie until they are imported; None is the system's place.
        sign_on: single sign-on; None where people have passwords only.
        jobs: imports under way.
        models: of projects, reached beside the pages.
        watches: over the readers of projects, beside the pages.
        demands: reads asked for while readers read, beside the pages.
        counts: of the cases and plans of large projects, beside the pages.
        learnings: projects that learn while they are read, beside the pages.
        anchorings: what pre-labels do to readers, beside the pages.
        efforts: reading time of projects, counted beside the pages.
        checks: looks at answers before they are sent.
        offered: what the models of projects could label.
        key_folder: of the home, whose key signs certificates; None signs none.
        hashing: lets two passwords be hashed at a time; each takes 64 MB.
    """

    store: Store
    blobs: Blobs
    secret: bytes
    clock: Callable[[], datetime]
    hosts: frozenset[str] = frozenset(LOOPBACK)
    secure: bool = False
    address: str = "http://127.0.0.1:8000"
    import_root: Path | None = None
    upload_folder: Path | None = None
    reports: Path | None = None
    sign_on: SignOn | None = None
    jobs: Jobs = field(default_factory=Jobs)
    models: Models = field(default_factory=Models)
    watches: Watches = field(default_factory=new_watches)
    demands: Demands = field(default_factory=new_demands)
    counts: PlanCounts = field(default_factory=new_counts)
    learnings: Learnings = field(default_factory=Learnings)
    anchorings: Anchorings = field(default_factory=new_anchorings)
    efforts: Efforts = field(default_factory=Efforts)
    checks: Checks = field(default_factory=Checks)
    offered: Offered = field(default_factory=Offered)
    key_folder: Path | None = None
    hashing: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(2))
