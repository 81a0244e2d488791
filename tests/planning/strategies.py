"""Cases, readers and designs that can hold, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from overread.planning.plan import Design, PlanCases, PlanReader


@st.composite
def studies(draw, *, groups=("free", "together", "apart"), gold=True):
    """(cases, readers, design, gold cases)."""
    kind = draw(st.sampled_from(groups))
    n = draw(st.integers(1, 70))
    classes = draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    sites = draw(st.lists(st.sampled_from("xy"), min_size=n, max_size=n))
    n_readers = draw(st.integers(3, 7))
    patients = draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    group = None
    if kind == "together":
        group = tuple(f"p{p // 3}" for p in patients)
    if kind == "apart":  # at most as many of a patient as there are readers to keep them apart
        seen: dict[int, int] = {}
        names = []
        for case, p in enumerate(patients):
            seen[p] = seen.get(p, 0) + 1
            names.append(f"p{p}" if seen[p] <= n_readers // 2 else f"alone {case}")
        group = tuple(names)
    reads = draw(st.integers(1, 2)) if kind != "apart" else 1
    cases = PlanCases(
        tuple(f"case {i}" for i in range(n)), {"class": tuple(classes), "site": tuple(sites)}, group
    )
    barred = draw(st.sampled_from([{}, {"class": frozenset("c")}])) if kind == "free" else {}
    readers = [
        PlanReader(f"r{j}", may_not=barred if j >= max(3, reads) else {}) for j in range(n_readers)
    ]
    wanted = Design(
        batches=draw(st.integers(1, 3)),
        sub_batches=draw(st.integers(1, 3)),
        reads=reads,
        overlap=0.0 if kind == "apart" else draw(st.sampled_from([0.0, 0.1, 1 / 3, 1.0])),
        overlap_readers=3,
        groups=kind,
        gold=draw(st.sampled_from([0.0, 0.1])) if gold else 0.0,
        repeats=draw(st.sampled_from([0.0, 0.1])),
        distance=draw(st.integers(1, 4)),
        seed=draw(st.integers(0, 5)),
    )
    known = PlanCases(
        tuple(f"gold {i}" for i in range(40)),
        {"class": tuple("aabb" * 10), "site": tuple("x" * 40)},
    )
    return cases, readers, wanted, known
