"""Designs: exact counts, balance, limits, groups, gold, repeats; the same whatever the order."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from overread.errors import InputError
from overread.planning.batching import whole
from overread.planning.design import design
from overread.planning.plan import Design, Plan, PlanCases, PlanReader, Role
from overread.planning.replan import replan
from tests.planning.strategies import studies

CALM = settings(deadline=None, max_examples=40)


def rows(plan: Plan) -> list[tuple[str, str, int, int, int, str]]:
    roles = [role.value for role in Role]
    return [
        (plan.readers[r], plan.cases[c], b, s, p, roles[k])
        for r, c, b, s, p, k in zip(
            plan.reader.tolist(), plan.case.tolist(), plan.batch.tolist(),
            plan.sub_batch.tolist(), plan.position.tolist(), plan.role.tolist(), strict=True,
        )
    ]  # fmt: skip


def made(study):
    cases, readers, wanted, gold = study
    try:
        return design(cases, readers, wanted, gold=gold)
    except InputError as error:
        assume("distance" not in str(error))  # few reads leave no room for the two looks
        raise


def check(plan: Plan, cases: PlanCases, wanted: Design, *, done: frozenset = frozenset()) -> None:
    """What holds in every plan; batches are in order but for what was done before."""
    table = rows(plan)
    by_reader = defaultdict(list)
    for row in table:
        by_reader[row[0]].append(row)
    for mine in by_reader.values():
        assert [row[4] for row in mine] == list(range(1, len(mine) + 1))
        fresh = [row[2:4] for row in mine if row not in done]
        assert fresh == sorted(fresh)
        first = {row[1]: row[4] for row in mine if row[5] in ("only", "overlap")}
        looks = Counter(row[1] for row in mine if row[5] != "repeat")
        assert max(looks.values(), default=1) == 1  # nobody reads a case twice ...
        again = Counter(row[1] for row in mine if row[5] == "repeat")
        assert max(again.values(), default=1) == 1
        for row in mine:  # ... unless as a repeat, far enough behind
            if row[5] == "repeat":
                assert row[4] - first[row[1]] >= wanted.distance
    reads = Counter(row[1] for row in table if row[5] in ("only", "overlap"))
    role = {row[1]: row[5] for row in table if row[5] in ("only", "overlap")}
    assert set(reads) == set(cases.names)
    for case, many in reads.items():
        assert many == (wanted.overlap_readers if role[case] == "overlap" else wanted.reads)
    parts = {}
    for row in table:
        if row[5] in ("only", "overlap"):
            assert parts.setdefault(row[1], row[2:4]) == row[2:4]


@CALM
@given(studies())
def test_counts_are_exact(study):
    cases, readers, wanted, _ = study
    plan = made(study)
    check(plan, cases, wanted)
    overlap = {row[1] for row in rows(plan) if row[5] == "overlap"}
    if wanted.groups != "together":
        assert len(overlap) == whole(wanted.overlap * len(cases.names))
        parts = Counter(
            p for _, p in {(r[1], r[2:4]) for r in rows(plan) if r[5] in ("only", "overlap")}
        )
        assert max(parts.values()) - min(parts.values()) <= 1
    elif not plan.notes:
        assert len(overlap) == whole(wanted.overlap * len(cases.names))
    first = Counter(row[0] for row in rows(plan) if row[5] in ("only", "overlap"))
    kinds = Counter((row[0], row[5]) for row in rows(plan))
    for name in (one.name for one in readers):
        assert kinds[name, "gold"] == (whole(wanted.gold * first[name]) if first[name] else 0)
        assert kinds[name, "repeat"] == whole(wanted.repeats * first[name])


@CALM
@given(studies(), st.randoms(use_true_random=False))
def test_the_same_whatever_the_order(study, random):
    cases, readers, wanted, gold = study
    plan = made(study)
    order = list(range(len(cases.names)))
    random.shuffle(order)
    mixed = PlanCases(
        tuple(cases.names[i] for i in order),
        {k: tuple(v[i] for i in order) for k, v in reversed(cases.tags.items())},
        None if cases.group is None else tuple(cases.group[i] for i in order),
    )
    again = design(mixed, readers[::-1], wanted, gold=gold)
    assert rows(again) == rows(plan)


@CALM
@given(studies(groups=("together", "apart")))
def test_groups_are_kept(study):
    cases, _, wanted, _ = study
    group = dict(zip(cases.names, cases.group, strict=True))
    table = [row for row in rows(made(study)) if row[5] in ("only", "overlap")]
    readers = defaultdict(set)
    for row in table:
        readers[row[1]].add((row[0], *row[2:4]))
    by_group = defaultdict(list)
    for case, name in group.items():
        by_group[name].append(readers[case])
    for sets in by_group.values():
        if wanted.groups == "together":
            assert all(one == sets[0] for one in sets)
        else:
            who = [reader for one in sets for reader, *_ in one]
            assert len(who) == len(set(who))


@CALM
@given(studies(groups=("free",)))
def test_loads_are_even_and_qualifications_hold(study):
    cases, readers, _, _ = study
    plan = made(study)
    of_class = dict(zip(cases.names, cases.tags["class"], strict=True))
    barred = {one.name for one in readers if one.may_not}
    table = [row for row in rows(plan) if row[5] in ("only", "overlap")]
    assert not any(row[0] in barred and of_class[row[1]] == "c" for row in table)
    load = Counter(row[0] for row in table)
    for kind in (barred, {one.name for one in readers} - barred):
        same = [load[name] for name in kind]
        assert max(same, default=0) - min(same, default=0) <= 1
    if not barred:
        assert plan.balance.load == (min(load.get(r.name, 0) for r in readers), max(load.values()))


@CALM
@given(st.data())
def test_a_plan_is_found_exactly_when_the_flow_is(data):
    """Limits and qualifications at random: our search against scipy's maximum flow."""
    n, n_readers = data.draw(st.integers(1, 14)), data.draw(st.integers(2, 5))
    reads = data.draw(st.integers(1, 2))
    kinds = data.draw(st.lists(st.sampled_from("abc"), min_size=n, max_size=n))
    most = data.draw(st.lists(st.integers(0, n), min_size=n_readers, max_size=n_readers))
    bars = [data.draw(st.frozensets(st.sampled_from("abc"), max_size=2)) for _ in most]
    cases = PlanCases(tuple(f"c{i:02}" for i in range(n)), {"class": tuple(kinds)})
    readers = [
        PlanReader(f"r{j}", limit, {"class": bar})
        for j, (limit, bar) in enumerate(zip(most, bars, strict=True))
    ]
    size = n + n_readers + 2
    capacity = np.zeros((size, size), dtype=np.int32)
    capacity[0, 1 : n + 1] = reads
    for i, kind in enumerate(kinds):
        for j, bar in enumerate(bars):
            capacity[i + 1, n + 1 + j] = kind not in bar
    capacity[n + 1 : n + 1 + n_readers, size - 1] = most
    possible = maximum_flow(csr_array(capacity), 0, size - 1).flow_value == n * reads
    try:
        plan = design(cases, readers, Design(reads=reads))
    except InputError:
        assert not possible
        return
    assert possible
    load = Counter(plan.reader.tolist())
    assert all(load[j] <= limit for j, limit in enumerate(most))


