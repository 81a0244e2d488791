"""Projects, cases, quarantine and people, on both databases."""

from __future__ import annotations

import pytest

from overread.errors import InputError
from overread.store import (
    ConflictError,
    NewCase,
    NotFoundError,
    Store,
    add_case,
    add_cases,
    add_protocol_version,
    add_user,
    any_admin,
    change_project,
    change_user,
    claim,
    clear_quarantine,
    close_session,
    create_project,
    find_case,
    find_session,
    find_user,
    forget_login_failures,
    get_case,
    get_cases,
    get_link,
    get_project,
    get_protocol,
    head,
    list_cases,
    list_members,
    list_projects,
    list_quarantine,
    list_users,
    login_failed,
    login_failures,
    make_link,
    open_session,
    quarantine,
    read_events,
    replace_password_hash,
    role_in,
    set_member,
    set_password,
    submit_read,
    use_link,
)
from tests.store.conftest import Clock
from tests.store.study import a_read, new_case, new_study, sha


def test_protocols_have_versions(store: Store) -> None:
    project = create_project(store, "one", "a", "system")
    assert project.protocol_version == 1
    assert add_protocol_version(store, project.id, "b", "system", base_version=1).version == 2
    assert add_protocol_version(store, project.id, "b", "system", base_version=1).version == 2
    with pytest.raises(ConflictError) as stale:
        add_protocol_version(store, project.id, "c", "system", base_version=1)
    assert stale.value.current_version == 2
    assert get_protocol(store, project.id).text == "b"
    assert get_protocol(store, project.id, 1).text == "a"
    with pytest.raises(NotFoundError):
        get_protocol(store, project.id, 3)
    with pytest.raises(NotFoundError):
        add_protocol_version(store, "none", "c", "system", base_version=1)


def test_projects_are_listed_for_their_members(store: Store) -> None:
    study, other = new_study(store), new_study(store, name="another")
    with pytest.raises(ConflictError):
        create_project(store, "study", "x", "system")
    assert [p.name for p in list_projects(store)] == ["another", "study"]
    assert [p.id for p in list_projects(store, member=study.readers[0])] == [study.project]
    set_member(store, other.project, study.readers[0], "system", role="lead")
    assert role_in(store, other.project, study.readers[0]) == "lead"
    assert role_in(store, other.project, study.readers[1]) is None
    assert len(list_members(store, other.project)) == 4
    with pytest.raises(ConflictError):
        change_project(store, study.project, "system", name="another")
    change_project(store, study.project, "system", name="put away", archived=True)
    assert [p.name for p in list_projects(store)] == ["another"]
    assert get_project(store, study.project).archived


def test_cases_are_added_once_by_content(store: Store) -> None:
    study = new_study(store, cases=2)
    before = head(store)
    again = add_cases(store, study.project, [new_case("study 0"), new_case("study 1")], "system")
    assert again == [(key, False) for key in study.cases]
    assert head(store) == before
    twice = add_cases(store, study.project, [new_case("new"), new_case("new")], "system")
    assert [new for _, new in twice] == [True, False]
    assert find_case(store, study.project, sha("new")) == twice[0][0]
    assert find_case(store, study.project, sha("newer")) is None
    other = new_study(store, name="other", cases=0)
    assert add_case(store, other.project, new_case("new"), "system")[1]


def test_a_case_comes_back_as_it_was_given(store: Store) -> None:
    study = new_study(store, cases=0)
    given = new_case("x", meta={"age_band": "60-69"}, group="g", name="Ä", thumbnail=sha("t"))
    key, _ = add_case(store, study.project, given, "system")
    row = get_case(store, key)
    assert (row.meta, row.image) == (given.meta, given.image)
    assert (row.group, row.name, row.thumbnail) == ("g", "Ä", sha("t"))
    assert row.frames == tuple(given.frames)
    assert get_cases(store, [key, "none"]) == {key: row}
    with pytest.raises(NotFoundError):
        get_case(store, "none")


