"""The rows as SQLAlchemy Core tables: for migrations, and for lists and dashboards that are not by key."""

import types
import typing

import sqlalchemy as sa
from msgspec.structs import fields

from paydesk.store.rows import Row, table_of

_TYPES: dict[type, sa.types.TypeEngine[typing.Any]] = {
    str: sa.Text(),
    int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    bytes: sa.LargeBinary(),
}


def sql_table(kind: type[Row], metadata: sa.MetaData) -> sa.Table:
    """The row type's table in `metadata`, STRICT on SQLite, with its indexes."""
    table = table_of(kind)
    hints = typing.get_type_hints(kind)
    columns = [_column(field.name, hints[field.name], primary=field.name in table.key) for field in fields(kind)]
    made = sa.Table(table.name, metadata, *columns, sqlite_strict=True, sqlite_with_rowid=kind.WIDE)
    for index in kind.INDEXES:
        sa.Index(f"{table.name}_{'_'.join(index)}", *(made.c[name] for name in index))
    for condition, index in kind.INDEXES_WHERE:
        where = sa.text(condition)
        name = f"{table.name}_some_{'_'.join(index)}"
        sa.Index(name, *(made.c[name] for name in index), sqlite_where=where, postgresql_where=where)
    return made


def _column(name: str, hint: object, *, primary: bool) -> sa.Column[typing.Any]:
    nullable = isinstance(hint, types.UnionType)
    plain = next(one for one in typing.get_args(hint) if one is not types.NoneType) if nullable else hint
    return sa.Column(name, _TYPES[typing.cast("type", plain)], primary_key=primary, nullable=nullable)
