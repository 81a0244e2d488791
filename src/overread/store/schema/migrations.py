"""Bring a store to this version's tables, each step whole or not at all.

A list of our own, not Alembic: both databases run CREATE and ALTER inside a transaction, which is
all that atomic steps need; the steps go one way and are plain SQL for both; and opening a store
must work from a wheel with no environment file beside it. All steps that are due, and the number
that tells of them, are one transaction under the writer's turn: a kill leaves the old store.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from overread.store.errors import NewerStoreError
from overread.store.schema.version_1 import STATEMENTS as SCHEMA_1
from overread.store.schema.version_2 import STATEMENTS as SCHEMA_2
from overread.store.schema.version_3 import STATEMENTS as SCHEMA_3
from overread.store.schema.version_4 import STATEMENTS as SCHEMA_4
from overread.store.schema.version_5 import STATEMENTS as SCHEMA_5
from overread.store.schema.version_6 import STATEMENTS as SCHEMA_6
from overread.store.schema.version_7 import STATEMENTS as SCHEMA_7
from overread.store.schema.version_8 import STATEMENTS as SCHEMA_8
from overread.store.schema.version_9 import STATEMENTS as SCHEMA_9
from overread.store.schema.version_10 import STATEMENTS as SCHEMA_10
from overread.store.schema.version_11 import STATEMENTS as SCHEMA_11
from overread.store.schema.version_12 import STATEMENTS as SCHEMA_12
from overread.store.schema.version_13 import STATEMENTS as SCHEMA_13
from overread.store.schema.version_14 import STATEMENTS as SCHEMA_14
from overread.store.schema.version_15 import STATEMENTS as SCHEMA_15
from overread.store.schema.version_16 import STATEMENTS as SCHEMA_16
from overread.store.schema.version_17 import STATEMENTS as SCHEMA_17
from overread.store.schema.version_18 import STATEMENTS as SCHEMA_18
from overread.store.schema.version_19 import STATEMENTS as SCHEMA_19
from overread.store.schema.version_20 import STATEMENTS as SCHEMA_20

MIGRATIONS: tuple[Sequence[dict[str, str]], ...] = (
    SCHEMA_1,
    SCHEMA_2,
    SCHEMA_3,
    SCHEMA_4,
    SCHEMA_5,
    SCHEMA_6,
    SCHEMA_7,
    SCHEMA_8,
    SCHEMA_9,
    SCHEMA_10,
    SCHEMA_11,
    SCHEMA_12,
    SCHEMA_13,
    SCHEMA_14,
    SCHEMA_15,
    SCHEMA_16,
    SCHEMA_17,
    SCHEMA_18,
    SCHEMA_19,
    SCHEMA_20,
)
"""Step k brings version k to k + 1; a statement is spelt for each database ("sqlite",
"postgresql") or for both ("both")."""


def migrate(
    connection: sa.Connection, steps: Sequence[Sequence[dict[str, str]]] = MIGRATIONS
) -> int:
    """Run the steps that are due, in the transaction that is open.

    Returns:
        The version the store has now.
    Raises:
        NewerStoreError: the store's version is beyond the last step.
    """
    found = store_version(connection)
    if found > len(steps):
        raise NewerStoreError(
            f"the store has version {found}, and this Overread knows {len(steps)}; "
            "nothing was touched. Install the newer Overread"
        )
    dialect = connection.dialect.name
    for step in steps[found:]:
        for statement in step:
            sql = statement.get(dialect) or statement.get("both")
            if sql:
                connection.exec_driver_sql(sql)
    if found < len(steps):
        connection.exec_driver_sql("DELETE FROM store_version")
        insert = sa.text("INSERT INTO store_version VALUES (:number)")
        connection.execute(insert, {"number": len(steps)})
    return len(steps)


def store_version(connection: sa.Connection) -> int:
    """Tell the store's version; 0 where there are no tables yet."""
    if not sa.inspect(connection).has_table("store_version"):
        return 0
    return int(connection.exec_driver_sql("SELECT max(number) FROM store_version").scalar() or 0)
