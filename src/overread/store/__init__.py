"""The store: projects, cases, people, tasks and reads on SQLite or PostgreSQL, with a log of all.

Every change of state is an event in a hash-chained, append-only log, written in the same
transaction; the state can be rebuilt from the log. Secrets, leases and drafts are kept beside it.
"""

from overread.errors import MissingExtraError

try:
    import fsspec  # noqa: F401 - asked for here, so that the error can say what to install
    import psycopg  # noqa: F401
    import sqlalchemy  # noqa: F401
except ImportError as error:
    raise MissingExtraError("The store of projects and reads", "server") from error

from overread.store.accounts import (
    UserRow,
    add_user,
    any_admin,
    change_user,
    find_user,
    get_user,
    list_users,
    replace_password_hash,
    set_password,
)
from overread.store.blobs import (
    Blobs,
    open_blobs,
)
from overread.store.canonical import (
    utc_now,
)
from overread.store.cases import (
    CaseRow,
    CaseState,
    NewCase,
    QuarantineRow,
    add_case,
    add_cases,
    clear_quarantine,
    find_case,
    get_case,
    get_cases,
    list_cases,
    list_quarantine,
    quarantine,
)
from overread.store.columns import (
    each_read,
    ReadColumns,
    reads_of_project,
)
from overread.store.drafts import (
    DraftRow,
    get_draft,
    save_draft,
)
from overread.store.engine import (
    Store,
    open_store,
)
from overread.store.errors import (
    BrokenLogError,
    BusyError,
    ConflictError,
    FullError,
    NewerStoreError,
    NotFoundError,
    StoreError,
)
from overread.store.events import (
    Event,
    Head,
    Verdict,
    event_hash,
    head,
    read_events,
    verify,
    verify_events,
)
from overread.store.links import (
    LinkRow,
    get_link,
    make_link,
    use_link,
    use_login_link,
)
from overread.store.plan import (
    Slot,
    plan_slots,
    plan_tasks,
    reassign,
)
from overread.store.progress import (
    ProjectProgress,
    ReaderCounts,
    ReaderProgress,
    list_reader_counts,
    project_progress,
    reader_progress,
)
from overread.store.projects import (
    MemberRow,
    ProjectRow,
    ProtocolRow,
    add_protocol_version,
    change_project,
    create_project,
    get_project,
    get_protocol,
    list_members,
    list_projects,
    remove_member,
    role_in,
    set_member,
)
from overread.store.reads import (
    ReadRow,
    Receipt,
    Submission,
    get_read,
    reads_of_case,
    reads_of_reader,
    submit_read,
)
from overread.store.rebuild import (
    dump_events,
    load_events,
    rebuild,
    state_digests,
)
from overread.store.sessions import (
    SessionRow,
    close_session,
    close_sessions,
    find_session,
    forget_login_failures,
    login_failed,
    login_failures,
    open_session,
)
from overread.store.tasks import (
    Task,
    claim,
    get_task,
    heartbeat,
    release,
    skip,
)

__all__ = [
    "Blobs",
    "BrokenLogError",
    "BusyError",
    "CaseRow",
    "CaseState",
    "ConflictError",
    "DraftRow",
    "Event",
    "FullError",
    "Head",
    "LinkRow",
    "MemberRow",
    "NewCase",
    "NewerStoreError",
    "NotFoundError",
    "ProjectProgress",
    "ProjectRow",
    "ProtocolRow",
    "QuarantineRow",
    "ReadColumns",
    "ReadRow",
    "ReaderCounts",
    "ReaderProgress",
    "Receipt",
    "SessionRow",
    "Slot",
    "Store",
    "StoreError",
    "Submission",
    "Task",
    "UserRow",
    "Verdict",
    "add_case",
    "add_cases",
    "add_protocol_version",
    "add_user",
    "any_admin",
    "change_project",
    "change_user",
    "claim",
    "clear_quarantine",
    "close_session",
    "close_sessions",
    "create_project",
    "dump_events",
    "event_hash",
    "find_case",
    "find_session",
    "each_read",
    "find_user",
    "forget_login_failures",
    "get_case",
    "get_cases",
    "get_draft",
    "get_link",
    "get_project",
    "get_protocol",
    "get_read",
    "get_task",
    "get_user",
    "head",
    "heartbeat",
    "list_cases",
    "list_members",
    "list_projects",
    "list_quarantine",
    "list_reader_counts",
    "list_users",
    "load_events",
    "login_failed",
    "login_failures",
    "make_link",
    "open_blobs",
    "open_session",
    "open_store",
    "plan_slots",
    "plan_tasks",
    "project_progress",
    "quarantine",
    "read_events",
    "reader_progress",
    "reads_of_case",
    "reads_of_project",
    "reads_of_reader",
    "reassign",
    "rebuild",
    "release",
    "remove_member",
    "replace_password_hash",
    "role_in",
    "save_draft",
    "set_member",
    "set_password",
    "skip",
    "state_digests",
    "submit_read",
    "use_link",
    "use_login_link",
    "utc_now",
    "verify",
    "verify_events",
]