def many(n: int, seed: int = 0) -> PlanCases:
    random = np.random.default_rng(seed)
    return PlanCases(
        tuple(f"c{i:05}" for i in range(n)),
        {
            "class": tuple(random.choice(["none", "knee", "rare"], n, p=[0.7, 0.25, 0.05])),
            "site": tuple(random.choice(["north", "south"], n, p=[0.8, 0.2])),
        },
    )


def test_a_large_plan_is_balanced_over_everything():
    cases = many(3000)
    readers = [PlanReader(f"r{j}") for j in range(12)]
    wanted = Design(batches=5, sub_batches=4, overlap=0.2, gold=0.05, repeats=0.03, distance=50)
    gold = PlanCases(
        tuple(f"g{i}" for i in range(60)),
        {"class": ("none", "knee", "rare") * 20, "site": ("north",) * 60},
    )
    plan = design(cases, readers, wanted, gold=gold)
    check(plan, cases, wanted)
    assert plan.counts()["overlap"] == 1800
    assert plan.balance.load == (350, 350)
    assert max(plan.balance.off.values()) <= 3
    assert plan.balance.pairs[1] - plan.balance.pairs[0] <= 4
    site = dict(zip(cases.names, cases.tags["site"], strict=True))
    of_class = dict(zip(cases.names, cases.tags["class"], strict=True))
    table = rows(plan)
    for tag in (site, of_class):  # overlap and every batch have the mix of the whole
        shares = Counter(tag.values())
        overlap = Counter(tag[case] for case in {row[1] for row in table if row[5] == "overlap"})
        for value, whole_count in shares.items():
            assert abs(overlap[value] - 0.2 * whole_count) <= 2
    exposure = Counter(row[1] for row in table if row[5] == "gold")
    assert max(exposure.values()) - min(exposure.get(g, 0) for g in gold.names) <= 2
    per_sub = Counter((row[0], row[2], row[3]) for row in table)
    assert max(per_sub.values()) - min(per_sub.values()) <= 12
    assert sum(sum(kinds.values()) for *_, kinds in plan.picture()) == len(plan)


