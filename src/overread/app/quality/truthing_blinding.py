"""What readers of a project did not see, and what they were shown, in words for a regulator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from overread.app.learning.hint_influence import from_hints
from overread.app.study.project_protocol import protocol_of
from overread.store import Store, each_read
from overread.store.learning.pre_labels import HINTS, PRE_LABEL, ShownRow, brought, each_shown

_Shown: TypeAlias = Mapping[tuple[str, str], ShownRow]

_ALWAYS = (
    "Cases come by a queue without the names of patients; identifiers are not stored with a case.",
    "Hidden gold cases and repeat reads come unannounced among the others.",
    (
        "Who adjudicates sees the reads without names, in an order drawn for each case, and none "
        "of the cases they read themselves."
    ),
)
_ALONE = "Readers get their own reads alone: the server gives nobody who only reads another's read"


def blinding(store: Store, project: str) -> tuple[str, ...]:
    """Tell what readers were blind to; where a model's output was shown, how often and to whom.

    Raises:
        NotFoundError: no such project.
    """
    shown = list(each_shown(store, project))
    looks = {(one.task, one.reader): one for one in each_shown(store, project, what=HINTS)}
    hints = len(looks)
    if not shown and not hints:
        return (f"{_ALONE}, the consensus, or a model's guess.", *_ALWAYS)
    told = [f"{_ALONE} or the consensus."]
    if shown:
        told.append(_pre_labels(store, project, [one.marked for one in shown]))
    if hints:
        told.append(
            f"Places that stand out by the images alone (object discovery, which knows nothing of "
            f"what is asked) were shown on request in {hints:,} {_tasks(hints)}. "
            + _boxed(store, project, looks, {(one.task, one.reader): one for one in shown})
        )
    return (*told, *_ALWAYS)


def _pre_labels(store: Store, project: str, marked: list[bool]) -> str:
    wish = protocol_of(store, project).protocol.pre_label
    names = sorted({f"{one.model} {one.version}" for one in brought(store, project)})
    before = len(marked) - sum(marked)
    return (
        f"A {PRE_LABEL} (the proposal of a model: {', '.join(names)}) was shown as an editable "
        f"start in {len(marked):,} {_tasks(len(marked))}, in {before:,} of them before the reader "
        f"had marked anything; each is in the log. Gold, repeats, checks and audits never had one, "
        f"and by the protocol in force {100 * wish.keep_hidden:.0f} % of the cases, drawn by lot, "
        "keep it hidden, so that its influence can be measured."
    )


def _boxed(store: Store, project: str, looks: _Shown, proposed: _Shown) -> str:
    boxes = moved = 0
    for row in each_read(store, project):
        about = (row["task"], row["reader"])
        look = looks.get(about)
        if look is not None and look.event < row["event"]:
            began = from_hints(row["answer"], look, proposed.get(about))
            boxes, moved = boxes + len(began), moved + sum(one.moved for one in began)
    if not boxes:
        return "No box of a read began as one."
    began_as = "box of the reads began as one" if boxes == 1 else "boxes of the reads began as one"
    return f"{boxes:,} {began_as}, of which {moved:,} {'was' if moved == 1 else 'were'} changed."


def _tasks(count: int) -> str:
    return "task" if count == 1 else "tasks"
