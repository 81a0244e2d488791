"""The step to version 13: tallies of tasks and reads, kept by the database itself.

A page that counts must not go through a million rows. Triggers count in the transaction that
changes a row, whoever changes it, so that a tally can never say something else than the rows.
"""

from __future__ import annotations

_ADD = """ON CONFLICT (project, reader, what)
    DO UPDATE SET amount = tallies.amount + excluded.amount"""
# "kept" are open slots that only one reader may have; nobody's tasks are counted under ''.
_TASK = """INSERT INTO tallies (project, reader, what, amount)
    SELECT {row}.project, COALESCE({row}.reader, ''), {row}.state, {sign}1.0
    UNION ALL
    SELECT {row}.project, {row}.planned_for, 'kept', {sign}1.0
    WHERE {row}.state = 'open' AND {row}.planned_for IS NOT NULL
    """
_READ = """INSERT INTO tallies (project, reader, what, amount)
    SELECT NEW.project, NEW.reader, 'reads', 1.0
    UNION ALL SELECT NEW.project, NEW.reader, 'seconds', NEW.seconds
    UNION ALL SELECT NEW.project, NEW.reader, 'surplus', 1.0 WHERE NEW.surplus
    UNION ALL SELECT NEW.project, NEW.reader, 'surplus first', 1.0
    WHERE NEW.surplus AND NEW.revision = 1
    """
# Cases with a slot that is open to all.
_CASE = "INSERT INTO tallies (project, reader, what, amount) VALUES (NEW.project, '', 'free', {n}) "
_IS_FREE, _WAS_FREE = (f"({row}.state = 'open' AND {row}.free > 0)" for row in ("NEW", "OLD"))
_IN, _OUT = _TASK.format(row="NEW", sign="") + _ADD, _TASK.format(row="OLD", sign="-") + _ADD
_CHANGED = """(OLD.state <> NEW.state OR COALESCE(OLD.reader, '') <> COALESCE(NEW.reader, '')
    OR COALESCE(OLD.planned_for, '') <> COALESCE(NEW.planned_for, ''))"""
_FUNCTION = """CREATE FUNCTION overread_tally_{name}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {does}; RETURN NULL; END $$"""


def _counted(name: str, when: str, table: str, *does: str, only: str = "") -> list[dict[str, str]]:
    """One trigger for each database."""
    head = f"CREATE TRIGGER tally_{name} AFTER {when} ON {table} FOR EACH ROW"
    body = "; ".join(does)
    only = f" WHEN ({only})" if only else ""
    return [
        {"sqlite": f"{head}{only} BEGIN {body}; END"},
        {"postgresql": _FUNCTION.format(name=name, does=body)},
        {"postgresql": f"{head}{only} EXECUTE FUNCTION overread_tally_{name}()"},
    ]


STATEMENTS: list[dict[str, str]] = [
    {
        "both": """CREATE TABLE tallies (
            project TEXT NOT NULL, reader TEXT NOT NULL, what TEXT NOT NULL,
            amount DOUBLE PRECISION NOT NULL, PRIMARY KEY (project, reader, what))"""
    },
    *(
        {"both": f"INSERT INTO tallies (project, reader, what, amount) {query}"}
        for query in (
            """SELECT project, COALESCE(reader, ''), state, COUNT(*) FROM tasks
                GROUP BY project, COALESCE(reader, ''), state""",
            """SELECT project, planned_for, 'kept', COUNT(*) FROM tasks
                WHERE state = 'open' AND planned_for IS NOT NULL GROUP BY project, planned_for""",
            """SELECT project, '', 'free', COUNT(*) FROM cases
                WHERE state = 'open' AND free > 0 GROUP BY project""",
            "SELECT project, reader, 'reads', COUNT(*) FROM reads GROUP BY project, reader",
            "SELECT project, reader, 'seconds', SUM(seconds) FROM reads GROUP BY project, reader",
            """SELECT project, reader, 'surplus', COUNT(*) FROM reads
                WHERE surplus GROUP BY project, reader""",
            """SELECT project, reader, 'surplus first', COUNT(*) FROM reads
                WHERE surplus AND revision = 1 GROUP BY project, reader""",
        )
    ),
    *_counted("task_in", "INSERT", "tasks", _IN),
    *_counted("task_out", "DELETE", "tasks", _OUT),
    *_counted("task", "UPDATE", "tasks", _OUT, _IN, only=_CHANGED),
    *_counted("read", "INSERT", "reads", _READ + _ADD),
    *_counted("case_in", "INSERT", "cases", _CASE.format(n="1.0") + _ADD, only=_IS_FREE),
    *_counted(
        "case_freed",
        "UPDATE",
        "cases",
        _CASE.format(n="1.0") + _ADD,
        only=f"{_IS_FREE} AND NOT {_WAS_FREE}",
    ),
    *_counted(
        "case_taken",
        "UPDATE",
        "cases",
        _CASE.format(n="-1.0") + _ADD,
        only=f"{_WAS_FREE} AND NOT {_IS_FREE}",
    ),
]
