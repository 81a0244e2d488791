"""How the truth of a project was made: all of it from the store and its log, as JSON.

The words are those a regulator asks in: who read, how they were chosen and trained, what they did
not see, how reads became labels, what was corrected. Readers are R1, R2 ... unless names are
asked for; cases are told by their names, which hold no identifier.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from overread.agreement.estimate import Estimate
from overread.app.analysis.measure_agreement import measure_agreement
from overread.app.analysis.methods import method_called
from overread.app.quality.gold_scores import gold_scores
from overread.app.quality.reader_profiles import profile_of
from overread.app.quality.truthing_auto import auto_labels_told
from overread.app.quality.truthing_blinding import blinding
from overread.app.study.case_browser import reader_colours
from overread.app.study.conformity import conformity
from overread.app.study.project_protocol import parsed, protocol_of
from overread.app.study.project_readers import who_reads
from overread.app.study.project_tables import project_table
from overread.app.study.software import software
from overread.errors import InputError, MethodError
from overread.labels import Reads
from overread.protocol import Question, changes
from overread.store import (
    Store,
    case_names,
    count_quarantine,
    each_read,
    get_cases,
    get_project,
    get_protocol,
    head,
    list_alarms,
    list_certificates,
    list_disputes,
    list_feedback,
    list_gold,
    list_pauses,
    list_runs,
    list_users,
    list_waivers,
    project_progress,
)
from overread.store.quality.adjudications import SENT_BACK, list_adjudications, standards_of_project
from overread.store.quality.pauses import past_pauses
from overread.store.quality.stale import list_rulings

_TOLD = 1_000  # corrections and independent reads that the report lists
_SUBGROUPS = ("site", "sex", "age_band", "device")
_MOST_GROUPS = 12
_DRAWS = 1_000


@dataclass(slots=True, eq=False)
class _Reads:
    """What one pass over all that was ever sent counts."""

    first: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    of_reader: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    corrections: list[dict[str, Any]] = field(default_factory=list)
    sent: int = 0


def truthing(
    store: Store,
    project: str,
    *,
    date: str,
    named: bool = False,
    tick: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Gather a truthing report.

    Args:
        store: where.
        project: its id.
        date: as it shall be printed.
        named: tell readers by their names; else they are R1, R2 ...
        tick: called with each part that begins.
    Returns:
        JSON; its parts are the sections of the report.
    Raises:
        NotFoundError: no such project.
    """
    last = head(store)
    tick("reads")
    reads = _counted(store, project)
    label = _labels(store, project, reads, named=named)
    tick("agreement")
    agreement = [_agreement(store, project, one, last.n) for one in _questions(store, project)]
    tick("protocol")
    return {
        "project": get_project(store, project).name,
        "date": date,
        "log": {"events": last.n, "head": last.hash},
        "software": software(),
        "protocol": _protocol(store, project),
        "readers": _readers(store, project, reads, label),
        "blinding": blinding(store, project),
        "flow": _flow(store, project, reads),
        "agreement": [one for one in agreement if one is not None],
        "gold": _gold(store, project, label),
        "alarms": _alarms(store, project, label),
        "pauses": _pauses(store, project, label),
        "adjudication": _adjudication(store, project, label),
        "corrections": {
            "count": len(reads.corrections),
            "first": [one | {"reader": label.get(one["reader"], "former reader")}
                      for one in reads.corrections[:_TOLD]],
        },
        "conformity": conformity(store, project).document(),
        "auto_labels": auto_labels_told(store, project),
    }  # fmt: skip


def _questions(store: Store, project: str) -> tuple[Question, ...]:
    return protocol_of(store, project).protocol.questions


def _counted(store: Store, project: str) -> _Reads:
    made = _Reads()
    for row in each_read(store, project, latest=False, aside=True):
        made.sent += 1
        reader, key = row["reader"], (row["task"], row["reader"])
        counts = made.of_reader.setdefault(reader, Counter())
        if row["revision"] > 1:
            corrected = {"case": row["case_name"], "reader": reader, "when": row["submitted"]}
            made.corrections.append(corrected | {"revision": row["revision"]})
        else:
            counts["repeat" if row["round"] else "read"] += 1
        counts["surplus"] += row["surplus"] and row["revision"] == 1
        made.first[key] = row
        made.seconds.setdefault(reader, []).append(float(row["seconds"]))
    for row in made.first.values():
        made.of_reader[row["reader"]]["unreadable"] += bool(row["cannot_be_read"])
    return made


