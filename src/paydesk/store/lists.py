"""What is not by key: lists for `/v1`, as ordinary SQLAlchemy Core statements over read-only connections."""

from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec.structs import fields
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from paydesk.store.rows import Row
from paydesk.store.schema import sql_table

RowType = TypeVar("RowType", bound=Row)

POOL = 4  # Connections that read lists at once; each is a thread.


class Lists:
    """One per process. Connections are opened with the first list."""

    def __init__(self, path: Path) -> None:
        self._engine: AsyncEngine = create_async_engine(
            sa.URL.create("sqlite+aiosqlite", database=path.absolute().as_uri(), query={"mode": "ro", "uri": "true"}),
            pool_size=POOL,
            max_overflow=0,
        )
        self._metadata = sa.MetaData()
        self._tables: dict[type[Row], sa.Table] = {}

    def table(self, kind: type[Row]) -> sa.Table:
        """The row type's table, to write a statement with."""
        if kind not in self._tables:
            self._tables[kind] = sql_table(kind, self._metadata)
        return self._tables[kind]

    async def rows(self, kind: type[RowType], statement: sa.Select[Any]) -> list[RowType]:
        """Whole rows of one table."""
        names = [field.name for field in fields(kind)]
        async with self._engine.connect() as connection:
            found = await connection.execute(statement)
            return [kind(**{name: row[name] for name in names}) for row in found.mappings()]

    async def close(self) -> None:
        await self._engine.dispose()