def test_another_seed_is_another_plan():
    cases, readers = many(60), [PlanReader(f"r{j}") for j in range(4)]
    plans = [rows(design(cases, readers, Design(overlap=0.2, seed=seed))) for seed in (0, 0, 1)]
    assert plans[0] == plans[1] != plans[2]


def test_overlap_of_patients_kept_together_is_exact_where_it_can_be():
    group = tuple(f"p{i // 3}" for i in range(90))  # threes only: 20 cannot be made of them
    cases = PlanCases(many(90).names, {}, group)
    readers = [PlanReader(f"r{j}") for j in range(5)]
    plan = design(cases, readers, Design(overlap=20 / 90, groups="together"))
    assert plan.counts()["overlap"] == 18 * 3
    assert plan.notes == (
        "Patients are kept together: the overlap holds 2 cases fewer than asked for.",
    )
    assert design(cases, readers, Design(overlap=0.2, groups="together")).notes == ()


NO_KNEE = {"class": frozenset({"knee"})}
PLAIN = PlanCases(("a", "b", "c"), {"class": ("x", "knee", "x")})
ANY = [PlanReader("R"), PlanReader("S"), PlanReader("U")]
TRIO = [PlanReader("R"), PlanReader("S"), PlanReader("T", may_not=NO_KNEE)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: design(PLAIN, TRIO, Design(overlap=0.5, overlap_readers=3)),
            "overlap must have 3 readers qualified for class knee; got 2 of 3",
        ),
        (lambda: design(PLAIN, TRIO[:2], Design(reads=3)), "reads must have 3 readers qualified"),
        (
            lambda: design(PLAIN, [PlanReader("R", 1), PlanReader("S", 1)], Design()),
            "hold the 3 reads that only 2 of the readers may do; got 2 in all",
        ),
        (
            lambda: design(PLAIN, [PlanReader("R", 0), PlanReader("T", 9, NO_KNEE)], Design()),
            "hold the 1 reads that only 1 of the readers may do; got 0 in all",
        ),
        (
            lambda: design(replace(PLAIN, group=("p", "p", "p")), TRIO[:2], Design(groups="apart")),
            r"as many qualified readers as reads of one patient \(3\)",
        ),
        (
            lambda: design(
                replace(PLAIN, group=("p", "p", "p")), ANY, Design(overlap=1, groups="apart")
            ),
            "reads of one patient|two cases of one patient",
        ),
        (lambda: design(PLAIN, TRIO, Design(gold=1)), "gold cases must be at least 1"),
        (lambda: design(PLAIN, TRIO, Design(gold=1), gold=PLAIN), "not be among the cases; got 3"),
        (lambda: design(PLAIN, TRIO, Design(repeats=1, distance=9)), "distance"),
        (lambda: design(PlanCases(()), TRIO, Design()), "cases must be 1 or more"),
        (lambda: design(PLAIN, [], Design()), "readers must be 1 or more"),
        (lambda: design(PLAIN, [TRIO[0]] * 2, Design()), "readers must be there once"),
        (lambda: PlanCases(("a", "a")), "row 2: case must be there once"),
        (lambda: PlanCases(("a",), {"site": ()}), "site must have 1 entries"),
        (
            lambda: design(PLAIN, [PlanReader("R", None, {"scan": frozenset({"CT"})})], Design()),
            "column of the cases",
        ),
        (lambda: PlanReader("R", -1), "reads at most"),
        (lambda: Design(batches=0), "batches must be 1 or more"),
        (lambda: Design(overlap=1.5), "overlap must be a share"),
        (lambda: Design(overlap=0.1, reads=3, overlap_readers=2), "readers of the overlap"),
        (lambda: Design(groups="near"), "groups must be free"),
    ],
)  # fmt: skip
def test_errors_name_what_cannot_hold(call, words):
    with pytest.raises(InputError, match=words):
        call()