@pytest.mark.parametrize(
    "broken",
    [
        NewCase("XYZ", [sha("f")], {}),
        NewCase(sha("a"), [], {}),
        NewCase(sha("a"), ["f"], {}),
        NewCase(sha("a"), [sha("f")], {"slope": float("nan")}),
        NewCase(sha("a"), [sha("f")], {}, name="\x00"),
    ],
)
def test_broken_cases_are_refused(store: Store, broken: NewCase) -> None:
    study = new_study(store, cases=0)
    with pytest.raises(InputError):
        add_cases(store, study.project, [new_case("sound"), broken], "system")
    assert list_cases(store, study.project) == []


def test_pages_of_cases_hold_each_once(store: Store) -> None:
    study = new_study(store, cases=11)
    seen: list[int] = []
    while page := list_cases(store, study.project, after=seen[-1] if seen else 0, limit=4):
        seen += [row.case.number for row in page]
    assert seen == list(range(1, 12))


def test_pages_of_cases_are_filtered(store: Store) -> None:
    study = new_study(store, cases=3, reads_per_case=1)
    more = {"group": "g", "name": "50%_Knee"}
    add_case(store, study.project, new_case("k", **more), "system")
    task = claim(store, study.project, study.readers[0])[0]
    submit_read(store, a_read(task.id, study.readers[0]))

    def found(**filters: str) -> list[int]:
        return [row.case.number for row in list_cases(store, study.project, **filters)]

    assert found(state="done") == [1]
    assert found(state="open") == [2, 3]
    assert found(state="unplanned") == [4]
    assert found(search="%_KNEE") == [4]
    assert found(search="_00") == []
    assert found(group="g") == [4]
    assert found(modality="CR") == [1, 2, 3, 4]
    assert found(modality="MR") == []
    state = list_cases(store, study.project)[0]
    assert (state.planned, state.done, state.surplus) == (1, 1, 0)
    with pytest.raises(InputError):
        found(state="lost")


def test_quarantine(store: Store) -> None:
    study = new_study(store, cases=0)
    for name, reason in (("a", "too big"), ("b", "cut"), ("a", "hangs"), ("a", "hangs")):
        quarantine(store, study.project, sha(name), reason, "system")
    rows = list_quarantine(store, study.project)
    assert {row.source_hash: row.reason for row in rows} == {sha("a"): "hangs", sha("b"): "cut"}
    clear_quarantine(store, study.project, sha("a"), "system")
    assert len(list_quarantine(store, study.project)) == 1


def test_users(store: Store) -> None:
    one = add_user(store, " Ann@Example.org ", "Ann", "reader", "system")
    assert one.email == "ann@example.org"
    with pytest.raises(ConflictError):
        add_user(store, "ANN@example.org", "Other", "reader", "system")
    for address in ("ann", "@x", "a b@x", "", "a\x00@x"):
        with pytest.raises(InputError):
            add_user(store, address, "X", "reader", "system")
    with pytest.raises(InputError):
        add_user(store, "b@example.org", "B", "owner", "system")
    assert change_user(store, one.id, "system", name="Anna", role="lead").role == "lead"
    assert [user.name for user in list_users(store)] == ["Anna"]
    assert find_user(store, "nobody\x00@x") is None


def test_the_last_admin_stays(store: Store) -> None:
    assert not any_admin(store)
    one = add_user(store, "a@example.org", "A", "admin", "system").id
    for change in ({"active": False}, {"role": "lead"}):
        with pytest.raises(ConflictError):
            change_user(store, one, one, **change)
    add_user(store, "b@example.org", "B", "admin", one)
    assert not change_user(store, one, one, active=False).active
    assert any_admin(store)


def test_passwords_end_sessions_and_never_enter_the_log(store: Store) -> None:
    user = add_user(store, "a@example.org", "A", "reader", "system")
    assert find_user(store, "a@example.org") == (user, None)
    set_password(store, user.id, "$argon2id$secret", "system")
    open_session(store, user.id, sha("cookie"), "csrf-secret", seconds=60)
    assert find_session(store, sha("cookie")) is not None
    replace_password_hash(store, user.id, "$argon2id$secret", "$argon2id$stronger-secret")
    assert find_session(store, sha("cookie")) is not None
    set_password(store, user.id, "$argon2id$new-secret", "system")
    assert find_session(store, sha("cookie")) is None
    assert find_user(store, "A@example.org") == (user, "$argon2id$new-secret")
    assert not any("secret" in event.body for event in read_events(store))