def _labels(store: Store, project: str, reads: _Reads, *, named: bool) -> dict[str, str]:
    reading = {*who_reads(store, project), *reads.of_reader}
    order = [one for one in reader_colours(store, project) if one in reading]
    order += [one for one in reads.of_reader if one not in order]
    if not named:
        return {one: f"R{at}" for at, one in enumerate(order, start=1)}
    names = {one.id: one.name for one in list_users(store, keys=order)}
    return {one: names.get(one, f"R{at}") for at, one in enumerate(order, start=1)}


def _protocol(store: Store, project: str) -> dict[str, Any]:
    now = protocol_of(store, project)
    rulings = list_rulings(store, project)
    versions = []
    before = None
    for number in range(1, now.version + 1):
        row = get_protocol(store, project, number)
        this = parsed(row.text)
        ruling = rulings.get(number)
        versions.append(
            {
                "version": number,
                "since": row.created,
                "changes": [] if before is None else [one.what for one in changes(before, this)],
                "ruling": None
                if ruling is None
                else {"read_again": ruling.choice, "why": ruling.words},
            }
        )
        before = this
    asked = now.protocol.qualification
    return {
        "title": now.protocol.title,
        "version": now.version,
        "reads_per_case": now.protocol.reads_per_case,
        "questions": [
            {
                "id": one.id,
                "prompt": one.prompt,
                "kind": str(one.kind),
                "classes": list(one.names),
                "consensus": method_called(None, one.kind).name,
                "source": method_called(None, one.kind).source,
            }
            for one in now.protocol.questions
        ],
        "guideline": bool(now.protocol.guideline.strip()),
        "atlas": len(now.protocol.atlas),
        "qualification": None if asked is None else asdict(asked),
        "watch": asdict(now.protocol.watch),
        "versions": versions,
    }


def _readers(
    store: Store, project: str, reads: _Reads, label: Mapping[str, str]
) -> list[dict[str, Any]]:
    certificates = list_certificates(store, project)
    runs = Counter(one.reader for one in list_runs(store, project) if one.state != "open")
    waivers = list_waivers(store, project)
    alarms = Counter(one.reader for one in list_alarms(store, project))
    paused = list_pauses(store, project)
    made = []
    for key, name in label.items():
        counts = reads.of_reader.get(key, Counter())
        certificate = certificates.get(key)
        profile = asdict(profile_of(store, key))
        made.append(
            {
                "reader": name,
                "profile": {what: said for what, said in profile.items() if said},
                "qualified": None
                if certificate is None
                else {"since": certificate.since, "how": certificate.how,
                      "score": certificate.score, "note": certificate.note},
                "dry_runs": runs[key],
                "exceptions": [one.reason for one in waivers if one.reader == key],
                "reads": counts["read"],
                "repeats": counts["repeat"],
                "surplus": counts["surplus"],
                "cannot_be_read": counts["unreadable"],
                "median_seconds": median(reads.seconds[key]) if key in reads.seconds else None,
                "alarms": alarms[key],
                "paused": key in paused,
            }
        )  # fmt: skip
    return made


def _flow(store: Store, project: str, reads: _Reads) -> dict[str, Any]:
    far = project_progress(store, project)
    readers_of_case: dict[str, set[str]] = {}
    for row in reads.first.values():
        if not row["round"]:
            readers_of_case.setdefault(row["case"], set()).add(row["reader"])
    by_readers = Counter(len(one) for one in readers_of_case.values())
    counted = {(row["task"], row["reader"]) for row in each_read(store, project)}
    return {
        "cases": far.cases,
        "files_quarantined": count_quarantine(store, project),
        "read": len(readers_of_case),
        "not_read": far.cases - len(readers_of_case),
        "cases_by_readers": {str(n): by_readers[n] for n in sorted(by_readers)},
        "reads": len(reads.first),
        "submissions": reads.sent,
        "set_aside": len(reads.first) - len(counted & set(reads.first)),
        "refused_tasks": far.skipped,
        "reference_standards": len(standards_of_project(store, project)),
    }


def _agreement(store: Store, project: str, question: Question, until: int) -> dict[str, Any] | None:
    table = project_table(store, project, question, until=until)
    if table is None:
        return None
    head_ = {"question": question.id, "prompt": question.prompt, "kind": str(question.kind)}
    try:
        found = measure_agreement(table, draws=_DRAWS).figures
    except (InputError, MethodError) as error:
        return head_ | {"lacking": str(error)}
    return head_ | {
        "cases": table.index.n_cases,
        "reads": table.index.n_reads,
        "overall": [_estimate(one) for one in found.overall],
        "by_class": [_estimate(one) for one in found.by_class],
        "within": [_estimate(one) for one in found.within],
        "by_subgroup": _by_subgroup(store, table),
    }


