"""A truthing report laid out: a section for each thing a regulator asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from overread import __version__
from overread.app.quality.truthing_auto import auto_section
from overread.protocol import headed
from overread.report import Sheet
from overread.report.blocks import Block, Cell, Column, Figure, Note, Section, Table, Text

_NONE = "-"
_LOG_WORDS = (
    "Every read, revision, decision and pause stands in a log whose events each hold the hash of "
    "the one before. Keep the head below outside of the server: overread verify PROJECT --head "
    "checks the log against it, and tells the first event that was changed, if any was."
)


def sheet(told: Mapping[str, Any]) -> Sheet:
    """Lay out what :func:`overread.app.quality.truthing_report.truthing` gathered."""
    flow, conform = told["flow"], told["conformity"]
    whole = conform["conforming"] == conform["labels"]
    open_ = [one for one in told["alarms"] if one["state"] in {"open", "checking"}]
    return Sheet(
        f"How truth was made: {told['project']}",
        ("truthing report", f"protocol version {told['protocol']['version']}", told["date"]),
        told["date"],
        __version__,
        (
            ("Truth", _truth_words(told)),
            ("Readers", _readers_words(told)),
            ("Corrected", _corrected_words(told, open_)),
        ),
        (
            Figure(f"{flow['cases']:,}", "cases", f"{flow['not_read']:,} not read"),
            Figure(f"{len(told['readers']):,}", "readers", _qualified_words(told)),
            Figure(f"{flow['reads']:,}", "independent reads", f"{flow['set_aside']:,} set aside"),
            Figure(f"{flow['reference_standards']:,}", "adjudicated", "decided by a senior reader"),
            Figure(
                f"{conform['conforming']:,} of {conform['labels']:,}",
                "labels conform",
                f"to protocol version {told['protocol']['version']}",
                "" if whole else "warning",
            ),
        ),
        tuple(_sections(told)),
    )


def _truth_words(told: Mapping[str, Any]) -> str:
    flow, wanted = told["flow"], told["protocol"]["reads_per_case"]
    each = "one reader reads" if wanted == 1 else f"{wanted} readers read"
    words = f"The protocol asks that {each} each case, without the others' answers. "
    words += f"{flow['read']:,} of {flow['cases']:,} cases are read. "
    if flow["reference_standards"]:
        words += f"A senior reader decided on {flow['reference_standards']:,} of them. "
    return (
        words + "What the others' labels are follows from the reads by the consensus named below."
    )


def _readers_words(told: Mapping[str, Any]) -> str:
    readers = told["readers"]
    qualified = sum(one["qualified"] is not None for one in readers)
    if told["protocol"]["qualification"] is None:
        return f"{len(readers)} readers. The protocol demands no qualification of them."
    return f"{qualified} of {len(readers)} readers qualified on gold cases before they read."


def _qualified_how(one: Mapping[str, Any]) -> str:
    note = f"; {one['note']}" if one.get("note") else ""
    return f"{one['since'][:10]}, {one['how']}{note}"


def _qualified_words(told: Mapping[str, Any]) -> str:
    count = sum(one["qualified"] is not None for one in told["readers"])
    return f"{count} qualified on gold cases" if count else "no qualification is kept"


def _corrected_words(told: Mapping[str, Any], open_: Sequence[Any]) -> str:
    alarms, count = told["alarms"], told["corrections"]["count"]
    words = f"Readers corrected {count:,} of their reads; the first answers are kept. "
    if not alarms:
        return words + "No reader raised an alarm."
    waits = f"; {len(open_)} still open" if open_ else ""
    count = "One alarm about a reader was" if len(alarms) == 1 else f"{len(alarms)} alarms were"
    return f"{words}{count} raised{waits}."


def _sections(told: Mapping[str, Any]) -> Iterable[Section]:
    yield _protocol(told["protocol"])
    yield _readers(told)
    yield Section(
        "blinding",
        "Blinding",
        "What readers did not see.",
        tuple(Text(one) for one in told["blinding"]),
    )
    yield _flow(told)
    yield _agreement(told["agreement"])
    yield _gold(told["gold"])
    yield _alarms(told["alarms"], told["pauses"])
    yield _adjudication(told["adjudication"])
    yield from auto_section(told)
    yield _corrections(told)
    yield _log(told)
    yield _crosswalk()


def _protocol(of: Mapping[str, Any]) -> Section:
    questions = _table(
        "Questions, and how reads are combined",
        ("Question", "Kind", "Classes", "Consensus"),
        [
            (
                one["prompt"],
                one["kind"],
                ", ".join(one["classes"]) or "a number",
                f"{one['consensus']} ({one['source']})",
            )
            for one in of["questions"]
        ],
    )
    versions = _table(
        "Versions of the protocol",
        ("Version", "Since", "What changed", "Labels of before"),
        [
            (
                str(one["version"]),
                one["since"][:10],
                "; ".join(one["changes"]) or "first version",
                ""
                if one["ruling"] is None
                else f"read again: {one['ruling']['read_again']}. {one['ruling']['why']}",
            )
            for one in of["versions"]
        ],
    )
    guide = "has a guideline" if of["guideline"] else "has no guideline"
    lead = f"{of['title']}: version {of['version']}; it {guide} and {of['atlas']} atlas pictures."
    return Section("protocol", "Protocol", lead, (questions, versions))


def _readers(told: Mapping[str, Any]) -> Section:
    rows = [
        (
            one["reader"],
            _profile(one["profile"]),
            _NONE if one["qualified"] is None else _qualified_how(one["qualified"]),
            f"{one['reads']:,}",
            f"{one['repeats']:,}",
            _NONE if one["median_seconds"] is None else f"{one['median_seconds']:.0f} s",
            str(one["alarms"] or ""),
        )
        for one in told["readers"]
    ]
    titles = ("Reader", "Who", "Qualified", "Reads", "Repeats", "Median", "Alarms")
    exceptions = [
        Note(f"{one['reader']}: an exception was made", "; ".join(one["exceptions"]))
        for one in told["readers"]
        if one["exceptions"]
    ]
    table = _table("Readers and their qualification", titles, rows, numbers=(3, 4, 5, 6))
    return Section("readers", "Readers", _readers_words(told), (table, *exceptions))


def _profile(of: Mapping[str, Any]) -> str:
    said = [str(of[name]) for name in ("profession", "specialty") if of.get(name)]
    said += ["board certified"] if of.get("board") else []
    said += [f"{of['years']:g} years"] if of.get("years") else []
    said += [f"conflicts: {of['conflicts']}"] if of.get("conflicts") else []
    return ", ".join(said) or "nothing said"


def _flow(told: Mapping[str, Any]) -> Section:
    of = told["flow"]
    aside = [(f"Files set aside at import: {why}", n) for why, n in of["files_quarantined"].items()]
    read = [
        (f"Cases read by {n} {'reader' if n == '1' else 'readers'}", count)
        for n, count in of["cases_by_readers"].items()
    ]
    counts = [
        ("Cases imported", of["cases"]),
        *aside,
        *read,
        ("Cases not read", of["not_read"]),
        ("Reads set aside after an alarm", of["set_aside"]),
        ("Tasks that a reader refused", of["refused_tasks"]),
        ("Cases with a reference standard by adjudication", of["reference_standards"]),
    ]
    rows = [(what, f"{count:,}") for what, count in counts]
    lead = f"{of['cases']:,} cases, {of['read']:,} of them read, {of['reads']:,} reads."
    table = _table("Case flow", ("What", "How many"), rows, numbers=(1,))
    return Section("flow", "Case flow", lead, (table,))


_PARTS = (
    ("overall", "overall"),
    ("by_class", "by class"),
    ("by_subgroup", "by subgroup"),
    ("within", "within readers"),
)


def _agreement(found: Sequence[Mapping[str, Any]]) -> Section:
    blocks: list[Block] = []
    for one in found:
        if "lacking" in one:
            blocks.append(Note(one["prompt"], one["lacking"], "empty"))
            continue
        for part, words in _PARTS:
            if one[part]:
                caption = f"{headed(one['prompt'])} {words}, {one['cases']:,} cases"
                blocks.append(_estimates(caption, one[part]))
    lead = "How far readers say the same, with 95 % intervals."
    if not blocks:
        blocks.append(
            Note("No reads yet", "Agreement stands here once cases are read twice.", "empty")
        )
    return Section("agreement", "Agreement", lead, tuple(blocks))


def _estimates(caption: str, found: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (
            one["name"],
            one["scope"],
            _NONE if one["value"] is None else f"{one['value']:.3f}",
            _interval(one),
            one["undefined"],
        )
        for one in found
    ]
    return _table(caption, ("Measure", "Of", "Value", "95 % interval", ""), rows, numbers=(2, 3))


def _interval(one: Mapping[str, Any]) -> str:
    return "" if one["low"] is None else f"{one['low']:.3f} to {one['high']:.3f}"


def _gold(of: Mapping[str, Any]) -> Section:
    rows = [
        (one["reader"], each["id"], each["score"], f"{each['value']:.2f}",
         f"{each['low']:.2f} to {each['high']:.2f}", str(each["n"]))
        for one in of["scores"]
        for each in one["questions"]
    ]  # fmt: skip
    titles = ("Reader", "Question", "Score", "Value", "95 % interval", "On")
    cases = "; ".join(f"{what}: {n}" for what, n in of["cases"].items()) or "none"
    lead = f"Cases whose answer is known: {cases}."
    block: Block = _table("Hidden gold, reader by reader", titles, rows, numbers=(3, 4, 5))
    if not rows:
        block = Note("No hidden gold was read", "Scores stand here once it is.", "empty")
    return Section("gold", "Gold cases", lead, (block,))


def _alarms(found: Sequence[Mapping[str, Any]], pauses: Sequence[Mapping[str, Any]]) -> Section:
    rows = [
        (
            one["reader"],
            one["raised"][:10],
            one["what"],
            one["check"] or (f"{one['checked']} cases" if one["checked"] else "no check"),
            one["state"] if not one["decided"] else f"{one['state']} {one['decided'][:10]}",
            one["why"],
        )
        for one in found
    ]
    titles = ("Reader", "Raised", "What", "Check on fresh cases", "Decision", "Why")
    lead = "What the charts found." if found else "No alarm was raised."
    blocks = [_table("Drift, and what was done", titles, rows)] if rows else []
    again = [
        (one["reader"], each["case"], each["shown"][:10], each["seen"][:10] or "not yet",
         _result(one))
        for one in found
        for each in one["looked_again"]
    ]  # fmt: skip
    if again:
        lead += (
            " Readers were shown cases of an alarm again, beside what the others said together, "
            "without names; their own reads of these cases stand as they were."
        )
        heads = ("Reader", "Case", "Shown", "Seen", "Check afterwards")
        blocks.append(_table("Re-alignment: cases that readers were shown again", heads, again))
    if pauses:
        blocks.append(_by_hand(pauses))
    return Section("drift", "Drift", lead, tuple(blocks))


def _result(alarm: Mapping[str, Any]) -> str:
    if alarm["check"]:
        return str(alarm["check"])
    return f"{alarm['checked']} fresh cases read" if alarm["checked"] else "no check"


def _by_hand(pauses: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        (one["reader"], one["paused"][:10] or _NONE, one["why"],
         one["released"][:10] or (_NONE if one["why_released"] else "stands"),
         one["why_released"])
        for one in pauses
    ]  # fmt: skip
    titles = ("Reader", "Paused", "Why", "Let go on", "Why")
    return _table("Pauses and releases by hand", titles, rows)


def _adjudication(of: Mapping[str, Any]) -> Section:
    rows = [(one["case"], one["when"][:10], one["why"]) for one in of["first"]]
    lead = f"{of['decided']:,} cases were decided by a senior reader; "
    lead += f"{of['sent_back']:,} went back to their readers."
    blocks = (_table("Decisions and their reasons", ("Case", "When", "Why"), rows),) if rows else ()
    return Section("adjudication", "Adjudication", lead, blocks)


def _corrections(told: Mapping[str, Any]) -> Section:
    of, conform = told["corrections"], told["conformity"]
    rows = [
        (one["case"], one["reader"], str(one["revision"]), one["when"][:10]) for one in of["first"]
    ]
    blocks: list[Block] = []
    if rows:
        titles = ("Case", "Reader", "Revision", "When")
        blocks.append(_table("Corrections", titles, rows, numbers=(2,)))
    for why, n in conform["reasons"].items():
        blocks.append(Note(f"{n:,} labels do not conform", why))
    lead = f"{of['count']:,} corrections. {conform['words']}."
    return Section("corrections", "Corrections and stale labels", lead, tuple(blocks))


def _log(told: Mapping[str, Any]) -> Section:
    parts = [(name, number) for name, number in told["software"].items()]
    head = [("Events", f"{told['log']['events']:,}"), ("Head (SHA-256)", told["log"]["head"])]
    return Section(
        "log",
        "Log and software",
        _LOG_WORDS,
        (
            _table("Head of the log", ("What", "Value"), head),
            _table("Software", ("Part", "Version"), parts),
        ),
    )


_ASKED = (
    (
        "How was the reference standard made, and why so?",
        "Protocol, Case flow, Adjudication",
        "14, 15",
    ),
    ("Who read, and how were they qualified and prepared?", "Readers, Gold cases", "16"),
    ("With which tools and instructions?", "Protocol, Log and software", "17"),
    ("Were readers blind to each other, to models, to outcomes?", "Blinding", "16"),
    ("How many independent reads has each case?", "Case flow", "16"),
    ("How far do readers agree, with each other and with themselves?", "Agreement", "18"),
    ("How are reads combined, and disagreements resolved?", "Adjudication, Agreement", "18"),
    ("Which cases were left out, and why?", "Case flow", ""),
    ("Was quality watched while reading went on, and what was done?", "Drift, Gold cases", ""),
    ("Do all labels follow one version of the instructions?", "Corrections and stale labels", ""),
    ("Can the record be checked?", "Log and software", ""),
)


def _crosswalk() -> Section:
    lead = (
        "Where this report answers what is commonly asked of a reference standard: by the FDA's "
        "guidance on clinical performance assessment of CADe devices (2022), by CLAIM (Mongan, Moy "
        "and Kahn 2020, its item numbers) and by CLEARR-AI (Elfer et al. 2024)."
    )
    table = _table("Questions and sections", ("Asked", "Answered in", "CLAIM item"), _ASKED)
    return Section("crosswalk", "Crosswalk", lead, (table,))


def _table(
    caption: str,
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Sequence[int] = (),
) -> Table:
    columns = tuple(
        Column(title, "name" if at == 0 else "number" if at in numbers else "words")
        for at, title in enumerate(titles)
    )
    return Table(caption, columns, tuple(tuple(Cell(text) for text in row) for row in rows), 40)
