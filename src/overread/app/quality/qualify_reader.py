"""What the lead decides for one reader, with a reason that stays in the log."""

from __future__ import annotations

from overread.app.study.project_protocol import protocol_of
from overread.errors import InputError
from overread.store import Store, qualify, waive, withdraw_qualification

WHATS = ("profile", "run", "certificate", "withdraw")


def exempt(store: Store, project: str, reader: str, what: str, *, reason: str, by: str) -> None:
    """Make an exception for a reader of a project.

    Args:
        what: "profile" (it need not fit), "run" (one more dry run), "certificate" (they may read
            without a dry run) or "withdraw" (their certificate is taken back).
    Raises:
        InputError: no reason, or another word.
        NotFoundError: nobody who reads in the project.
        ConflictError: they are qualified already.
    """
    reason = reason.strip()
    if what in {"profile", "run"}:
        waive(store, project, reader, what, reason=reason, by=by)
    elif what == "certificate":
        version = protocol_of(store, project).version
        qualify(store, project, reader, reason, by, protocol_version=version)
    elif what == "withdraw":
        withdraw_qualification(store, project, reader, reason, by)
    else:
        raise InputError("exception", f"be one of {', '.join(WHATS)}", what)