def test_sessions_run_out(store: Store, clock: Clock) -> None:
    user = add_user(store, "a@example.org", "A", "reader", "system")
    open_session(store, user.id, sha("1"), "csrf", seconds=1000)
    clock.pass_seconds(400)
    found = find_session(store, sha("1"), idle_seconds=500)
    assert found is not None
    assert found[1] == user
    clock.pass_seconds(400)
    assert find_session(store, sha("1"), idle_seconds=500) is not None
    clock.pass_seconds(200)
    assert find_session(store, sha("1")) is None
    open_session(store, user.id, sha("2"), "csrf", seconds=1000)
    clock.pass_seconds(600)
    assert find_session(store, sha("2"), idle_seconds=500) is None
    open_session(store, user.id, sha("3"), "csrf", seconds=1000)
    close_session(store, sha("3"))
    assert find_session(store, sha("3")) is None
    open_session(store, user.id, sha("4"), "csrf", seconds=1000)
    change_user(store, user.id, "system", active=False)
    assert find_session(store, sha("4")) is None
    with pytest.raises(InputError):
        open_session(store, user.id, sha("5"), "csrf", seconds=1000)


def test_the_set_up_link_makes_one_admin(store: Store) -> None:
    make_link(store, "setup", sha("old"), "system", seconds=60)
    make_link(store, "setup", sha("link"), "system", seconds=60)
    with pytest.raises(NotFoundError):
        get_link(store, sha("old"))
    user = use_link(store, sha("link"), "$hash", name="A", email="a@example.org")
    assert user.role == "admin"
    with pytest.raises(NotFoundError):
        use_link(store, sha("link"), "$hash", name="B", email="b@example.org")
    with pytest.raises(ConflictError):
        make_link(store, "setup", sha("more"), "system", seconds=60)


def test_an_invitation_leads_into_its_project_once(store: Store, clock: Clock) -> None:
    study = new_study(store)
    settings = {"seconds": 60, "email": "New@example.org", "project": study.project}
    make_link(store, "invitation", sha("link"), study.lead, **settings)
    assert get_link(store, sha("link")).email == "new@example.org"
    user = use_link(store, sha("link"), "$hash", name="New", email="other@example.org")
    assert (user.email, user.role) == ("new@example.org", "reader")
    assert role_in(store, study.project, user.id) == "reader"
    make_link(store, "invitation", sha("late"), study.lead, seconds=60, role="lead")
    with pytest.raises(ConflictError):
        use_link(store, sha("late"), "$hash", name="X", email="new@example.org")
    assert get_link(store, sha("late")).role == "lead"
    clock.pass_seconds(60)
    with pytest.raises(NotFoundError):
        use_link(store, sha("late"), "$hash", name="X", email="x@example.org")


def test_a_password_link_is_for_its_user(store: Store) -> None:
    user = add_user(store, "a@example.org", "A", "reader", "system")
    with pytest.raises(NotFoundError):
        make_link(store, "password", sha("x"), "system", seconds=60, email="b@example.org")
    make_link(store, "password", sha("link"), "system", seconds=60, email="a@example.org")
    assert use_link(store, sha("link"), "$hash") == user
    assert find_user(store, "a@example.org") == (user, "$hash")


def test_failed_logins_are_counted_and_forgotten(store: Store, clock: Clock) -> None:
    for _ in range(3):
        login_failed(store, "a@example.org")
        clock.pass_seconds(10)
    login_failed(store, "\ud800\x00")
    assert login_failures(store, "a@example.org", seconds=25) == 2
    assert login_failures(store, "b@example.org", seconds=25) == 0
    forget_login_failures(store, "a@example.org")
    assert login_failures(store, "a@example.org", seconds=100) == 0
    forget_login_failures(store)
    assert login_failures(store, "\ud800\x00", seconds=100) == 0