def _by_subgroup(store: Store, table: Reads) -> list[dict[str, Any]]:
    """By each thing that is known of the cases and tells a few groups apart."""
    keys = [str(one).split("#", maxsplit=1)[0] for one in table.index.cases]
    meta = {key: row.meta for key, row in get_cases(store, sorted(set(keys))).items()}
    made: list[dict[str, Any]] = []
    for what in _SUBGROUPS:
        groups = [str(meta[key].get(what) or "unknown") for key in keys]
        if not 1 < len(set(groups)) <= _MOST_GROUPS:
            continue
        try:
            found = measure_agreement(table, subgroup=groups, draws=_DRAWS).figures.by_subgroup
        except (InputError, MethodError):
            continue
        made += [_estimate(one) | {"by": what} for one in found]
    return made


def _estimate(one: Estimate) -> dict[str, Any]:
    known = {
        name: None if value != value else float(value)  # noqa: PLR0124 - nan is unknown
        for name, value in (("value", one.value), ("low", one.low), ("high", one.high))
    }
    words = {"name": one.name, "scope": one.scope, "undefined": one.undefined, "words": one.words}
    return words | known | {"cases": one.n_cases, "interval": one.interval}


def _gold(store: Store, project: str, label: Mapping[str, str]) -> dict[str, Any]:
    gold = list_gold(store, project)
    scores = gold_scores(store, project)
    disputes = list_disputes(store, project) + list_disputes(store, project, settled=True)
    return {
        "cases": dict(Counter(f"{one.pool}, {one.state}" for one in gold)),
        "disputes": dict(Counter(one.state for one in disputes)),
        "scores": [
            {
                "reader": label.get(key, "former reader"),
                "cases": one.cases,
                "questions": [
                    {"id": each.id, "score": each.whole.what, "value": each.whole.estimate,
                     "low": each.whole.low, "high": each.whole.high, "n": each.whole.n}
                    for each in one.questions
                ],
            }
            for key, one in scores.items()
        ],
    }  # fmt: skip


def _alarms(store: Store, project: str, label: Mapping[str, str]) -> list[dict[str, Any]]:
    shown = _looked_again(store, project)
    return [
        {
            "reader": label.get(one.reader, "former reader"),
            "raised": one.raised,
            "what": one.told.get("words", ""),
            "question": one.told.get("question", ""),
            "looked_again": shown.get(one.id, []),
            "checked": one.checked,
            "check": one.found,
            "state": one.state,
            "decided": one.decided,
            "why": one.reason,
        }
        for one in reversed(list_alarms(store, project))
    ]


def _looked_again(store: Store, project: str) -> dict[str, list[dict[str, str]]]:
    """Alarm -> the cases that its reader was shown again, and when they had seen each."""
    given = list_feedback(store, project)
    names = case_names(store, sorted({one.case for one in given}))
    made: dict[str, list[dict[str, str]]] = {}
    for one in given:
        told = {"case": names.get(one.case, ""), "shown": one.given, "seen": one.seen}
        made.setdefault(one.alarm, []).append(told)
    return made


def _pauses(store: Store, project: str, label: Mapping[str, str]) -> list[dict[str, Any]]:
    """Pauses and releases by hand, those that are over too; an alarm tells of its own."""
    return [
        {
            "reader": label.get(one.reader, "former reader"),
            "paused": one.since if not one.alarm else "",
            "why": one.reason if not one.alarm else "after an alarm",
            "released": one.until if not one.ended_alarm else "",
            "why_released": one.why_ended if not one.ended_alarm else "with an alarm's decision",
        }
        for one in past_pauses(store, project)
        if not one.alarm or (one.until and not one.ended_alarm)
    ]


def _adjudication(store: Store, project: str, label: Mapping[str, str]) -> dict[str, Any]:
    standards = standards_of_project(store, project)
    decided = {one.id: one for one in list_adjudications(store, project, "decided")}
    names = case_names(store, sorted(standards))
    return {
        "decided": len(standards),
        "sent_back": len(list_adjudications(store, project, SENT_BACK)),
        "seniors": sorted({label.get(one.senior, "a senior") for one in decided.values()}),
        "first": [
            {"case": names.get(case, ""), "why": one.words, "when": one.since,
             "cannot_be_read": one.cannot_be_read, "protocol_version": one.protocol_version}
            for case, one in sorted(standards.items(), key=lambda each: each[1].event)[:_TOLD]
        ],
    }  # fmt: skip