@CALM
@given(studies(), st.data())
def test_a_new_plan_leaves_what_is_done(study, data):
    cases, readers, wanted, gold = study
    plan = made(study)
    upto = data.draw(st.integers(0, 20))
    done = np.asarray(plan.position <= upto)
    staying = readers[:3] + [one for one in readers[3:] if data.draw(st.booleans())]
    if not staying[0].may_not and wanted.groups != "apart":
        staying = [*staying, PlanReader("new one"), PlanReader("new two"), PlanReader("new three")]
    try:
        again = replan(plan, done, cases, staying, wanted, gold=gold)
    except InputError as error:
        assume(not any(w in str(error) for w in ("distance", "reads left", "kept apart", "gold")))
        raise
    kept = [row for row, flag in zip(rows(plan), done.tolist(), strict=True) if flag]
    check(again, cases, wanted, done=frozenset(kept))
    assert set(kept) <= set(rows(again))
    gone = {one.name for one in readers} - {one.name for one in staying}
    fresh = set(rows(again)) - set(kept)
    assert not any(row[0] in gone for row in fresh)
    before = {row[1]: row[5] for row in rows(plan) if row[5] in ("only", "overlap")}
    after = {row[1]: row[5] for row in rows(again) if row[5] in ("only", "overlap")}
    assert before == after


def test_a_new_reader_takes_a_fair_part_of_what_is_left():
    cases = many(600)
    readers = [PlanReader(f"r{j}") for j in range(5)]
    wanted = Design(batches=3, overlap=0.1, gold=0.05, repeats=0.05, distance=20)
    gold = PlanCases(
        tuple(f"g{i}" for i in range(40)), {"class": ("rare",) * 40, "site": ("",) * 40}
    )
    plan = design(cases, readers, wanted, gold=gold)
    done = plan.position <= 60
    again = replan(plan, done, cases, [*readers[1:], PlanReader("new")], wanted, gold=gold)
    before = {row for row, flag in zip(rows(plan), done.tolist(), strict=True) if flag}
    check(again, cases, wanted, done=frozenset(before))
    low, high = again.balance.load
    assert high - low <= 1
    stayed = set(rows(plan)) & set(rows(again))
    assert len(stayed) >= done.sum()
    same = {row[:2] for row in rows(plan)} & {row[:2] for row in rows(again)}
    assert len(same) > 0.75 * len(plan)  # what need not move does not
    limited = [PlanReader(one.name, 130) for one in readers]
    with pytest.raises(InputError, match="readers' limits"):
        replan(plan, done, cases, limited[:3], wanted, gold=gold)
    with pytest.raises(InputError, match="done must have"):
        replan(plan, done[:-1], cases, readers, wanted, gold=gold)
    with pytest.raises(InputError, match="cases must be those of the plan"):
        replan(plan, done, many(599), readers, wanted, gold=gold)
