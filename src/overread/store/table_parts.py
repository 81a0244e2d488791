"""What the tables are made of."""

from __future__ import annotations

import sqlalchemy as sa

META = sa.MetaData()


def table(name: str, *columns: sa.Column[object], key: tuple[str, ...]) -> sa.Table:
    """A table with its primary key."""
    made = sa.Table(name, META, *columns)
    made.append_constraint(sa.PrimaryKeyConstraint(*key))
    return made


def text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A column of text."""
    return sa.Column(name, sa.Text, nullable=nullable)


def whole(name: str) -> sa.Column[object]:
    """A column of whole numbers."""
    return sa.Column(name, sa.Integer, nullable=False)


def flag(name: str) -> sa.Column[object]:
    """A column of yes and no."""
    return sa.Column(name, sa.Boolean, nullable=False)


def real(name: str) -> sa.Column[object]:
    """A column of real numbers."""
    return sa.Column(name, sa.Double, nullable=False)


def big(name: str) -> sa.Column[object]:
    """A column of large whole numbers."""
    return sa.Column(name, sa.BigInteger, nullable=False)


def binary(name: str) -> sa.Column[object]:
    """A column of bytes."""
    return sa.Column(name, sa.LargeBinary, nullable=False)


def texts(names: str) -> list[sa.Column[object]]:
    """Columns of text, their names with spaces between."""
    return [text(name) for name in names.split()]
