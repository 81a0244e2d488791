"""The tables of learning: what is asked for, latents, auto-labels and audits, pre-labels."""

from __future__ import annotations

import sqlalchemy as sa

from overread.store.table_parts import big, binary, flag, real, table, text, texts, whole

learning = table(
    "learning", *texts("project state words since set_by"), big("event"), key=("project",)
)
learning_asked = table(
    "learning_asked",
    *texts("case_id project why"),
    *(whole(name) for name in ("labels", "place")),
    text("since"),
    big("event"),
    key=("case_id",),
)
latents = table(
    "latents",
    *texts("project version case_id"),
    binary("vector"),
    key=("project", "version", "case_id"),
)
encoders = table(
    "encoders",
    *texts("project version part"),
    binary("parameters"),
    flag("ready"),
    text("made"),
    key=("project", "version"),
)
encoder_trainings = table(
    "encoder_trainings",
    *texts("project kind state settings words since set_by"),
    big("event"),
    key=("project", "kind"),
)
trained_encoders = table(
    "trained_encoders",
    *texts("project kind file about since made_by"),
    big("event"),
    key=("project", "kind"),
)
encoder_choices = table(
    "encoder_choices",
    *texts("project chain before scores"),
    whole("labels"),
    *texts("reason since"),
    big("event"),
    key=("project",),
)

auto_runs = table(
    "auto_runs",
    *texts("id project"),
    whole("number"),
    text("question"),
    whole("protocol_version"),
    *texts("model settings state made made_by"),
    big("event"),
    key=("id",),
)
auto_labels = table(
    "auto_labels",
    *texts("run case_id"),
    whole("place"),
    *texts("proposed label"),
    real("probability"),
    whole("tier"),
    *texts("state who since"),
    key=("run", "case_id"),
)
auto_reviews = table(
    "auto_reviews",
    big("event"),
    *texts("run project reader"),
    *(whole(name) for name in ("labels", "looked_at")),
    real("seconds"),
    text("since"),
    key=("event",),
)
audits = table(
    "audits",
    *texts("id run project"),
    whole("number"),
    *texts("settings frozen state words begun begun_by"),
    big("event"),
    text("ended"),
    key=("id",),
)
audit_cases = table(
    "audit_cases", *texts("audit case_id"), whole("place"), key=("audit", "case_id")
)
label_certificates = table(
    "label_certificates",
    *texts("id run audit project document made made_by"),
    big("event"),
    key=("id",),
)

pre_labels = table(
    "pre_labels",
    *texts("case_id question"),
    big("event"),
    *texts("project value"),
    sa.Column("confidence", sa.Double, nullable=True),
    *texts("model version since brought_by"),
    big("withdrawn"),
    key=("case_id", "question", "event"),
)
object_hints = table(
    "object_hints", *texts("case_id project regions method since"), key=("case_id",)
)
pre_label_models = table(
    "pre_label_models",
    *texts("project id question file about since brought_by"),
    big("event"),
    key=("project", "id"),
)
pre_labels_shown = table(
    "pre_labels_shown",
    *texts("task reader what project case_id how"),
    flag("marked"),
    *texts("shown since"),
    big("event"),
    key=("task", "reader", "what"),
)
