"""The tables as SQLAlchemy knows them. A test holds them against what the migrations make."""

from __future__ import annotations

import sqlalchemy as sa

from overread.store import tables_learning as learned
from overread.store.table_parts import big as _big
from overread.store.table_parts import flag as _flag
from overread.store.table_parts import real as _real
from overread.store.table_parts import table as _table
from overread.store.table_parts import text as _text
from overread.store.table_parts import texts as _texts
from overread.store.table_parts import whole as _whole

events = _table(
    "events",
    _big("n"),
    *_texts("at actor action"),
    _text("project", nullable=True),
    *_texts("body previous_hash hash"),
    key=("n",),
)
users = _table(
    "users", *_texts("id email name role"), _flag("active"), _text("created"), key=("id",)
)
projects = _table(
    "projects",
    *_texts("id name created created_by"),
    _flag("archived"),
    _whole("last_position"),
    _flag("gated"),
    key=("id",),
)
protocols = _table(
    "protocols",
    _text("project"),
    _whole("version"),
    *_texts("text created created_by"),
    key=("project", "version"),
)
members = _table("members", *_texts("project reader role since"), key=("project", "reader"))
cases = _table(
    "cases",
    *_texts("id project"),
    _whole("number"),
    *_texts("name content_hash group_key modality meta image frames"),
    _text("thumbnail", nullable=True),
    *_texts("added state"),
    _whole("free"),
    key=("id",),
)
quarantine = _table(
    "quarantine", *_texts("project source_hash reason since"), key=("project", "source_hash")
)
tasks = _table(
    "tasks",
    *_texts("id project case_id"),
    _whole("round"),
    _whole("slot"),
    _whole("position"),
    _text("planned_for", nullable=True),
    _text("reader", nullable=True),
    _text("state"),
    key=("id",),
)
grants = _table("grants", *_texts("task reader first"), key=("task", "reader"))
skips = _table("skips", *_texts("task reader project case_id reason since"), key=("task", "reader"))
reads = _table(
    "reads",
    _text("id"),
    _big("event"),
    *_texts("project task case_id reader"),
    _whole("round"),
    _whole("revision"),
    _whole("protocol_version"),
    _text("answer"),
    _flag("cannot_be_read"),
    _flag("ask_a_senior"),
    _text("comment"),
    _real("seconds"),
    _flag("surplus"),
    *_texts("submitted said"),
    key=("id",),
)
replies = _table(
    "replies", *_texts("read_id project case_id reader words replied_by since"), key=("read_id",)
)
seniors = _table("seniors", *_texts("project reader since"), key=("project", "reader"))
adjudications = _table(
    "adjudications",
    *_texts("id project case_id"),
    _whole("number"),
    *_texts("senior shown state words picked opened closed"),
    _real("seconds"),
    _text("dispute", nullable=True),
    key=("id",),
)
standards = _table(
    "standards",
    *_texts("case_id project adjudication answer"),
    _flag("cannot_be_read"),
    _whole("protocol_version"),
    _flag("stands"),
    *_texts("words since"),
    _big("event"),
    key=("case_id",),
)
asked_again = _table(
    "asked_again", *_texts("task project case_id reader why words source since"), key=("task",)
)
rulings = _table(
    "rulings",
    _text("project"),
    _whole("version"),
    *_texts("choice until_replaced readers touched words ruled_by since"),
    _big("event"),
    key=("project", "version"),
)
stale = _table(
    "stale",
    *_texts("read_id question project"),
    _whole("version"),
    *_texts("standing since"),
    key=("read_id", "question"),
)
alarms = _table(
    "alarms",
    *_texts("id project reader raised"),
    _big("event"),
    *_texts("body state"),
    _text("decided", nullable=True),
    _text("decided_by", nullable=True),
    *_texts("reason found"),
    key=("id",),
)
pauses = _table(
    "pauses",
    *_texts("project reader since reason"),
    _text("alarm", nullable=True),
    key=("project", "reader"),
)
checks = _table("checks", *_texts("task alarm project reader"), key=("task",))
suspects = _table(
    "suspects", *_texts("task reader project case_id alarm since state"), key=("task", "reader")
)
feedback = _table(
    "feedback",
    *_texts("alarm case_id"),
    _whole("place"),
    *_texts("project reader given"),
    _text("seen", nullable=True),
    key=("alarm", "case_id"),
)
profiles = _table("profiles", *_texts("reader profile changed changed_by"), key=("reader",))
waivers = _table("waivers", *_texts("id project reader what reason since waived_by"), key=("id",))
gold = _table(
    "gold",
    *_texts("id project case_id pool answer"),
    _whole("protocol_version"),
    _text("source"),
    _text("atlas", nullable=True),
    *_texts("state reason since made_by"),
    key=("id",),
)
runs = _table(
    "runs",
    *_texts("project reader"),
    _whole("run"),
    _whole("protocol_version"),
    _whole("cases"),
    *_texts("state score begun"),
    _text("ended", nullable=True),
    key=("project", "reader", "run"),
)
trials = _table(
    "trials",
    *_texts("id project reader"),
    _whole("run"),
    _whole("number"),
    *_texts("gold case_id given"),
    _text("read_id", nullable=True),
    _text("answer", nullable=True),
    _flag("cannot_be_read"),
    _text("comment"),
    _real("seconds"),
    sa.Column("protocol_version", sa.Integer, nullable=True),
    *(_text(name, nullable=True) for name in ("marks", "submitted", "said")),
    key=("id",),
)
qualifications = _table(
    "qualifications",
    *_texts("project reader"),
    _whole("protocol_version"),
    *_texts("how score since note"),
    key=("project", "reader"),
)
requalifications = _table(
    "requalifications",
    *_texts("project reader"),
    _whole("version"),
    *_texts("choice touched words since said_by"),
    key=("project", "reader"),
)
truthing_reports = _table(
    "truthing_reports",
    *_texts("id project made made_by"),
    _big("event"),
    _big("log_events"),
    _text("log_head"),
    _flag("named"),
    *_texts("words files"),
    key=("id",),
)
adjudication_wishes = _table(
    "adjudication_wishes", *_texts("case_id project since wished_by"), key=("case_id",)
)
effort_terms = _table("effort_terms", *_texts("project terms since set_by"), key=("project",))
disputes = _table(
    "disputes",
    *_texts("id project gold case_id trial reader words state decision since"),
    *(_text(name, nullable=True) for name in ("settled", "settled_by")),
    key=("id",),
)

