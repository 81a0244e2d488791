"""How the report was made, what its words mean, and the papers behind it."""

from __future__ import annotations

from overread.labels import Kind
from overread.report.blocks import Block, Heading, Section, Terms
from overread.report.content import Content

_WORDS = (
    ("case", "The unit that is read: an image, a series, a slide region, a clip.", "all"),
    ("read", "One reader's submitted answer on one case.", "all"),
    (
        "finding",
        "One labelled thing in a read: a class, a grade, a box, an outline, a mask.",
        "all",
    ),
    ("agreement", "How far readers say the same; intra-reader: a reader with themselves.", "all"),
    (
        "chance-corrected",
        (
            "0 is what readers would reach who answer at random with their usual frequencies, 1 is "
            "complete agreement. Kappa, alpha and AC1 correct for chance in different ways."
        ),
        "class",
    ),
    (
        "prevalence paradox",
        (
            "When one class is rare, readers agree on nearly every case and kappa is still low, "
            "because chance alone would agree nearly as often. AC1 stays high; look at both."
        ),
        "class",
    ),
    (
        "interval",
        "The range that would hold the true figure in 95 of 100 studies like this one.",
        "all",
    ),
    (
        "consensus",
        "The estimated truth of a case, with its probability; the reference once accepted.",
        "all",
    ),
    (
        "entropy",
        "How uncertain the consensus is, in nats: 0 is certain, ln 2 = 0.69 is a coin.",
        "all",
    ),
    (
        "temperature",
        (
            "Probabilities are raised to this power, at most 1, to mean what they say; the "
            "label itself never changes."
        ),
        "class",
    ),
    (
        "held-out reads",
        (
            "Reads that a method has not seen, predicted from the others: a fair comparison of "
            "methods without knowing the truth."
        ),
        "class",
    ),
    (
        "confusion matrix",
        "For each true class (row), how often the reader says each class (column).",
        "class",
    ),
    ("IoU", "Overlap of two findings: shared area over covered area, 0 to 1.", "finding"),
    (
        "existence",
        "Probability that a finding is there, given who marked it and who did not.",
        "finding",
    ),
    ("Dice", "Overlap of two masks: twice the shared area over the sum of both, 0 to 1.", "mask"),
    (
        "ICC",
        "Share of the spread of scores that comes from the cases, not from the readers.",
        "score",
    ),
    (
        "limits of agreement",
        "95 % of the differences between two readers lie within them.",
        "score",
    ),
)

_PAPERS = (
    (
        "Dawid and Skene 1979",
        "Appl. Stat. 28:20. Consensus and confusion of readers by EM.",
        "class",
    ),
    ("Krippendorff 2004", "Content Analysis. Alpha, for missing reads and any scale.", "class"),
    ("Fleiss 1971", "Psychol. Bull. 76:378. Kappa of many readers.", "class"),
    ("Gwet 2008", "Br. J. Math. Stat. Psychol. 61:29. AC1, and the paradox of kappa.", "class"),
    ("Landis and Koch 1977", "Biometrics 33:159. Words for kappa; a habit, not a law.", "class"),
    ("Guo et al. 2017", "ICML. Temperature scaling.", "class"),
    ("Warfield et al. 2004", "IEEE Trans. Med. Imaging 23:903. STAPLE.", "mask"),
    ("Shrout and Fleiss 1979", "Psychol. Bull. 86:420. Intraclass correlation.", "score"),
    ("Bland and Altman 1986", "Lancet 327:307. Limits of agreement.", "score"),
    ("Koo and Li 2016", "J. Chiropr. Med. 15:155. Words for ICC.", "score"),
    ("Kuhn 1955", "Naval Res. Logist. 2:83. One-to-one matching of findings.", "finding"),
)


def methods_section(content: Content) -> Section:
    """Settings and provenance, the glossary and the papers that this label kind needs."""
    wanted = _wanted(content.head.kind)
    made = Terms(tuple((name, value) for name, value in provenance(content) if value))
    blocks: list[Block] = [
        Heading("How this report was made", "provenance"),
        made,
        *(Terms((("note", text),)) for text in content.notes),
        Heading("Words", "words"),
        Terms(tuple((word, text) for word, text, of in _WORDS if of in wanted)),
        Heading("Papers", "papers"),
        Terms(tuple((paper, text) for paper, text, of in _PAPERS if of in wanted)),
    ]
    lead = "Everything needed to make these figures again, and what the words mean."
    return Section("methods", "Methods and words", lead, tuple(blocks))


def provenance(content: Content) -> tuple[tuple[str, str], ...]:
    """Names and values: source, kind, method, every setting, hash, version, date."""
    head, result = content.head, content.consensus
    settings = dict(result.settings if result is not None else {}) | dict(head.settings)
    return (
        ("source", head.source),
        ("label kind", str(head.kind)),
        ("classes", f"{len(content.classes)}" if content.classes else ""),
        ("consensus method", result.method if result is not None else ""),
        *((name.replace("_", " "), _value(value)) for name, value in sorted(settings.items())),
        ("provenance (SHA-256)", head.provenance or (result.provenance if result else "")),
        ("software", f"Overread {head.version}" if head.version else "Overread"),
        ("date", head.date),
    )


def _value(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wanted(kind: Kind) -> set[str]:
    own = {
        Kind.SCORE: {"score"},
        Kind.BOX: {"finding", "class"},
        Kind.INSTANCE: {"finding", "mask", "class"},
        Kind.MASK: {"mask"},
    }
    return {"all"} | own.get(kind, {"class"})