plans = _table(
    "plans",
    *_texts("id project"),
    _whole("number"),
    *_texts("settings made_by since"),
    _big("event"),
    key=("id",),
)
planned = _table(
    "planned",
    *_texts("task project"),
    *(_whole(name) for name in ("batch", "sub_batch", "position")),
    _text("role"),
    key=("task",),
)
demands = _table(
    "demands",
    *_texts("case_id project state"),
    _whole("reads"),
    _real("probability"),
    *_texts("task since"),
    _big("event"),
    key=("case_id",),
)
advice = _table(
    "advice",
    _text("read_id"),
    _whole("place"),
    *_texts("project reader question rule finding"),
    _flag("followed"),
    key=("read_id", "place"),
)
label_checks = _table(
    "label_checks",
    *_texts("id project made made_by"),
    *(_big(name) for name in ("event", "log_events")),
    *_texts("words result"),
    key=("id",),
)

learning = learned.learning
learning_asked = learned.learning_asked
latents = learned.latents
encoders = learned.encoders
encoder_trainings = learned.encoder_trainings
trained_encoders = learned.trained_encoders
encoder_choices = learned.encoder_choices
auto_runs = learned.auto_runs
auto_labels = learned.auto_labels
auto_reviews = learned.auto_reviews
audits = learned.audits
audit_cases = learned.audit_cases
label_certificates = learned.label_certificates
pre_labels = learned.pre_labels
object_hints = learned.object_hints
pre_label_models = learned.pre_label_models
pre_labels_shown = learned.pre_labels_shown

tallies = _table(
    "tallies", *_texts("project reader what"), _real("amount"), key=("project", "reader", "what")
)
leases = _table("leases", *_texts("task reader expires"), key=("task",))
queue_marks = _table(
    "queue_marks", *_texts("project reader"), _whole("position"), key=("project", "reader")
)
drafts = _table(
    "drafts",
    *_texts("task reader"),
    _whole("version"),
    _text("answer"),
    _flag("cannot_be_read"),
    _flag("ask_a_senior"),
    _text("comment"),
    _real("seconds"),
    _text("saved"),
    key=("task", "reader"),
)
passwords = _table("passwords", *_texts("reader hash changed"), key=("reader",))
links = _table(
    "links",
    *_texts("token_hash purpose email role"),
    _text("project", nullable=True),
    *_texts("created created_by expires"),
    _text("used", nullable=True),
    key=("token_hash",),
)
sessions = _table(
    "sessions", *_texts("token_hash reader csrf created seen expires"), key=("token_hash",)
)
login_failures = _table("login_failures", *_texts("id who at"), key=("id",))

STATE = (
    users,
    projects,
    protocols,
    members,
    cases,
    quarantine,
    tasks,
    grants,
    skips,
    reads,
    replies,
    profiles,
    waivers,
    gold,
    runs,
    trials,
    qualifications,
    disputes,
    seniors,
    adjudications,
    standards,
    asked_again,
    rulings,
    stale,
    alarms,
    pauses,
    checks,
    suspects,
    feedback,
    requalifications,
    truthing_reports,
    effort_terms,
    adjudication_wishes,
    plans,
    planned,
    demands,
    advice,
    label_checks,
    auto_runs,
    auto_labels,
    auto_reviews,
    audits,
    audit_cases,
    label_certificates,
    learning,
    learning_asked,
    encoder_trainings,
    trained_encoders,
    encoder_choices,
    pre_labels,
    object_hints,
    pre_label_models,
    pre_labels_shown,
)
"""Every row follows from the log; in an order that the foreign keys allow."""

WORKING = (
    tallies,
    leases,
    queue_marks,
    drafts,
    passwords,
    links,
    sessions,
    login_failures,
    latents,
    encoders,
)
"""What a log must not or need not hold: tallies of other rows, secrets, leases, drafts, marks."""
